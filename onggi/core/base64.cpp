#include "onggi/core/base64.h"

#include <algorithm>
#include <cstdint>
#include <string_view>

namespace onggi {

std::string base64(std::span<const std::byte> bytes) {
  static constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t bits = 0;
    for (std::size_t b = 0; b < 3; ++b)
      bits = bits << 8 | (b < count ? std::to_integer<std::uint32_t>(bytes[i + b]) : 0);
    for (std::size_t digit = 0; digit < 4; ++digit)
      text += digit <= count ? kDigits[bits >> (18 - 6 * digit) & 63U] : '=';
  }
  return text;
}

}  // namespace onggi
