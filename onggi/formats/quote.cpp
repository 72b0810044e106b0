#include "onggi/formats/quote.h"

#include <cstddef>
#include <cstdint>

namespace onggi::formats {
namespace {

constexpr std::size_t kMaxQuotedBytes = 80;

/// Bytes of the code point that `text` begins with; 0 if it is not UTF-8.
std::size_t code_point_bytes(std::string_view text) {
  const auto at = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::uint8_t lead = at(0);
  if (lead < 0x80) return 1;
  const std::size_t n = lead >= 0xC2 && lead <= 0xDF   ? 2
                        : lead >= 0xE0 && lead <= 0xEF ? 3
                        : lead >= 0xF0 && lead <= 0xF4 ? 4
                                                       : 0;
  if (n == 0 || text.size() < n) return 0;
  for (std::size_t i = 1; i < n; ++i) {
    if ((at(i) & 0xC0) != 0x80) return 0;
  }
  // Overlong forms, surrogates, past U+10FFFF.
  const bool is_wrong = (lead == 0xE0 && at(1) < 0xA0) || (lead == 0xED && at(1) > 0x9F) ||
                        (lead == 0xF0 && at(1) < 0x90) || (lead == 0xF4 && at(1) > 0x8F);
  return is_wrong ? 0 : n;
}

}  // namespace

std::string quote(std::string_view name) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text = "\"";
  while (!name.empty() && text.size() <= kMaxQuotedBytes) {
    const std::size_t n = code_point_bytes(name);
    const auto byte = static_cast<std::uint8_t>(name[0]);
    // U+0080 to U+009F, C2 80 to C2 9F, are control characters too.
    const bool is_control =
        byte < 0x20 || byte == 0x7F || (byte == 0xC2 && n == 2 && static_cast<std::uint8_t>(name[1]) < 0xA0);
    if (n == 0 || is_control) {
      text += {'\\', 'x', kDigits[byte >> 4], kDigits[byte & 15]};
      name.remove_prefix(1);
    } else {
      text += name.substr(0, n);
      name.remove_prefix(n);
    }
  }
  return text + (name.empty() ? "\"" : "...\"");
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t n = code_point_bytes(text);
    if (n == 0) return false;
    text.remove_prefix(n);
  }
  return true;
}

}  // namespace onggi::formats
