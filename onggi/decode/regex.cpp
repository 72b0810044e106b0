#include "onggi/decode/regex.h"

#include <algorithm>
#include <cctype>

#include "onggi/core/error.h"
#include "onggi/text/unicode.h"
#include "onggi/text/utf8.h"

namespace onggi::decode {
namespace {

constexpr int kMaxRepeat = 4096;
constexpr int kMaxDepth = 200;
constexpr int kMaxSuffixes = 4;  ///< Of one atom: a** nests as deep as a group would.

using Ranges = std::vector<std::pair<char32_t, char32_t>>;

const Ranges kDigits = {{'0', '9'}};
const Ranges kWord = {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}};
const Ranges kSpace = {{'\t', '\r'},     {' ', ' '},       {0xA0, 0xA0},     {0x1680, 0x1680}, {0x2000, 0x200A},
                       {0x2028, 0x2029}, {0x202F, 0x202F}, {0x205F, 0x205F}, {0x3000, 0x3000}, {0xFEFF, 0xFEFF}};
const Ranges kHangul = {{0xAC00, 0xD7A3}};
const Ranges kHangulJamo = {{0x1100, 0x11FF}, {0x3131, 0x318E}};

Ranges complement(Ranges ranges) {
  std::sort(ranges.begin(), ranges.end());
  Ranges out;
  char32_t next = 0;
  for (const auto& [low, high] : ranges) {
    if (low > next) out.emplace_back(next, low - 1);
    next = std::max(next, static_cast<char32_t>(high + 1));
  }
  if (next <= 0x10FFFF) out.emplace_back(next, 0x10FFFF);
  return out;
}

/// All characters of a class of Unicode's.
Ranges of_class(text::CharClass wanted) {
  Ranges out;
  for (char32_t code = 0; code <= 0x10FFFF; ++code) {
    if ((text::char_class(code) & wanted) == 0) continue;
    if (!out.empty() && out.back().second + 1 == code) {
      out.back().second = code;
    } else {
      out.emplace_back(code, code);
    }
  }
  return out;
}

/// Characters of \p and what follows it; null if that is not known.
const Ranges* property(std::string_view name) {
  if (name == "{Hangul}") return &kHangul;
  if (name == "{HangulJamo}") return &kHangulJamo;
  static const Ranges letters = of_class(text::kLetter);
  static const Ranges numbers = of_class(text::kNumber);
  if (name == "{L}" || name == "{Letter}") return &letters;
  if (name == "{N}" || name == "{Number}") return &numbers;
  return nullptr;
}

class Parser {
 public:
  Parser(std::string_view source, const RegexOptions& options) : source_(source), options_(options) {}

  Pattern parse() {
    Pattern p = alternation(0);
    if (at_ < source_.size()) fail("\")\" without \"(\"");
    return p;
  }

 private:
  [[noreturn]] void fail(const std::string& message) const {
    throw Error(
        ErrorCode::kInvalidArgument,
        "regular expression: " + message + " at byte " + std::to_string(at_) + " of \"" + std::string(source_) + "\"",
        options_.where);
  }
  bool more() const { return at_ < source_.size(); }
  char peek() const { return more() ? source_[at_] : '\0'; }
  bool accept(std::string_view text) {
    if (source_.substr(at_, text.size()) != text) return false;
    at_ += text.size();
    return true;
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
    while (more() && peek() != '|' && peek() != ')') parts.push_back(repeated(depth));
    return parts.size() == 1 ? std::move(parts[0]) : Pattern::sequence(std::move(parts));
  }

  Pattern repeated(int depth) {
    Pattern p = atom(depth);
    for (int suffixes = 0; more(); ++suffixes) {
      int low = 0;
      int high = Pattern::kUnbounded;
      if (accept("*")) {
      } else if (accept("+")) {
        low = 1;
      } else if (accept("?")) {
        high = 1;
      } else if (peek() == '{' && at_ + 1 < source_.size() &&
                 std::isdigit(static_cast<unsigned char>(source_[at_ + 1])) != 0) {
        bounds(low, high);
      } else {
        break;
      }
      if (options_.has_anchors && accept("?")) {  // Which texts match whole does not depend on it.
      } else if (more() && (peek() == '?' || peek() == '+')) {
        fail("lazy and possessive repeats are not supported");
      }
      if (suffixes == kMaxSuffixes) fail("a repeat of a repeat of a repeat");
      p = Pattern::repeat(std::move(p), low, high);
    }
    return p;
  }

