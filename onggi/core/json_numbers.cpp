#include "onggi/core/json_numbers.h"

#include <array>
#include <charconv>
#include <cmath>

namespace onggi {

std::string json_numbers(std::span<const float> values) {
  std::string text = "[";
  for (const float value : values) {
    if (text.size() > 1) text += ',';
    if (!std::isfinite(value)) {
      text += "null";
      continue;
    }
    std::array<char, 32> number;
    const auto end = std::to_chars(number.data(), number.data() + number.size(), value);
    text.append(number.data(), end.ptr);
  }
  return text + "]";
}

}  // namespace onggi
