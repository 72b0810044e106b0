#include "onggi/text/charsmap.h"

#include <cstring>
#include <vector>

#include "onggi/core/error.h"
#include "onggi/text/unicode.h"
#include "onggi/text/utf8.h"

namespace onggi::text {
namespace {

/// The reference asks for a whole grapheme only below this size.
constexpr std::size_t kMaxGraphemeBytes = 6;

}  // namespace

Charsmap::Charsmap(std::string_view bytes, const std::string& where) {
  if (bytes.empty()) return;
  std::uint32_t array_bytes = 0;
  if (bytes.size() >= sizeof array_bytes) std::memcpy(&array_bytes, bytes.data(), sizeof array_bytes);
  require(
      bytes.size() >= sizeof array_bytes && array_bytes <= bytes.size() - sizeof array_bytes &&
          array_bytes % sizeof(std::uint32_t) == 0,
      [&] {
        return "the map of characters has " + std::to_string(bytes.size()) + " bytes and says that its array has " +
               std::to_string(array_bytes);
      },
      ErrorCode::kCorrupt, where);
  std::vector<std::uint32_t> units(array_bytes / sizeof(std::uint32_t));
  std::memcpy(units.data(), bytes.data() + sizeof array_bytes, array_bytes);
  keys_ = DoubleArray(std::move(units));
  replacements_ = bytes.substr(sizeof array_bytes + array_bytes);
}

std::string Charsmap::pack(const std::map<std::string, std::string>& replacements) {
  std::vector<std::pair<std::string, std::uint32_t>> keys;
  std::map<std::string, std::uint32_t> places;
  std::string texts;
  for (const auto& [from, to] : replacements) {
    const auto [it, is_new] = places.try_emplace(to, static_cast<std::uint32_t>(texts.size()));
    if (is_new) texts.append(to).push_back('\0');
    keys.emplace_back(from, it->second);
  }
  const DoubleArray array = DoubleArray::build(keys);
  const auto& units = array.units();
  const auto array_bytes = static_cast<std::uint32_t>(units.size() * sizeof(std::uint32_t));
  std::string out(sizeof array_bytes + array_bytes, '\0');
  std::memcpy(out.data(), &array_bytes, sizeof array_bytes);
  if (array_bytes > 0) std::memcpy(out.data() + sizeof array_bytes, units.data(), array_bytes);
  return out + texts;
}

std::string_view Charsmap::replacement(std::uint32_t place) const {
  if (place >= replacements_.size()) return {};
  const std::string_view rest = std::string_view(replacements_).substr(place);
  return rest.substr(0, rest.find('\0'));
}

std::string Charsmap::apply(std::string_view text, bool by_grapheme) const {
  std::string repaired;
  if (!is_valid_utf8(text)) text = repaired = repair_utf8(text);
  if (keys_.empty()) return std::string(text);
  return by_grapheme ? apply_by_grapheme(text) : apply_longest(text);
}

std::string Charsmap::apply_longest(std::string_view text) const {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    std::size_t longest = 0;
    std::uint32_t place = 0;
    keys_.for_each_prefix(text.substr(at), [&](std::size_t length, std::uint32_t value) {
      longest = length;
      place = value;
      return true;
    });
    if (longest > 0) {
      out += replacement(place);
    } else {
      longest = static_cast<std::size_t>(next_utf8(text, at).length);
      out += text.substr(at, longest);
    }
    at += longest;
  }
  return out;
}

bool Charsmap::append_replacement(std::string_view part, std::string& out) const {
  bool is_mapped = false;
  keys_.for_each_prefix(part, [&](std::size_t, std::uint32_t place) {
    out += replacement(place);
    is_mapped = true;
    return false;
  });
  return is_mapped;
}

std::string Charsmap::apply_by_grapheme(std::string_view text) const {
  std::string out;
  out.reserve(text.size());
  for_each_grapheme(text, [&](std::size_t begin, std::size_t end) {
    if (end - begin < kMaxGraphemeBytes && append_replacement(text.substr(begin, end - begin), out)) return;
    for (std::size_t at = begin; at < end;) {
      const std::string_view part = text.substr(at, static_cast<std::size_t>(next_utf8(text, at).length));
      if (!append_replacement(part, out)) out += part;
      at += part.size();
    }
  });
  return out;
}

}  // namespace onggi::text