  int number() {
    if (std::isdigit(static_cast<unsigned char>(peek())) == 0) fail("expected a number");
    int value = 0;
    while (std::isdigit(static_cast<unsigned char>(peek())) != 0) {
      value = value * 10 + (source_[at_++] - '0');
      if (value > kMaxRepeat) fail("a repeat above " + std::to_string(kMaxRepeat));
    }
    return value;
  }

  void bounds(int& low, int& high) {
    ++at_;
    low = number();
    high = low;
    if (accept(",")) high = peek() == '}' ? Pattern::kUnbounded : number();
    if (!accept("}")) fail("expected \"}\"");
    if (high != Pattern::kUnbounded && high < low) fail("a repeat whose bounds are the wrong way round");
  }

  Pattern atom(int depth) {
    switch (peek()) {
      case '(': {
        ++at_;
        if (options_.has_anchors && source_.substr(at_, 2) == "?<" && at_ + 2 < source_.size() &&
            source_[at_ + 2] != '=' && source_[at_ + 2] != '!') {
          at_ = std::min(source_.find('>', at_), source_.size() - 1) + 1;
        } else if (peek() == '?' && !accept("?:")) {
          fail("look-around and named groups are not supported");
        }
        Pattern p = alternation(depth + 1);
        if (!accept(")")) fail("\"(\" without \")\"");
        return p;
      }
      case '[': return bracket();
      case '{':
        if (options_.has_anchors) {
          ++at_;
          return Pattern::literal("{");
        }
        return slot();
      case '.':
        ++at_;
        return {.kind = Pattern::Kind::kClass, .ranges = complement({{'\n', '\n'}, {'\r', '\r'}, {0x2028, 0x2029}})};
      case '*':
      case '+':
      case '?': fail("nothing to repeat");
      case '^':
      case '$':
        if (options_.has_anchors) return Pattern::literal(source_[at_++] == '^' ? "\xFF" : "\xFE");
        fail("anchors are not supported: a guide always matches the whole text");
      case '\\': {
        Ranges ranges;
        escape(ranges);
        return {.kind = Pattern::Kind::kClass, .ranges = std::move(ranges)};
      }
      default: {
        const char32_t c = character();
        return {.kind = Pattern::Kind::kClass, .ranges = {{c, c}}};
      }
    }
  }

  char32_t character() {
    if (!more()) fail("not valid UTF-8");
    const text::Utf8Char c = text::next_utf8(source_, at_);
    if (!c.valid) fail("not valid UTF-8");
    at_ += static_cast<std::size_t>(c.length);
    return c.code;
  }

  /// {name:kind}
  Pattern slot() {
    if (!options_.has_slots) fail("nothing to repeat (a literal \"{\" is written \"\\{\")");
    const auto close = source_.find('}', at_);
    const std::string inside(source_.substr(at_ + 1, close == std::string_view::npos ? close : close - at_ - 1));
    const auto colon = inside.find(':');
    if (close == std::string_view::npos || colon == std::string::npos || colon == 0)
      fail("expected {slot:kind} or a repeat");
    Pattern p{.kind = Pattern::Kind::kSlot, .slot = inside.substr(0, colon), .piece = inside.substr(colon + 1)};
    static constexpr std::string_view kKinds[] = {"text", "piece", "words", "tail", "noun", "foreign"};
    if (std::find(std::begin(kKinds), std::end(kKinds), p.piece) == std::end(kKinds)) {
      fail("slot kind \"" + p.piece + "\", expected text, piece, words, tail, noun or foreign");
    }
    at_ = close + 1;
    return p;
  }

