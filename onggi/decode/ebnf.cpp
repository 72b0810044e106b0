#include "onggi/decode/ebnf.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "onggi/core/error.h"
#include "onggi/decode/automaton.h"
#include "onggi/decode/pattern.h"
#include "onggi/decode/rule_machine.h"
#include "onggi/text/utf8.h"

namespace onggi::decode {
namespace {

constexpr int kMaxDepth = 200;
constexpr int kMaxRepeat = 100'000;
constexpr std::size_t kMaxSource = std::size_t{4} << 20;

struct Rule {
  std::string name;
  Pattern body;
};

class Parser {
 public:
  explicit Parser(std::string_view source) : source_(source) {}

  std::vector<Rule> parse() {
    require(source_.size() <= kMaxSource, "guide: /grammar is longer than 4 MiB", ErrorCode::kExhausted);
    std::vector<Rule> rules;
    skip();
    while (more()) {
      const std::string name = this->name();
      skip();
      if (name.empty() || !accept("::=")) fail("expected a rule, as in: name ::= \"text\"");
      const bool is_new = std::none_of(rules.begin(), rules.end(), [&](const Rule& r) { return r.name == name; });
      if (!is_new) fail("the rule \"" + name + "\" is there twice");
      rules.push_back({name, alternation(0)});
    }
    return rules;
  }

 private:
  [[noreturn]] void fail(const std::string& message) const {
    const auto line =
        1 +
        std::count(source_.begin(), source_.begin() + static_cast<std::ptrdiff_t>(std::min(at_, source_.size())), '\n');
    throw Error(ErrorCode::kInvalidArgument, "grammar: " + message, "/grammar, line " + std::to_string(line));
  }
  bool more() const { return at_ < source_.size(); }
  char peek() const { return more() ? source_[at_] : '\0'; }
  bool accept(std::string_view text) {
    if (source_.substr(at_, text.size()) != text) return false;
    at_ += text.size();
    return true;
  }
  void skip() {
    for (; more() && (std::isspace(static_cast<unsigned char>(peek())) != 0 || peek() == '#'); ++at_) {
      if (peek() == '#') at_ = std::min(source_.find('\n', at_), source_.size() - 1);
    }
  }
  static bool is_of_name(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-' || c == '.';
  }
  bool begins_name() const { return std::isalpha(static_cast<unsigned char>(peek())) != 0 || peek() == '_'; }
  std::string name() {
    const std::size_t from = at_;
    while (more() && is_of_name(peek())) ++at_;
    return std::string(source_.substr(from, at_ - from));
  }
  /// The next rule begins here.
  bool at_rule() {
    const std::size_t from = at_;
    name();
    skip();
    const bool found = source_.substr(at_, 3) == "::=";
    at_ = from;
    return found;
  }

  Pattern alternation(int depth) {
    if (depth > kMaxDepth) fail("groups are nested too deep");
    std::vector<Pattern> choices;
    choices.push_back(sequence(depth));
    while (accept("|")) choices.push_back(sequence(depth));
    return choices.size() == 1 ? std::move(choices[0]) : Pattern::any_of(std::move(choices));
  }

  Pattern sequence(int depth) {
    std::vector<Pattern> parts;
    for (skip(); more() && peek() != '|' && peek() != ')' && !(begins_name() && at_rule()); skip())
      parts.push_back(repeated(depth));
    return parts.size() == 1 ? std::move(parts[0]) : Pattern::sequence(std::move(parts));
  }

  Pattern repeated(int depth) {
    Pattern p = atom(depth);
    for (int suffixes = 0;; ++suffixes) {
      int low = 0;
      int high = Pattern::kUnbounded;
      if (accept("*")) {
      } else if (accept("+")) {
        low = 1;
      } else if (accept("?")) {
        high = 1;
      } else if (accept("{")) {
        low = high = number();
        if (accept(",")) {
          skip();
          high = peek() == '}' ? Pattern::kUnbounded : number();
        }
        if (!accept("}")) fail("expected \"}\" after a repeat");
        if (high != Pattern::kUnbounded && high < low) fail("a repeat whose bounds are the wrong way round");
      } else {
        return p;
      }
      if (suffixes == 2) fail("a repeat of a repeat of a repeat");
      p = Pattern::repeat(std::move(p), low, high);
    }
  }

