#include "onggi/pictures/color.h"

#include <algorithm>
#include <cmath>

namespace onggi::pictures {

Color mix(Color a, Color b, float share) {
  const auto between = [share](float x, float y) {
    return static_cast<std::uint8_t>(std::lround(x + (y - x) * share));
  };
  return {between(a.r, b.r), between(a.g, b.g), between(a.b, b.b), a.a + (b.a - a.a) * share};
}

std::string hex_text(Color color) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text = "#";
  for (const std::uint8_t value : {color.r, color.g, color.b}) {
    text += kDigits[value >> 4];
    text += kDigits[value & 15];
  }
  return text;
}

const std::array<float, 256>& linear_light() {
  static const std::array<float, 256> table = [] {
    std::array<float, 256> values{};
    for (std::size_t i = 0; i < values.size(); ++i) {
      const double s = static_cast<double>(i) / 255.0;
      values[i] = static_cast<float>(s <= 0.04045 ? s / 12.92 : std::pow((s + 0.055) / 1.055, 2.4));
    }
    return values;
  }();
  return table;
}

float luminance(Color color) {
  const auto& light = linear_light();
  return 0.2126f * light[color.r] + 0.7152f * light[color.g] + 0.0722f * light[color.b];
}

float contrast_ratio(float luminance_a, float luminance_b) {
  const auto [low, high] = std::minmax(luminance_a, luminance_b);
  return (high + 0.05f) / (low + 0.05f);
}

float contrast_ratio(Color a, Color b) { return contrast_ratio(luminance(a), luminance(b)); }

}  // namespace onggi::pictures
