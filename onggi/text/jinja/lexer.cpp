#include "onggi/text/jinja/lexer.h"

#include <algorithm>

#include "onggi/core/error.h"
#include "onggi/text/utf8.h"

namespace onggi::text::jinja {

void fail_at(Place place, const std::string& message) {
  throw Error(ErrorCode::kInvalidArgument, "chat template: " + message,
              "line " + std::to_string(place.line) + ", column " + std::to_string(place.column));
}

namespace {

using Kind = Token::Kind;

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_name_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}

class Lexer {
 public:
  explicit Lexer(std::string_view source) : s_(source) {}

  std::vector<Token> run() {
    while (at_ < s_.size()) {
      const std::size_t tag = find_tag();
      if (tag == std::string_view::npos) {
        add_text(s_.size(), false, false);
        break;
      }
      const char sign = tag + 2 < s_.size() && (s_[tag + 2] == '-' || s_[tag + 2] == '+') ? s_[tag + 2] : '\0';
      const char kind = s_[tag + 1];
      add_text(tag, sign == '-', kind != '{' && sign == '\0');
      tag_place_ = place_of(tag);
      at_ = tag + 2 + (sign != '\0');
      if (kind == '#') {
        const std::size_t end = s_.find("#}", at_);
        if (end == std::string_view::npos) fail_at(tag_place_, "a comment without its end \"#}\"");
        at_ = end;
        const char before = end > 0 ? s_[end - 1] : '\0';
        close_tag(2, before == '-' || before == '+' ? before : '\0', true);
      } else if (kind == '%' && begins_raw()) {
        read_raw();
      } else {
        push(kind == '{' ? Kind::kOutputBegin : Kind::kBlockBegin, "", tag);
        read_expression(kind == '{');
      }
    }
    push(Kind::kEnd, "", s_.size());
    return std::move(tokens_);
  }

 private:
  std::size_t find_tag() const {
    for (std::size_t p = at_; (p = s_.find('{', p)) != std::string_view::npos; ++p) {
      if (p + 1 < s_.size() && (s_[p + 1] == '{' || s_[p + 1] == '%' || s_[p + 1] == '#')) return p;
    }
    return std::string_view::npos;
  }

  Place place_of(std::size_t offset) {
    // Offsets only grow, so counting goes on from the last place.
    for (; counted_ < offset; ++counted_) {
      if (s_[counted_] == '\n') {
        ++place_.line;
        place_.column = 1;
      } else if ((static_cast<unsigned char>(s_[counted_]) & 0xC0) != 0x80) {
        ++place_.column;
      }
    }
    return place_;
  }

  void push(Kind kind, std::string text, std::size_t offset) { tokens_.push_back({kind, std::move(text), place_of(offset)}); }

  /// Text from at_ to `end`. `strip` takes its trailing white space off; `strip_line` only that of a line which holds
  /// nothing else (lstrip_blocks).
  void add_text(std::size_t end, bool strip, bool strip_line) {
    std::string_view text = s_.substr(at_, end - at_);
    if (strip) {
      while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
    } else if (strip_line) {
      const std::size_t line = text.rfind('\n') + 1;  // 0 where there is none.
      if ((line > 0 || at_line_start_) && std::all_of(text.begin() + static_cast<std::ptrdiff_t>(line), text.end(), is_space)) {
        text = text.substr(0, line);
      }
    }
    if (!text.empty()) push(Kind::kText, std::string(text), at_);
    at_ = end;
    at_line_start_ = false;
  }

  /// At the end mark of a tag, which has `width` bytes: '-' eats all white space after it, a block or comment without
  /// '+' one newline (trim_blocks).
  void close_tag(std::size_t width, char sign, bool trims) {
    at_ += width;
    const std::size_t begin = at_;
    if (sign == '-') {
      while (at_ < s_.size() && is_space(s_[at_])) ++at_;
    } else if (trims && sign == '\0' && at_ < s_.size() && s_[at_] == '\n') {
      ++at_;
    }
    at_line_start_ = at_ > begin && s_[at_ - 1] == '\n';
  }

  std::size_t skip_spaces(std::size_t p) const {
    while (p < s_.size() && is_space(s_[p])) ++p;
    return p;
  }

  bool begins_raw() const {
    std::size_t p = skip_spaces(at_);
    if (s_.substr(p, 3) != "raw") return false;
    p = skip_spaces(p + 3);
    return s_.substr(p, 2) == "%}" || s_.substr(p, 3) == "-%}";
  }

  void read_raw() {
    at_ = skip_spaces(skip_spaces(at_) + 3);
    const bool strip_after = s_[at_] == '-';
    at_ += strip_after ? 1 : 0;
    close_tag(2, strip_after ? '-' : '\0', false);
    for (std::size_t p = at_; (p = s_.find("{%", p)) != std::string_view::npos; ++p) {
      const char sign = p + 2 < s_.size() && (s_[p + 2] == '-' || s_[p + 2] == '+') ? s_[p + 2] : '\0';
      std::size_t q = skip_spaces(p + 2 + (sign != '\0'));
      if (s_.substr(q, 6) != "endraw") continue;
      q = skip_spaces(q + 6);
      const char end_sign = q < s_.size() && (s_[q] == '-' || s_[q] == '+') ? s_[q] : '\0';
      if (s_.substr(q + (end_sign != '\0'), 2) != "%}") continue;
      add_text(p, sign == '-', sign == '\0');
      at_ = q + (end_sign != '\0');
      return close_tag(2, end_sign, true);
    }
    fail_at(tag_place_, "{% raw %} without {% endraw %}");
  }