  int number() {
    skip();
    if (std::isdigit(static_cast<unsigned char>(peek())) == 0) fail("expected a number");
    int value = 0;
    for (; std::isdigit(static_cast<unsigned char>(peek())) != 0; ++at_) {
      value = value * 10 + (peek() - '0');
      if (value > kMaxRepeat) fail("a repeat above " + std::to_string(kMaxRepeat));
    }
    skip();
    return value;
  }

  Pattern atom(int depth) {
    if (accept("(")) {
      Pattern p = alternation(depth + 1);
      if (!accept(")")) fail("\"(\" without \")\"");
      return p;
    }
    if (accept("[")) return bracket();
    if (accept(".")) return {.kind = Pattern::Kind::kClass, .ranges = {{0, 0x10FFFF}}};
    if (accept("\"")) {
      std::string text;
      while (peek() != '"') text::append_utf8(text, character("\""));
      ++at_;
      return Pattern::literal(std::move(text));
    }
    if (!begins_name())
      fail(std::string("expected a text, a class, a group or a rule's name, found \"") + peek() + "\"");
    return {.kind = Pattern::Kind::kSlot, .slot = name(), .piece = "rule"};
  }

  /// One character, escapes read; `end` is what closes what it stands in.
  char32_t character(std::string_view end) {
    if (!more() || (peek() == '\n' && end == "\"")) fail("no closing " + std::string(end));
    if (peek() != '\\') {
      const text::Utf8Char c = text::next_utf8(source_, at_);
      if (!c.valid) fail("not valid UTF-8");
      at_ += static_cast<std::size_t>(c.length);
      return c.code;
    }
    ++at_;
    if (!more()) fail("a backslash at the end");
    const char c = source_[at_++];
    switch (c) {
      case 'n': return '\n';
      case 't': return '\t';
      case 'r': return '\r';
      case 'b': return '\b';
      case 'f': return '\f';
      case 'x': return hex(2);
      case 'u': return hex(4);
      case 'U': return hex(8);
      default:
        if (std::isalnum(static_cast<unsigned char>(c)) != 0) fail(std::string("\\") + c + " is not supported");
        return static_cast<unsigned char>(c);
    }
  }

  char32_t hex(int digits) {
    char32_t value = 0;
    for (int i = 0; i < digits; ++i, ++at_) {
      const char c = peek();
      if (std::isxdigit(static_cast<unsigned char>(c)) == 0) fail("expected " + std::to_string(digits) + " hex digits");
      value = value * 16 +
              static_cast<char32_t>(std::isdigit(static_cast<unsigned char>(c)) != 0 ? c - '0' : (c | 32) - 'a' + 10);
    }
    if ((value >= 0xD800 && value < 0xE000) || value > 0x10FFFF) fail("a hex number that is no character");
    return value;
  }

  Pattern bracket() {
    const bool negated = accept("^");
    std::vector<std::pair<char32_t, char32_t>> ranges;
    while (peek() != ']') {
      const char32_t low = character("]");
      char32_t high = low;
      if (peek() == '-' && at_ + 1 < source_.size() && source_[at_ + 1] != ']') {
        ++at_;
        high = character("]");
      }
      if (high < low) fail("a range whose ends are the wrong way round");
      ranges.emplace_back(low, high);
    }
    ++at_;
    if (!negated) return {.kind = Pattern::Kind::kClass, .ranges = std::move(ranges)};
    std::sort(ranges.begin(), ranges.end());
    std::vector<std::pair<char32_t, char32_t>> others;
    char32_t next = 0;
    for (const auto& [low, high] : ranges) {
      if (low > next) others.emplace_back(next, low - 1);
      next = std::max(next, static_cast<char32_t>(high + 1));
    }
    if (next <= 0x10FFFF) others.emplace_back(next, 0x10FFFF);
    return {.kind = Pattern::Kind::kClass, .ranges = std::move(others)};
  }

