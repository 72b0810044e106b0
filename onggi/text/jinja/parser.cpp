#include <algorithm>
#include <charconv>

#include "onggi/core/error.h"
#include "onggi/text/jinja/lexer.h"
#include "onggi/text/jinja/syntax.h"

namespace onggi::text::jinja {
namespace {

using Kind = Token::Kind;
using Make = Expression::Kind;

constexpr int kMaxDepth = 150;        // Levels of an expression; the evaluator recurses over them.
constexpr int kMaxBlockDepth = 50;    // Statements inside statements.
constexpr int kMaxOpenBrackets = 60;  // Expressions inside expressions while parsing.

class Parser {
 public:
  explicit Parser(std::string_view source) : tokens_(tokenize_template(source)) {}

  Block run() {
    Block block = parse_block({});
    if (peek().kind != Kind::kEnd) fail_at(peek().place, "unexpected \"" + peek(1).text + "\"");
    return block;
  }

 private:
  const Token& peek(std::size_t n = 0) const { return tokens_[std::min(at_ + n, tokens_.size() - 1)]; }
  const Token& take() {
    const Token& t = peek();
    if (at_ + 1 < tokens_.size()) ++at_;
    return t;
  }
  bool take_operator(std::string_view op) {
    if (!peek().is(Kind::kOperator, op)) return false;
    take();
    return true;
  }
  bool take_name(std::string_view name) {
    if (!peek().is(Kind::kName, name)) return false;
    take();
    return true;
  }
  void expect_operator(std::string_view op) {
    if (!take_operator(op)) fail_at(peek().place, "expected \"" + std::string(op) + "\", found " + describe(peek()));
  }
  std::string expect_name() {
    if (peek().kind != Kind::kName) fail_at(peek().place, "expected a name, found " + describe(peek()));
    return take().text;
  }
  void expect_block_end() {
    if (peek().kind != Kind::kBlockEnd) fail_at(peek().place, "expected \"%}\", found " + describe(peek()));
    take();
  }
  static std::string describe(const Token& t) {
    switch (t.kind) {
      case Kind::kBlockEnd: return "\"%}\"";
      case Kind::kOutputEnd: return "\"}}\"";
      case Kind::kEnd: return "the end of the template";
      case Kind::kString: return "a string";
      default: return "\"" + t.text + "\"";
    }
  }

  // Statements.

  bool at_block_named(std::initializer_list<std::string_view> names) const {
    return peek().kind == Kind::kBlockBegin && peek(1).kind == Kind::kName &&
           std::find(names.begin(), names.end(), peek(1).text) != names.end();
  }

  /// Statements up to {% one of `ends` %}, which is left for the caller, or to the end of the template.
  Block parse_block(std::initializer_list<std::string_view> ends) {
    if (++block_depth_ > kMaxBlockDepth) fail_at(peek().place, "statements nested deeper than 50 levels");
    Block block;
    while (peek().kind != Kind::kEnd && !at_block_named(ends)) {
      const Token& t = peek();
      if (t.kind == Kind::kText) {
        Statement s;
        s.place = t.place;
        s.text = take().text;
        block.push_back(std::move(s));
      } else if (t.kind == Kind::kOutputBegin) {
        Statement s;
        s.kind = Statement::Kind::kOutput;
        s.place = take().place;
        s.expression = parse_tuple();
        if (peek().kind != Kind::kOutputEnd) fail_at(peek().place, "expected \"}}\", found " + describe(peek()));
        take();
        block.push_back(std::move(s));
      } else {
        block.push_back(parse_statement());
      }
    }
    --block_depth_;
    return block;
  }

  void expect_end(const Statement& s, std::string_view end) {
    if (!at_block_named({end})) fail_at(s.place, "a statement without {% " + std::string(end) + " %}");
    take();
    take();
    expect_block_end();
  }