  /// The inside of {{ }} or {% %} and its end mark, which only counts outside of brackets.
  void read_expression(bool is_output) {
    const std::string_view end_mark = is_output ? "}}" : "%}";
    std::string brackets;
    for (;;) {
      at_ = skip_spaces(at_);
      if (at_ >= s_.size()) fail_at(tag_place_, "a tag without its end \"" + std::string(end_mark) + "\"");
      const char c = s_[at_];
      if (brackets.empty()) {
        const bool signed_end = (c == '-' || (c == '+' && !is_output)) && s_.substr(at_ + 1, 2) == end_mark;
        if (signed_end || s_.substr(at_, 2) == end_mark) {
          push(is_output ? Kind::kOutputEnd : Kind::kBlockEnd, "", at_);
          return close_tag(signed_end ? 3 : 2, signed_end ? c : '\0', !is_output);
        }
      }
      if (is_name_start(c)) {
        read_name();
      } else if (is_digit(c)) {
        read_number();
      } else if (c == '"' || c == '\'') {
        read_string(c);
      } else {
        read_operator(brackets);
      }
    }
  }

  void read_name() {
    const std::size_t begin = at_;
    while (at_ < s_.size() && (is_name_start(s_[at_]) || is_digit(s_[at_]))) ++at_;
    push(Kind::kName, std::string(s_.substr(begin, at_ - begin)), begin);
  }

  void read_number() {
    const std::size_t begin = at_;
    std::string text;
    const auto digits = [&] {
      for (; at_ < s_.size() && (is_digit(s_[at_]) || (s_[at_] == '_' && at_ + 1 < s_.size() && is_digit(s_[at_ + 1]))); ++at_) {
        if (s_[at_] != '_') text += s_[at_];
      }
    };
    digits();
    bool is_float = false;
    if (at_ + 1 < s_.size() && s_[at_] == '.' && is_digit(s_[at_ + 1])) {
      is_float = true;
      text += s_[at_++];
      digits();
    }
    if (at_ < s_.size() && (s_[at_] == 'e' || s_[at_] == 'E')) {
      std::size_t p = at_ + 1;
      if (p < s_.size() && (s_[p] == '+' || s_[p] == '-')) ++p;
      if (p < s_.size() && is_digit(s_[p])) {
        is_float = true;
        text += s_.substr(at_, p - at_);
        at_ = p;
        digits();
      }
    }
    push(is_float ? Kind::kFloat : Kind::kInteger, std::move(text), begin);
  }

  void read_string(char quote) {
    const std::size_t begin = at_++;
    std::string text;
    for (;; ++at_) {
      if (at_ >= s_.size()) fail_at(place_of(begin), "a string without its closing quote");
      if (s_[at_] == quote) break;
      if (s_[at_] != '\\' || at_ + 1 >= s_.size()) {
        text += s_[at_];
        continue;
      }
      const char c = s_[++at_];
      constexpr std::string_view kFrom = "ntrbfav0\\'\"", kTo("\n\t\r\b\f\a\v\0\\'\"", 11);
      if (const std::size_t i = kFrom.find(c); i != std::string_view::npos) {
        text += kTo[i];
      } else if (c == '\n') {
        continue;
      } else if (c == 'x' || c == 'u' || c == 'U') {
        const std::size_t width = c == 'x' ? 2 : c == 'u' ? 4 : 8;
        char32_t code = 0;
        for (std::size_t i = 1; i <= width; ++i) {
          const std::size_t digit = at_ + i < s_.size() ? std::string_view("0123456789abcdefABCDEF").find(s_[at_ + i]) : std::string_view::npos;
          if (digit == std::string_view::npos) fail_at(place_of(begin), std::string("a string with a cut \\") + c + " escape");
          code = code << 4 | static_cast<char32_t>(digit < 16 ? digit : digit - 6);
        }
        append_utf8(text, code);
        at_ += width;
      } else {
        text += '\\';
        text += c;
      }
    }
    ++at_;
    push(Kind::kString, std::move(text), begin);
  }

  void read_operator(std::string& brackets) {
    static constexpr std::string_view kOperators[] = {"//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[",
                                                      "]",  "(",  ")",  "{",  "}",  ">",  "<", "=", ".", ":", "|", ","};
    for (const std::string_view op : kOperators) {
      if (s_.substr(at_, op.size()) != op) continue;
      const char c = op[0];
      if (c == '(' || c == '[' || c == '{') brackets += c == '(' ? ')' : c == '[' ? ']' : '}';
      if (c == ')' || c == ']' || c == '}') {
        if (brackets.empty() || brackets.back() != c) fail_at(place_of(at_), std::string("unexpected \"") + c + "\"");
        brackets.pop_back();
      }
      push(Kind::kOperator, std::string(op), at_);
      at_ += op.size();
      return;
    }
    fail_at(place_of(at_), "unexpected character \"" + std::string(s_.substr(at_, static_cast<std::size_t>(next_utf8(s_, at_).length))) + "\"");
  }

  std::string_view s_;
  std::size_t at_ = 0;
  bool at_line_start_ = true;
  std::size_t counted_ = 0;
  Place place_;
  Place tag_place_;
  std::vector<Token> tokens_;
};

}  // namespace

std::vector<Token> tokenize_template(std::string_view source) {
  constexpr std::size_t kMaxBytes = 1 << 20;
  require(source.size() <= kMaxBytes, "chat template: larger than 1 MiB", ErrorCode::kExhausted);
  std::string text;  // One kind of newline; the last one is not part of the template.
  for (std::size_t i = 0; i < source.size(); ++i) {
    if (source[i] == '\r') {
      text += '\n';
      if (i + 1 < source.size() && source[i + 1] == '\n') ++i;
    } else {
      text += source[i];
    }
  }
  if (!text.empty() && text.back() == '\n') text.pop_back();
  return Lexer(text).run();
}

}  // namespace onggi::text::jinja
