#include "onggi/decode/json_patterns.h"

#include <algorithm>
#include <cmath>
#include <string>

namespace onggi::decode {
namespace {

using Ranges = std::vector<std::pair<char32_t, char32_t>>;

/// Before the point: with exponents to 199 every number stays below 1e308, which readers take for infinity or an error.
constexpr int kMaxDigits = 100;

Pattern characters(Ranges ranges) { return {.kind = Pattern::Kind::kClass, .ranges = std::move(ranges)}; }

Pattern spelt(std::string_view text) {
  std::string all;
  for (const auto& c : json_characters(text, true)) all += c;
  return Pattern::literal(std::move(all));
}

Pattern digits(char low, char high) { return characters({{static_cast<char32_t>(low), static_cast<char32_t>(high)}}); }

/// Numerals between two of the same length, leading zeros and all.
Pattern numerals(const std::string& low, const std::string& high) {
  if (low.empty()) return {};
  const std::size_t rest = low.size() - 1;
  if (low == std::string(low.size(), '0') && high == std::string(high.size(), '9')) {
    return Pattern::repeat(digits('0', '9'), static_cast<int>(low.size()), static_cast<int>(low.size()));
  }
  const std::string zeros(rest, '0');
  const std::string nines(rest, '9');
  const std::string low_rest = low.substr(1);
  const std::string high_rest = high.substr(1);
  if (low[0] == high[0]) return Pattern::sequence({digits(low[0], low[0]), numerals(low_rest, high_rest)});
  std::vector<Pattern> parts;
  char first = low[0];
  char last = high[0];
  if (low_rest != zeros) {
    parts.push_back(Pattern::sequence({digits(first, first), numerals(low_rest, nines)}));
    ++first;
  }
  if (high_rest != nines) {
    parts.push_back(Pattern::sequence({digits(last, last), numerals(zeros, high_rest)}));
    --last;
  }
  if (first <= last) parts.push_back(Pattern::sequence({digits(first, last), numerals(zeros, nines)}));
  return Pattern::any_of(std::move(parts));
}

/// Numerals of low <= n <= high, low above 0, without leading zeros.
Pattern natural(std::uint64_t low, std::optional<std::uint64_t> high) {
  const std::string from = std::to_string(low);
  const std::string to = high ? std::to_string(*high) : std::string(from.size(), '9');
  std::vector<Pattern> parts;
  for (std::size_t n = from.size(); n <= to.size(); ++n) {
    parts.push_back(numerals(n == from.size() ? from : "1" + std::string(n - 1, '0'), n == to.size() ? to : std::string(n, '9')));
  }
  if (!high) {
    const int more = static_cast<int>(from.size());
    parts.push_back(Pattern::sequence({digits('1', '9'), Pattern::repeat(digits('0', '9'), more, kMaxDigits - 1)}));
  }
  return Pattern::any_of(std::move(parts));
}

std::uint64_t magnitude(std::int64_t value) {
  return value < 0 ? ~static_cast<std::uint64_t>(value) + 1 : static_cast<std::uint64_t>(value);
}

/// \uXXXX of the code points that one such escape can stand for, and pairs of them for the rest.
Pattern hex_escapes() {
  const Pattern hex = characters({{'0', '9'}, {'A', 'F'}, {'a', 'f'}});
  const Pattern d = characters({{'D', 'D'}, {'d', 'd'}});
  const Pattern u = Pattern::literal("\\u");
  const Pattern two = Pattern::repeat(hex, 2, 2);
  const Pattern low = characters({{'0', '7'}});
  const Pattern lead = characters({{'8', '9'}, {'A', 'B'}, {'a', 'b'}});
  const Pattern trail = characters({{'C', 'F'}, {'c', 'f'}});
  const Pattern not_d = characters({{'0', '9'}, {'A', 'C'}, {'E', 'F'}, {'a', 'c'}, {'e', 'f'}});
  return Pattern::any_of({Pattern::sequence({u, not_d, Pattern::repeat(hex, 3, 3)}), Pattern::sequence({u, d, low, two}),
                          Pattern::sequence({u, d, lead, two, u, d, trail, two})});
}

}  // namespace

Pattern nothing() { return Pattern::any_of({}); }

Pattern json_value(const Json& value, const JsonSpacing& spacing) {
  if (value.is_string()) return Pattern::sequence({Pattern::literal("\""), spelt(value.get_ref<const std::string&>()), Pattern::literal("\"")});
  if (value.is_number_float()) {
    // Whole numbers are one value, however the schema writes them: 1.0 is 1.
    const double d = value.get<double>();
    if (std::abs(d) < 0x1.0p53 && d == std::trunc(d)) return Pattern::literal(std::to_string(static_cast<std::int64_t>(d)));
  }
  if (!value.is_structured()) return Pattern::literal(dump_json(value));
  std::vector<Pattern> parts = {Pattern::literal(value.is_array() ? "[" : "{")};
  bool first = true;
  for (const auto& [key, member] : value.items()) {
    parts.push_back(first ? spacing.inside : spacing.comma);
    first = false;
    if (value.is_object()) {
      parts.push_back(json_value(Json(key), spacing));
      parts.push_back(spacing.colon);
    }
    parts.push_back(json_value(member, spacing));
  }
  parts.push_back(spacing.inside);
  parts.push_back(Pattern::literal(value.is_array() ? "]" : "}"));
  return Pattern::sequence(std::move(parts));
}

Pattern json_string(int low, int high) {
  const Pattern plain = characters({{0x20, '"' - 1}, {'"' + 1, '\\' - 1}, {'\\' + 1, 0x10FFFF}});
  const Pattern escaped = Pattern::sequence({Pattern::literal("\\"), characters({{'"', '"'}, {'/', '/'}, {'\\', '\\'}, {'b', 'b'}, {'f', 'f'}, {'n', 'n'}, {'r', 'r'}, {'t', 't'}})});
  const Pattern unit = Pattern::any_of({plain, escaped, hex_escapes()});
  return Pattern::sequence({Pattern::literal("\""), Pattern::repeat(unit, low, high), Pattern::literal("\"")});
}

namespace {

Pattern spell_content(Pattern p) {
  for (auto& part : p.parts) part = spell_content(std::move(part));
  if (p.kind == Pattern::Kind::kBytes) return spelt(p.bytes);
  if (p.kind == Pattern::Kind::kSlot) p.in_json = true;
  if (p.kind != Pattern::Kind::kClass) return p;
  // Characters that stand for themselves, and an escape for each of the others.
  Ranges plain;
  std::vector<Pattern> parts;
  for (const auto& [low, high] : p.ranges) {
    char32_t next = low;
    for (char32_t c = low; c <= high && c <= '\\'; ++c) {
      if (c >= 0x20 && c != '"' && c != '\\') continue;
      if (next < c) plain.emplace_back(next, c - 1);
      next = c + 1;
      parts.push_back(spelt(std::string(1, static_cast<char>(c))));
    }
    if (next <= high) plain.emplace_back(next, high);
  }
  parts.push_back(characters(std::move(plain)));
  return parts.size() == 1 ? std::move(parts[0]) : Pattern::any_of(std::move(parts));
}

}  // namespace

Pattern json_string_of(Pattern content) {
  return Pattern::sequence({Pattern::literal("\""), spell_content(std::move(content)), Pattern::literal("\"")});
}

Pattern json_integer(std::optional<std::int64_t> low, std::optional<std::int64_t> high) {
  std::vector<Pattern> parts;
  if (low && high && *low > *high) return nothing();
  if ((!low || *low <= 0) && (!high || *high >= 0)) parts.push_back(Pattern::literal("0"));
  if (!high || *high > 0) {
    const std::uint64_t from = low && *low > 0 ? magnitude(*low) : 1;
    parts.push_back(natural(from, high ? std::optional(magnitude(*high)) : std::nullopt));
  }
  if (!low || *low < 0) {
    const std::uint64_t from = high && *high < 0 ? magnitude(*high) : 1;
    parts.push_back(Pattern::sequence({Pattern::literal("-"), natural(from, low ? std::optional(magnitude(*low)) : std::nullopt)}));
  }
  return Pattern::any_of(std::move(parts));
}

Pattern json_number(bool negative) {
  return parse_regex(std::string(negative ? "-?" : "") + "(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][-+]?[0-9]{1,2})?");
}

std::optional<std::pair<int, int>> length_range(const Pattern& p) {
  constexpr int kMost = 1 << 20;
  const auto sum = [](int a, int b) { return a == Pattern::kUnbounded || b == Pattern::kUnbounded || a + b > kMost ? Pattern::kUnbounded : a + b; };
  if (p.kind == Pattern::Kind::kSlot || p.kind == Pattern::Kind::kMembers) return std::nullopt;
  if (p.kind == Pattern::Kind::kClass) return std::pair(1, 1);
  if (p.kind == Pattern::Kind::kBytes) {
    const int n = static_cast<int>(json_characters(p.bytes, false).size());
    return std::pair(n, n);
  }
  std::pair<int, int> total = {0, 0};
  for (std::size_t i = 0; i < p.parts.size(); ++i) {
    const auto part = length_range(p.parts[i]);
    if (!part) return std::nullopt;
    if (p.kind == Pattern::Kind::kAlternate) {
      total.first = i == 0 ? part->first : std::min(total.first, part->first);
      const bool unbounded = part->second == Pattern::kUnbounded || total.second == Pattern::kUnbounded;
      total.second = unbounded ? Pattern::kUnbounded : std::max(total.second, part->second);
    } else if (p.kind == Pattern::Kind::kConcat) {
      total = {std::min(kMost, total.first + part->first), sum(total.second, part->second)};
    } else {
      const bool unbounded = part->second != 0 && (p.high == Pattern::kUnbounded || part->second == Pattern::kUnbounded ||
                                                   static_cast<std::int64_t>(p.high) * part->second > kMost);
      total.first = static_cast<int>(std::min<std::int64_t>(kMost, static_cast<std::int64_t>(p.low) * part->first));
      total.second = unbounded ? Pattern::kUnbounded : p.high * part->second;
    }
  }
  return total;
}

}  // namespace onggi::decode