  Statement parse_statement() {
    Statement s;
    s.place = take().place;
    const std::string name = expect_name();
    if (name == "for") {
      parse_for(s);
    } else if (name == "if") {
      parse_if(s);
    } else if (name == "set") {
      parse_set(s);
    } else if (name == "macro") {
      parse_macro(s);
    } else if (name == "break" || name == "continue") {
      if (loop_depth_ == 0) fail_at(s.place, "{% " + name + " %} outside of a loop");
      s.kind = name == "break" ? Statement::Kind::kBreak : Statement::Kind::kContinue;
      expect_block_end();
    } else if (name == "generation") {
      s.kind = Statement::Kind::kScope;
      expect_block_end();
      s.body = parse_block({"endgeneration"});
      expect_end(s, "endgeneration");
    } else {
      fail_at(s.place, "the statement {% " + name + " %} is not known here");
    }
    return s;
  }

  void parse_for(Statement& s) {
    s.kind = Statement::Kind::kFor;
    s.names = parse_names();
    if (!take_name("in")) fail_at(peek().place, "expected \"in\", found " + describe(peek()));
    s.expression = parse_list_of([&] { return parse_or(); });
    if (take_name("if")) s.condition = parse_expression();
    if (peek().is(Kind::kName, "recursive")) fail_at(peek().place, "recursive loops are not supported");
    expect_block_end();
    ++loop_depth_;
    s.body = parse_block({"endfor", "else"});
    --loop_depth_;
    if (at_block_named({"else"})) {
      take();
      take();
      expect_block_end();
      s.otherwise = parse_block({"endfor"});
    }
    expect_end(s, "endfor");
  }

  void parse_if(Statement& s) {
    s.kind = Statement::Kind::kIf;
    ExpressionPtr condition = parse_tuple();
    for (bool has_else = false;;) {
      expect_block_end();
      Block body = has_else ? parse_block({"endif"}) : parse_block({"elif", "else", "endif"});
      s.branches.emplace_back(std::move(condition), std::move(body));
      if (has_else || at_block_named({"endif"}) || peek().kind == Kind::kEnd) break;
      take();
      if (take().text == "elif") {
        condition = parse_tuple();
      } else {
        has_else = true;
      }
    }
    expect_end(s, "endif");
  }

  void parse_set(Statement& s) {
    s.kind = Statement::Kind::kSet;
    s.names = parse_names();
    if (s.names.size() == 1 && take_operator(".")) s.attribute = expect_name();
    if (take_operator("=")) {
      s.expression = parse_tuple();
      return expect_block_end();
    }
    if (s.names.size() != 1 || !s.attribute.empty()) fail_at(peek().place, "expected \"=\", found " + describe(peek()));
    if (peek().is(Kind::kOperator, "|")) fail_at(peek().place, "filters on a {% set %} block are not supported");
    s.kind = Statement::Kind::kSetBlock;
    expect_block_end();
    s.body = parse_block({"endset"});
    expect_end(s, "endset");
  }

  void parse_macro(Statement& s) {
    s.kind = Statement::Kind::kMacro;
    s.text = expect_name();
    expect_operator("(");
    while (!take_operator(")")) {
      if (!s.names.empty()) expect_operator(",");
      if (take_operator(")")) break;
      s.names.push_back(expect_name());
      s.defaults.push_back(take_operator("=") ? parse_expression() : nullptr);
      if (s.defaults.back() == nullptr && s.defaults.size() > 1 && s.defaults[s.defaults.size() - 2] != nullptr) {
        fail_at(s.place, "a parameter without default after one with");
      }
    }
    expect_block_end();
    const int loops = std::exchange(loop_depth_, 0);  // A break does not reach through a macro.
    s.body = parse_block({"endmacro"});
    loop_depth_ = loops;
    expect_end(s, "endmacro");
  }

  std::vector<std::string> parse_names() {
    const bool in_brackets = take_operator("(");
    std::vector<std::string> names{expect_name()};
    while (take_operator(",")) names.push_back(expect_name());
    if (in_brackets) expect_operator(")");
    return names;
  }

  // Expressions, from the loosest binding to the tightest.

