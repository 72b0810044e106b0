#pragma once

#include <array>
#include <cstdint>
#include <string>

namespace onggi::pictures {

/// sRGB as it is written in files, 0 to 255, with opacity 0 to 1.
struct Color {
  std::uint8_t r = 0, g = 0, b = 0;
  float a = 1.0f;
  bool operator==(const Color&) const = default;
};

/// 0xRRGGBB.
constexpr Color rgb(std::uint32_t hex, float opacity = 1.0f) {
  return {static_cast<std::uint8_t>(hex >> 16 & 255), static_cast<std::uint8_t>(hex >> 8 & 255),
          static_cast<std::uint8_t>(hex & 255), opacity};
}

inline Color with_opacity(Color color, float opacity) {
  color.a = opacity;
  return color;
}

/// From `a` (share 0) to `b` (share 1), in sRGB; the opacity too.
Color mix(Color a, Color b, float share);

/// "#rrggbb"; opacity is not in it.
std::string hex_text(Color color);

/// Linear light of each sRGB value (WCAG 2.2, "relative luminance").
const std::array<float, 256>& linear_light();

/// Relative luminance of WCAG 2.2, 0 to 1; opacity is not looked at.
float luminance(Color color);

/// Contrast ratio of WCAG 2.2 from two luminances: 1 to 21.
float contrast_ratio(float luminance_a, float luminance_b);
float contrast_ratio(Color a, Color b);

}  // namespace onggi::pictures
