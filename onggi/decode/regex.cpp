#include "onggi/decode/regex.h"

#include <algorithm>
#include <cctype>
#include <map>

#include "onggi/core/error.h"

namespace onggi::decode {
namespace {

constexpr int kMaxRepeat = 4096;
constexpr int kMaxDepth = 200;
constexpr int kMaxSuffixes = 4;  ///< Of one atom: a** nests as deep as a group would.

using Ranges = std::vector<std::pair<char32_t, char32_t>>;

const Ranges kDigits = {{'0', '9'}};
const Ranges kWord = {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}};
const Ranges kSpace = {{'\t', '\r'}, {' ', ' '}, {0xA0, 0xA0}, {0x1680, 0x1680},
                       {0x2000, 0x200A}, {0x2028, 0x2029}, {0x202F, 0x202F}, {0x205F, 0x205F}, {0x3000, 0x3000},
                       {0xFEFF, 0xFEFF}};
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

/// Length of the UTF-8 character at `at`, 0 if it is none; the code point goes to `out`.
std::size_t read_utf8(std::string_view s, std::size_t at, char32_t& out) {
  const auto byte = [&](std::size_t i) { return at + i < s.size() ? static_cast<std::uint8_t>(s[at + i]) : std::uint8_t{0}; };
  const std::uint8_t first = byte(0);
  std::size_t length = first < 0x80 ? 1 : first >= 0xC2 && first < 0xE0 ? 2 : first >= 0xE0 && first < 0xF0 ? 3 : first >= 0xF0 && first < 0xF5 ? 4 : 0;
  if (length == 0) return 0;
  char32_t c = length == 1 ? first : first & (0xFF >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
    c = c << 6 | (byte(i) & 63);
  }
  if ((length == 3 && (c < 0x800 || (c >= 0xD800 && c < 0xE000))) || (length == 4 && (c < 0x10000 || c > 0x10FFFF))) return 0;
  out = c;
  return length;
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
    throw Error(ErrorCode::kInvalidArgument, "regular expression: " + message + " at byte " + std::to_string(at_) + " of \"" +
                                                 std::string(source_) + "\"", options_.where);
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
      } else if (peek() == '{' && at_ + 1 < source_.size() && std::isdigit(static_cast<unsigned char>(source_[at_ + 1])) != 0) {
        bounds(low, high);
      } else {
        break;
      }
      if (more() && (peek() == '?' || peek() == '+')) fail("lazy and possessive repeats are not supported");
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
        if (peek() == '?' && !accept("?:")) fail("look-around and named groups are not supported");
        Pattern p = alternation(depth + 1);
        if (!accept(")")) fail("\"(\" without \")\"");
        return p;
      }
      case '[': return bracket();
      case '{': return slot();
      case '.': ++at_; return {.kind = Pattern::Kind::kClass, .ranges = complement({{'\n', '\n'}, {'\r', '\r'}, {0x2028, 0x2029}})};
      case '*': case '+': case '?': fail("nothing to repeat");
      case '^': case '$': fail("anchors are not supported: a guide always matches the whole text");
      case '\\': {
        Ranges ranges;
        if (escape(ranges)) return {.kind = Pattern::Kind::kClass, .ranges = std::move(ranges)};
        return {.kind = Pattern::Kind::kClass, .ranges = std::move(ranges)};
      }
      default: {
        const char32_t c = character();
        return {.kind = Pattern::Kind::kClass, .ranges = {{c, c}}};
      }
    }
  }

  char32_t character() {
    char32_t c = 0;
    const std::size_t length = read_utf8(source_, at_, c);
    if (length == 0) fail("not valid UTF-8");
    at_ += length;
    return c;
  }

  /// {name:kind}
  Pattern slot() {
    if (!options_.has_slots) fail("nothing to repeat (a literal \"{\" is written \"\\{\")");
    const auto close = source_.find('}', at_);
    const std::string inside(source_.substr(at_ + 1, close == std::string_view::npos ? close : close - at_ - 1));
    const auto colon = inside.find(':');
    if (close == std::string_view::npos || colon == std::string::npos || colon == 0) fail("expected {slot:kind} or a repeat");
    Pattern p{.kind = Pattern::Kind::kSlot, .slot = inside.substr(0, colon), .piece = inside.substr(colon + 1)};
    static constexpr std::string_view kKinds[] = {"text", "piece", "words", "tail", "foreign"};
    if (std::find(std::begin(kKinds), std::end(kKinds), p.piece) == std::end(kKinds)) {
      fail("slot kind \"" + p.piece + "\", expected text, piece, words, tail or foreign");
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
        if (std::isxdigit(static_cast<unsigned char>(c)) == 0) fail("expected " + std::to_string(digits) + " hex digits");
        value = value * 16 + static_cast<char32_t>(std::isdigit(static_cast<unsigned char>(c)) != 0 ? c - '0' : (c | 32) - 'a' + 10);
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
      case 'd': out.insert(out.end(), kDigits.begin(), kDigits.end()); return true;
      case 'w': out.insert(out.end(), kWord.begin(), kWord.end()); return true;
      case 's': out.insert(out.end(), kSpace.begin(), kSpace.end()); return true;
      case 'D': case 'W': case 'S': {
        const Ranges rest = complement(c == 'D' ? kDigits : c == 'W' ? kWord : kSpace);
        out.insert(out.end(), rest.begin(), rest.end());
        return true;
      }
      case 'p': {
        const bool jamo = accept("{HangulJamo}");
        if (!jamo && !accept("{Hangul}")) fail("\\p{...}: only Hangul and HangulJamo are supported");
        const Ranges& set = jamo ? kHangulJamo : kHangul;
        out.insert(out.end(), set.begin(), set.end());
        return true;
      }
      default:
        if (std::isalnum(static_cast<unsigned char>(c)) != 0) {
          fail(std::string("\\") + c + (std::isdigit(static_cast<unsigned char>(c)) != 0 ? ": back-references are not supported" : " is not supported"));
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

bool is_foreign(const std::string& c) { return c.size() == 1 && std::isalnum(static_cast<unsigned char>(c[0])) != 0; }

bool joins_foreign(const std::string& c) { return c.size() == 1 && std::string_view(".,%+-/").find(c[0]) != std::string_view::npos; }

/// Builds an Nfa from a pattern.
class Builder {
 public:
  Builder(SlotUse use, const Slots& slots, bool collapse) : use_(use), slots_(slots), collapse_(collapse) {}

  std::shared_ptr<const Nfa> build(const Pattern& p) {
    const int end = nfa_.add_state();
    add(p, 0, end);
    nfa_.set_accepting(end);
    return std::make_shared<const Nfa>(std::move(nfa_));
  }

 private:
  void add(const Pattern& p, int from, int to) {
    switch (p.kind) {
      case Pattern::Kind::kBytes: nfa_.add_bytes(from, p.bytes, to); return;
      case Pattern::Kind::kClass:
        for (const auto& [low, high] : p.ranges) nfa_.add_code_points(from, low, high, to);
        return;
      case Pattern::Kind::kAlternate:
        for (const auto& part : p.parts) add(part, from, to);
        return;
      case Pattern::Kind::kConcat: {
        for (std::size_t i = 0; i < p.parts.size(); ++i) {
          const int target = i + 1 == p.parts.size() ? to : nfa_.add_state();
          add(p.parts[i], from, target);
          from = target;
        }
        if (p.parts.empty()) nfa_.add_empty(from, to);
        return;
      }
      case Pattern::Kind::kRepeat: repeat(p, from, to); return;
      case Pattern::Kind::kSpaced: spaced(p, from, to); return;
      case Pattern::Kind::kMembers: members(p, from, to); return;
      case Pattern::Kind::kSlot:
        if (use_ == SlotUse::kFilled) {
          slot(p, from, to);
        } else {
          nfa_.add_empty(from, to);
        }
        return;
    }
  }

  void repeat(const Pattern& p, int from, int to) {
    const int low = collapse_ ? std::min(p.low, 1) : p.low;
    const int high = collapse_ && p.high > 1 ? Pattern::kUnbounded : p.high;
    for (int i = 0; i < low; ++i) {
      const int target = nfa_.add_state();
      add(p.parts[0], from, target);
      from = target;
    }
    if (high == Pattern::kUnbounded) {
      const int loop = nfa_.add_state();
      nfa_.add_empty(from, loop);
      add(p.parts[0], loop, loop);
      nfa_.add_empty(loop, to);
      return;
    }
    nfa_.add_empty(from, to);
    for (int i = low; i < high; ++i) {
      const int target = nfa_.add_state();
      add(p.parts[0], from, target);
      nfa_.add_empty(target, to);
      from = target;
    }
  }

  /// A line of states that count; a space skips one of them.
  void spaced(const Pattern& p, int from, int to) {
    if (collapse_) {
      const int loop = nfa_.add_state();
      const int end = nfa_.add_state();
      nfa_.add_empty(from, loop);
      add(p.parts[0], loop, end);
      nfa_.add_empty(end, loop);
      nfa_.add_edge(end, ' ', ' ', loop);
      nfa_.add_empty(end, to);
      return;
    }
    std::vector<int> begins;
    for (int i = 0; i < p.high; ++i) begins.push_back(nfa_.add_state());
    nfa_.add_empty(from, begins[0]);
    for (int i = 1; i <= p.high; ++i) {
      const auto at = static_cast<std::size_t>(i);
      const int end = nfa_.add_state();
      add(p.parts[0], begins[at - 1], end);
      if (i >= p.low) nfa_.add_empty(end, to);
      if (i < p.high) nfa_.add_empty(end, begins[at]);
      if (i + 1 < p.high) nfa_.add_edge(end, ' ', ' ', begins[at + 1]);
    }
  }

  /// Two lines of states, without and with a member before, that share each member: linear in their number.
  void members(const Pattern& p, int none, int to) {
    int some = -1;
    for (std::size_t i = 1; i < p.parts.size(); ++i) {
      const Pattern& part = p.parts[i];
      const bool may_miss = part.kind == Pattern::Kind::kRepeat && part.low == 0 && part.high == 1;
      const int begin = nfa_.add_state();
      const int end = nfa_.add_state();
      if (none >= 0) nfa_.add_empty(none, begin);
      if (some >= 0) add(p.parts[0], some, begin);
      add(may_miss ? part.parts[0] : part, begin, end);
      if (may_miss && some >= 0) nfa_.add_empty(some, end);
      if (!may_miss) none = -1;
      some = end;
    }
    if (none >= 0 && p.low == 0) nfa_.add_empty(none, to);
    if (some >= 0) nfa_.add_empty(some, to);
  }

  const std::string& slot_text(const Pattern& p) const {
    for (const auto& [name, text] : slots_) {
      if (name == p.slot) return text;
    }
    std::string names;
    for (const auto& [name, text] : slots_) names += (names.empty() ? "" : ", ") + name;
    throw Error(ErrorCode::kInvalidArgument, "the guide quotes slot \"" + p.slot + "\", which the row does not have (it has: " + names + ")");
  }

  void slot(const Pattern& p, int from, int to) {
    if (p.piece == "foreign") {
      for (const auto& run : foreign_runs(p)) nfa_.add_bytes(from, run, to);
      return;
    }
    const auto characters = json_characters(slot_text(p), p.in_json);
    if (p.piece == "text") {
      std::string all;
      for (const auto& c : characters) all += c;
      nfa_.add_bytes(from, all, to);
    } else {
      pieces(characters, p.piece, from, to);
    }
  }

  /// Runs of ASCII letters and digits, with . , % + - / inside and % + at the end. A guide asks for them once a unit of
  /// every card, so they are kept.
  const std::vector<std::string>& foreign_runs(const Pattern& p) {
    const auto [it, is_new] = foreign_runs_.try_emplace(p.slot);
    auto& runs = it->second;
    if (!is_new) return runs;
    const auto characters = json_characters(slot_text(p), p.in_json);
    for (std::size_t i = 0; i < characters.size();) {
      if (!is_foreign(characters[i])) {
        ++i;
        continue;
      }
      std::string run;
      std::string kept;
      for (; i < characters.size() && (is_foreign(characters[i]) || joins_foreign(characters[i])); ++i) {
        run += characters[i];
        if (is_foreign(characters[i]) || characters[i] == "%" || characters[i] == "+") kept = run;
      }
      if (std::find(runs.begin(), runs.end(), kept) == runs.end()) runs.push_back(kept);
    }
    return runs;
  }

  /// One stretch of the text. piece: any, without a space at either end; words: whole words; tail: whole words, of which
  /// the first may be cut at its front.
  void pieces(const std::vector<std::string>& characters, const std::string& kind, int from, int to) {
    const std::size_t n = characters.size();
    const auto is_space = [&](std::size_t i) { return characters[i] == " "; };
    // after[i]: i characters were read, at least one of them in this piece.
    std::vector<int> after(n + 1, -1);
    for (std::size_t i = 0; i < n; ++i) {
      after[i + 1] = nfa_.add_state();
      const bool begins_word = i == 0 || is_space(i - 1);
      if (!is_space(i) && (kind != "words" || begins_word)) nfa_.add_bytes(from, characters[i], after[i + 1]);
      if (i > 0) nfa_.add_bytes(after[i], characters[i], after[i + 1]);
      const bool ends_word = i + 1 == n || is_space(i + 1);
      if (!is_space(i) && (kind == "piece" || ends_word)) nfa_.add_empty(after[i + 1], to);
    }
  }

  SlotUse use_;
  const Slots& slots_;
  bool collapse_;
  std::map<std::string, std::vector<std::string>> foreign_runs_;  ///< By slot.
  Nfa nfa_;
};

}  // namespace

Pattern parse_regex(std::string_view source, const RegexOptions& options) { return Parser(source, options).parse(); }

std::shared_ptr<const Nfa> build_nfa(const Pattern& pattern, SlotUse use, const Slots& slots, bool collapse) {
  return Builder(use, slots, collapse).build(pattern);
}

std::vector<std::string> json_characters(std::string_view text, bool escape) {
  std::vector<std::string> out;
  for (std::size_t at = 0; at < text.size();) {
    char32_t c = 0;
    const std::size_t length = read_utf8(text, at, c);
    require(length > 0, "the row's text is not valid UTF-8");
    std::string s(text.substr(at, length));
    if (escape && (c == '"' || c == '\\')) s.insert(0, 1, '\\');
    if (escape && c < 0x20) {
      static constexpr char kHex[] = "0123456789abcdef";
      static constexpr std::string_view kShort = "btn\vfr";
      s = c >= 8 && c <= 13 && c != 11 ? std::string{'\\', kShort[c - 8]} : std::string("\\u00") + kHex[c >> 4] + kHex[c & 15];
    }
    out.push_back(std::move(s));
    at += length;
  }
  return out;
}

}  // namespace onggi::decode