  ExpressionPtr make(Make kind, Place place, std::string name = {}) const {
    auto e = std::make_unique<Expression>();
    e->kind = kind;
    e->place = place;
    e->name = std::move(name);
    return e;
  }

  template <class... Children>
  ExpressionPtr make_over(Make kind, Place place, std::string name, Children&&... children) const {
    auto e = make(kind, place, std::move(name));
    (e->children.push_back(std::forward<Children>(children)), ...);
    set_depth(*e);
    return e;
  }

  void set_depth(Expression& e) const {
    const auto look = [&](const ExpressionPtr& child) {
      if (child != nullptr) e.depth = std::max(e.depth, child->depth + 1);
    };
    for (const auto& c : e.children) look(c);
    for (const auto& c : e.arguments) look(c);
    for (const auto& [name, c] : e.named) look(c);
    if (e.depth > kMaxDepth) fail_at(e.place, "an expression deeper than 150 levels");
  }

  /// One expression, or several with commas between as a list.
  template <class ParseOne>
  ExpressionPtr parse_list_of(ParseOne&& parse_one) {
    const Place place = peek().place;
    ExpressionPtr first = parse_one();
    if (!peek().is(Kind::kOperator, ",")) return first;
    auto list = make_over(Make::kList, place, "", std::move(first));
    list->is_tuple = true;
    while (take_operator(",")) {
      if (peek().kind == Kind::kBlockEnd || peek().kind == Kind::kOutputEnd || peek().is(Kind::kOperator, ")")) break;
      list->children.push_back(parse_one());
    }
    set_depth(*list);
    return list;
  }

  ExpressionPtr parse_tuple() {
    return parse_list_of([&] { return parse_expression(); });
  }

  ExpressionPtr parse_expression() {
    if (++open_ > kMaxOpenBrackets) fail_at(peek().place, "expressions nested deeper than 60 levels");
    ExpressionPtr e = parse_or();
    while (peek().is(Kind::kName, "if")) {
      const Place place = take().place;
      ExpressionPtr condition = parse_or();
      ExpressionPtr otherwise = take_name("else") ? parse_expression() : nullptr;
      e = make_over(Make::kChoice, place, "", std::move(condition), std::move(e), std::move(otherwise));
    }
    --open_;
    return e;
  }

  template <class ParseOne>
  ExpressionPtr parse_binary(Kind kind, std::initializer_list<std::string_view> operators, ParseOne&& parse_one) {
    ExpressionPtr left = parse_one();
    while (peek().kind == kind && std::find(operators.begin(), operators.end(), peek().text) != operators.end()) {
      const Token& op = take();
      const Place place = op.place;
      std::string name = op.text;
      left = make_over(Make::kBinary, place, std::move(name), std::move(left), parse_one());
    }
    return left;
  }

  ExpressionPtr parse_or() {
    return parse_binary(Kind::kName, {"or"}, [&] {
      return parse_binary(Kind::kName, {"and"}, [&] { return parse_not(); });
    });
  }

  ExpressionPtr parse_not() {
    std::vector<Place> nots;
    while (peek().is(Kind::kName, "not")) nots.push_back(take().place);
    ExpressionPtr e = parse_compare();
    for (; !nots.empty(); nots.pop_back()) e = make_over(Make::kUnary, nots.back(), "not", std::move(e));
    return e;
  }

  ExpressionPtr parse_compare() {
    ExpressionPtr first = parse_sum();
    ExpressionPtr compare;
    for (;;) {
      const Token& t = peek();
      std::string op;
      if (t.kind == Kind::kOperator && (t.text == "==" || t.text == "!=" || t.text == "<" || t.text == ">" ||
                                        t.text == "<=" || t.text == ">=")) {
        op = take().text;
      } else if (t.is(Kind::kName, "in")) {
        op = take().text;
      } else if (t.is(Kind::kName, "not") && peek(1).is(Kind::kName, "in")) {
        take();
        take();
        op = "not in";
      } else {
        break;
      }
      if (compare == nullptr) compare = make_over(Make::kCompare, first->place, "", std::move(first));
      compare->operators.push_back(op);
      compare->children.push_back(parse_sum());
      set_depth(*compare);
    }
    return compare != nullptr ? std::move(compare) : std::move(first);
  }