  /// After a backslash: one character (false) or a class (true).
  bool escape(Ranges& out) {
    ++at_;
    const auto one = [&](char32_t c) {
      out.emplace_back(c, c);
      return false;
    };
    const auto hex = [&](int digits) {
      char32_t value = 0;
      for (int i = 0; i < digits; ++i) {
        const char c = peek();
        if (std::isxdigit(static_cast<unsigned char>(c)) == 0)
          fail("expected " + std::to_string(digits) + " hex digits");
        value = value * 16 +
                static_cast<char32_t>(std::isdigit(static_cast<unsigned char>(c)) != 0 ? c - '0' : (c | 32) - 'a' + 10);
        ++at_;
      }
      if (value >= 0xD800 && value < 0xE000) fail("a surrogate is no character");
      return value;
    };
    if (!more()) fail("a backslash at the end");
    const char c = source_[at_++];
    switch (c) {
      case 'n': return one('\n');
      case 't': return one('\t');
      case 'r': return one('\r');
      case 'f': return one('\f');
      case 'v': return one('\v');
      case '0': return one(0);
      case 'x': return one(hex(2));
      case 'u': return one(hex(4));
      case 'c': {
        if (std::isalpha(static_cast<unsigned char>(peek())) == 0) fail("expected a letter after \\c");
        return one(static_cast<char32_t>(source_[at_++] & 31));
      }
      case 'd': out.insert(out.end(), kDigits.begin(), kDigits.end()); return true;
      case 'w': out.insert(out.end(), kWord.begin(), kWord.end()); return true;
      case 's': out.insert(out.end(), kSpace.begin(), kSpace.end()); return true;
      case 'D':
      case 'W':
      case 'S': {
        const Ranges rest = complement(c == 'D' ? kDigits : c == 'W' ? kWord : kSpace);
        out.insert(out.end(), rest.begin(), rest.end());
        return true;
      }
      case 'p': {
        const std::size_t end = source_.find('}', at_);
        const Ranges* set = end == std::string_view::npos ? nullptr : property(source_.substr(at_, end + 1 - at_));
        if (set == nullptr) fail("\\p{...}: only L, Letter, N, Number, Hangul and HangulJamo are supported");
        out.insert(out.end(), set->begin(), set->end());
        at_ = end + 1;
        return true;
      }
      default:
        if (std::isalnum(static_cast<unsigned char>(c)) != 0) {
          fail(std::string("\\") + c +
               (std::isdigit(static_cast<unsigned char>(c)) != 0 ? ": back-references are not supported"
                                                                 : " is not supported"));
        }
        return one(static_cast<unsigned char>(c));
    }
  }

  Pattern bracket() {
    ++at_;
    const bool negated = accept("^");
    Ranges ranges;
    if (peek() == ']') fail("an empty class (a literal \"]\" is written \"\\]\")");
    while (peek() != ']') {
      if (!more()) fail("\"[\" without \"]\"");
      Ranges item;
      bool is_class = false;
      if (peek() == '\\') {
        is_class = escape(item);
      } else {
        const char32_t c = character();
        item.emplace_back(c, c);
      }
      if (!is_class && peek() == '-' && at_ + 1 < source_.size() && source_[at_ + 1] != ']') {
        ++at_;
        Ranges end;
        if (peek() == '\\') {
          if (escape(end)) fail("a class as the end of a range");
        } else {
          const char32_t c = character();
          end.emplace_back(c, c);
        }
        if (end[0].first < item[0].first) fail("a range whose ends are the wrong way round");
        item[0].second = end[0].first;
      }
      ranges.insert(ranges.end(), item.begin(), item.end());
    }
    ++at_;
    return {.kind = Pattern::Kind::kClass, .ranges = negated ? complement(std::move(ranges)) : std::move(ranges)};
  }

  std::string_view source_;
  const RegexOptions& options_;
  std::size_t at_ = 0;
};

}  // namespace

Pattern parse_regex(std::string_view source, const RegexOptions& options) { return Parser(source, options).parse(); }

}  // namespace onggi::decode