  std::string_view source_;
  std::size_t at_ = 0;
};

/// What is known of the rules, found by going over their bodies until nothing changes.
class Rules {
 public:
  explicit Rules(std::vector<Rule> rules) : rules_(std::move(rules)) {
    for (const Rule& rule : rules_) index_.emplace(rule.name, static_cast<int>(index_.size()));
    require(index_.contains("root"), "grammar: there is no rule \"root\"", ErrorCode::kInvalidArgument, "/grammar");
    for (Rule& rule : rules_) {
      require_known(rule.body, rule.name);
      rule.body = without_left_call(std::move(rule.body), rule.name);
    }
    is_nullable_.resize(rules_.size());
    has_text_.resize(rules_.size());
    for (bool changes = true; changes;) {
      changes = false;
      for (std::size_t i = 0; i < rules_.size(); ++i) {
        changes |= !is_nullable_[i] && nullable(rules_[i].body);
        if (nullable(rules_[i].body)) is_nullable_[i] = true;
        changes |= !has_text_[i] && productive(rules_[i].body);
        if (productive(rules_[i].body)) has_text_[i] = true;
      }
    }
    require(has_text_[static_cast<std::size_t>(index_.at("root"))], "grammar: \"root\" has no text that ends",
            ErrorCode::kInvalidArgument, "/grammar");
    refuse_left_calls();
  }

  std::unique_ptr<Grammar> grammar() {
    auto out = std::make_unique<Grammar>();
    for (Rule& rule : rules_) {
      Pattern body = with_nullable_calls(std::move(rule.body));
      std::vector<int> called;
      std::vector<SlotContent> contents;
      for (const SlotPart& part : slot_parts(body)) {
        called.push_back(index_.at(part.slot));
        contents.push_back(has_text_[static_cast<std::size_t>(called.back())] ? SlotContent::kText
                                                                              : SlotContent::kNothing);
      }
      const int index = static_cast<int>(out->rules.size());
      out->rules.push_back({});
      if (!has_text_[static_cast<std::size_t>(index)]) continue;
      out->rules.back().push_back(static_cast<int>(out->machines.size()));
      out->machines.push_back(
          std::make_unique<RuleMachine>(build_nfa(body, SlotUse::kEdges, {}), std::move(called), std::move(contents)));
    }
    out->root = index_.at("root");
    return out;
  }

 private:
  void require_known(const Pattern& p, const std::string& in) const {
    if (p.kind == Pattern::Kind::kSlot) {
      require(
          index_.contains(p.slot), [&] { return "grammar: \"" + in + "\" names \"" + p.slot + "\", which is no rule"; },
          ErrorCode::kInvalidArgument, "/grammar");
    }
    for (const auto& part : p.parts) require_known(part, in);
  }

  /// A rule "a ::= a x | y" is written "a ::= y x*".
  static Pattern without_left_call(Pattern body, const std::string& name) {
    const auto calls = [&](const Pattern& p) { return p.kind == Pattern::Kind::kSlot && p.slot == name; };
    std::vector<Pattern> choices;
    if (body.kind == Pattern::Kind::kAlternate) {
      choices = std::move(body.parts);
    } else {
      choices.push_back(std::move(body));
    }
    std::vector<Pattern> first;
    std::vector<Pattern> after;
    for (Pattern& choice : choices) {
      if (calls(choice)) continue;  // a ::= a says nothing.
      if (choice.kind == Pattern::Kind::kConcat && !choice.parts.empty() && calls(choice.parts[0])) {
        choice.parts.erase(choice.parts.begin());
        after.push_back(std::move(choice));
      } else {
        first.push_back(std::move(choice));
      }
    }
    Pattern start = first.size() == 1 ? std::move(first[0]) : Pattern::any_of(std::move(first));
    if (after.empty()) return start;
    return Pattern::sequence(
        {std::move(start), Pattern::repeat(Pattern::any_of(std::move(after)), 0, Pattern::kUnbounded)});
  }