  ExpressionPtr parse_sum() {
    return parse_binary(Kind::kOperator, {"+", "-"}, [&] {
      return parse_binary(Kind::kOperator, {"~"}, [&] {
        return parse_binary(Kind::kOperator, {"*", "/", "//", "%"}, [&] {
          return parse_binary(Kind::kOperator, {"**"}, [&] { return parse_unary(true); });
        });
      });
    });
  }

  ExpressionPtr parse_unary(bool with_filter) {
    ExpressionPtr e;
    std::vector<std::pair<Place, std::string>> signs;
    while (peek().is(Kind::kOperator, "-") || peek().is(Kind::kOperator, "+")) {
      const Place place = peek().place;
      signs.emplace_back(place, take().text);
    }
    e = parse_postfix(parse_primary());
    for (; !signs.empty(); signs.pop_back()) {
      e = make_over(Make::kUnary, signs.back().first, signs.back().second, std::move(e));
    }
    return with_filter ? parse_filters(std::move(e)) : std::move(e);
  }

  ExpressionPtr parse_primary() {
    const Token& t = take();
    const Place place = t.place;
    if (t.kind == Kind::kName) return parse_name_or_constant(t);
    if (t.kind == Kind::kString) {
      std::string text = t.text;
      while (peek().kind == Kind::kString) text += take().text;
      auto e = make(Make::kLiteral, place);
      e->value = Value::of(std::string_view(text));
      return e;
    }
    if (t.kind == Kind::kInteger || t.kind == Kind::kFloat) {
      auto e = make(Make::kLiteral, place);
      const char* end = t.text.data() + t.text.size();
      std::int64_t whole = 0;
      double real = 0;
      const auto error = t.kind == Kind::kInteger ? std::from_chars(t.text.data(), end, whole).ec
                                                  : std::from_chars(t.text.data(), end, real).ec;
      if (error != std::errc()) fail_at(place, "the number " + t.text + " is too large");
      e->value = t.kind == Kind::kInteger ? Value::of(whole) : Value::of(real);
      return e;
    }
    if (t.is(Kind::kOperator, "(")) {
      if (take_operator(")")) {
        ExpressionPtr empty = make(Make::kList, place);
        empty->is_tuple = true;
        return empty;
      }
      ExpressionPtr e = parse_tuple();
      expect_operator(")");
      return e;
    }
    if (t.is(Kind::kOperator, "[")) {
      auto e = make(Make::kList, place);
      while (!take_operator("]")) {
        if (!e->children.empty()) expect_operator(",");
        if (take_operator("]")) break;
        e->children.push_back(parse_expression());
      }
      set_depth(*e);
      return e;
    }
    if (t.is(Kind::kOperator, "{")) {
      auto e = make(Make::kDict, place);
      while (!take_operator("}")) {
        if (!e->children.empty()) expect_operator(",");
        if (take_operator("}")) break;
        e->children.push_back(parse_expression());
        expect_operator(":");
        e->children.push_back(parse_expression());
      }
      set_depth(*e);
      return e;
    }
    fail_at(place, "expected an expression, found " + describe(t));
  }

  ExpressionPtr parse_name_or_constant(const Token& t) const {
    auto e = make(Make::kLiteral, t.place);
    if (t.text == "true" || t.text == "True") {
      e->value = Value::of(true);
    } else if (t.text == "false" || t.text == "False") {
      e->value = Value::of(false);
    } else if (t.text != "none" && t.text != "None") {
      e->kind = Make::kName;
      e->name = t.text;
    }
    return e;
  }