  bool flag(const std::vector<bool>& flags, const Pattern& call) const {
    return flags[static_cast<std::size_t>(index_.at(call.slot))];
  }

  bool nullable(const Pattern& p) const {
    switch (p.kind) {
      case Pattern::Kind::kBytes: return p.bytes.empty();
      case Pattern::Kind::kAlternate:
        return std::any_of(p.parts.begin(), p.parts.end(), [&](const Pattern& q) { return nullable(q); });
      case Pattern::Kind::kConcat:
        return std::all_of(p.parts.begin(), p.parts.end(), [&](const Pattern& q) { return nullable(q); });
      case Pattern::Kind::kRepeat: return p.low == 0 || nullable(p.parts[0]);
      case Pattern::Kind::kSlot: return flag(is_nullable_, p);
      default: return false;
    }
  }

  bool productive(const Pattern& p) const {
    switch (p.kind) {
      case Pattern::Kind::kClass: return !p.ranges.empty();
      case Pattern::Kind::kAlternate:
        return std::any_of(p.parts.begin(), p.parts.end(), [&](const Pattern& q) { return productive(q); });
      case Pattern::Kind::kConcat:
        return std::all_of(p.parts.begin(), p.parts.end(), [&](const Pattern& q) { return productive(q); });
      case Pattern::Kind::kRepeat: return p.low == 0 || productive(p.parts[0]);
      case Pattern::Kind::kSlot: return flag(has_text_, p);
      default: return true;
    }
  }

  /// Appends the rules that may be called before a byte is read; false where no byte need be read.
  void first_calls(const Pattern& p, std::vector<int>& out) const {
    if (p.kind == Pattern::Kind::kSlot) out.push_back(index_.at(p.slot));
    for (const auto& part : p.parts) {
      first_calls(part, out);
      if (p.kind == Pattern::Kind::kConcat && !nullable(part)) return;
    }
  }

  void refuse_left_calls() const {
    std::vector<std::vector<int>> first(rules_.size());
    for (std::size_t i = 0; i < rules_.size(); ++i) first_calls(rules_[i].body, first[i]);
    enum class Mark : std::uint8_t { kNew, kOpen, kDone };
    std::vector<Mark> marks(rules_.size(), Mark::kNew);
    std::vector<std::pair<std::size_t, std::size_t>> open;  // Rule, and which of its calls is next.
    for (std::size_t root = 0; root < rules_.size(); ++root) {
      if (marks[root] != Mark::kNew) continue;
      open.assign(1, {root, 0});
      marks[root] = Mark::kOpen;
      while (!open.empty()) {
        const std::size_t rule = open.back().first;
        if (open.back().second == first[rule].size()) {
          marks[rule] = Mark::kDone;
          open.pop_back();
          continue;
        }
        const auto next = static_cast<std::size_t>(first[rule][open.back().second++]);
        require(
            marks[next] != Mark::kOpen,
            [&] {
              return "grammar: \"" + rules_[next].name + "\" calls itself first, by way of \"" + rules_[rule].name +
                     "\" (left recursion)";
            },
            ErrorCode::kInvalidArgument, "/grammar");
        if (marks[next] == Mark::kNew) {
          marks[next] = Mark::kOpen;
          open.emplace_back(next, 0);
        }
      }
    }
  }

  Pattern with_nullable_calls(Pattern p) const {
    for (auto& part : p.parts) part = with_nullable_calls(std::move(part));
    if (p.kind != Pattern::Kind::kSlot || !flag(is_nullable_, p)) return p;
    return Pattern::any_of({std::move(p), Pattern::sequence({})});
  }

  std::vector<Rule> rules_;
  std::map<std::string, int> index_;
  std::vector<bool> is_nullable_;
  std::vector<bool> has_text_;
};

}  // namespace

std::unique_ptr<Grammar> parse_ebnf(std::string_view source) { return Rules(Parser(source).parse()).grammar(); }

}  // namespace onggi::decode