  ExpressionPtr parse_postfix(ExpressionPtr e) {
    for (;;) {
      const Place place = peek().place;
      if (take_operator(".")) {
        if (peek().kind == Kind::kInteger) {  // a.0
          auto index = parse_primary();
          e = make_over(Make::kIndex, place, "", std::move(e), std::move(index));
        } else {
          std::string name = expect_name();
          e = make_over(Make::kAttribute, place, std::move(name), std::move(e));
        }
      } else if (take_operator("[")) {
        e = parse_subscript(std::move(e), place);
      } else if (peek().is(Kind::kOperator, "(")) {
        auto call = make_over(Make::kCall, place, "", std::move(e));
        parse_arguments(*call);
        e = std::move(call);
      } else {
        return e;
      }
    }
  }

  ExpressionPtr parse_subscript(ExpressionPtr object, Place place) {
    ExpressionPtr parts[3];
    std::size_t n = 0;
    bool is_slice = false;
    for (;;) {
      if (!peek().is(Kind::kOperator, ":") && !peek().is(Kind::kOperator, "]")) parts[n] = parse_expression();
      if (take_operator("]")) break;
      expect_operator(":");
      is_slice = true;
      if (++n > 2) fail_at(place, "a slice has at most three parts");
    }
    if (is_slice) {
      return make_over(Make::kSlice, place, "", std::move(object), std::move(parts[0]), std::move(parts[1]), std::move(parts[2]));
    }
    if (parts[0] == nullptr) fail_at(place, "expected an index");
    return make_over(Make::kIndex, place, "", std::move(object), std::move(parts[0]));
  }

  /// (a, b, name=c) into `call`.
  void parse_arguments(Expression& call) {
    expect_operator("(");
    bool is_first = true;
    while (!take_operator(")")) {
      if (!is_first) expect_operator(",");
      is_first = false;
      if (take_operator(")")) break;
      if (peek().kind == Kind::kName && peek(1).is(Kind::kOperator, "=")) {
        std::string name = take().text;
        take();
        call.named.emplace_back(std::move(name), parse_expression());
      } else {
        if (!call.named.empty()) fail_at(peek().place, "a positional argument after a named one");
        call.arguments.push_back(parse_expression());
      }
    }
    set_depth(call);
  }

  ExpressionPtr parse_filters(ExpressionPtr e) {
    for (;;) {
      const Place place = peek().place;
      if (take_operator("|")) {
        std::string name = expect_name();
        auto filter = make_over(Make::kFilter, place, std::move(name), std::move(e));
        if (peek().is(Kind::kOperator, "(")) parse_arguments(*filter);
        e = std::move(filter);
      } else if (take_name("is")) {
        const bool negated = take_name("not");
        std::string name = expect_name();
        auto test = make_over(Make::kTest, place, std::move(name), std::move(e));
        test->negated = negated;
        if (peek().is(Kind::kOperator, "(")) {
          parse_arguments(*test);
        } else if (begins_test_argument()) {
          test->arguments.push_back(parse_postfix(parse_primary()));
          set_depth(*test);
        }
        e = std::move(test);
      } else if (peek().is(Kind::kOperator, "(")) {
        auto call = make_over(Make::kCall, place, "", std::move(e));
        parse_arguments(*call);
        e = std::move(call);
      } else {
        return e;
      }
    }
  }

  /// `x is divisibleby 3` needs no brackets.
  bool begins_test_argument() const {
    const Token& t = peek();
    if (t.kind == Kind::kString || t.kind == Kind::kInteger || t.kind == Kind::kFloat) return true;
    if (t.kind == Kind::kOperator) return t.text == "[" || t.text == "{";
    if (t.kind != Kind::kName) return false;
    for (const char* word : {"else", "or", "and", "if", "in", "not", "is"}) {
      if (t.text == word) return false;
    }
    return true;
  }

  std::vector<Token> tokens_;
  std::size_t at_ = 0;
  int block_depth_ = 0;
  int loop_depth_ = 0;
  int open_ = 0;
};

}  // namespace

Block parse_template(std::string_view source) { return Parser(source).run(); }

}  // namespace onggi::text::jinja
