#include "onggi/pictures/fingerprint.h"

#include <bit>
#include <cmath>
#include <cstdlib>

#include "onggi/core/error.h"

namespace onggi::pictures {
namespace {

constexpr std::size_t kCells = 9;
constexpr char kDigits[] = "0123456789abcdef";

/// Mean channels of each cell of a grid over the image.
template <std::size_t kColumns, std::size_t kRows>
std::array<std::array<double, 3>, kColumns * kRows> means_of(const Image& image) {
  std::array<std::array<double, 3>, kColumns * kRows> sums{};
  std::array<std::int64_t, kColumns * kRows> counts{};
  for (int y = 0; y < image.height; ++y) {
    const std::size_t row = static_cast<std::size_t>(y) * kRows / static_cast<std::size_t>(image.height);
    for (int x = 0; x < image.width; ++x) {
      const std::size_t cell =
          row * kColumns + static_cast<std::size_t>(x) * kColumns / static_cast<std::size_t>(image.width);
      const std::uint32_t pixel = image.at(x, y);
      for (std::size_t k = 0; k < 3; ++k) sums[cell][k] += static_cast<double>(pixel >> (16 - 8 * k) & 255);
      ++counts[cell];
    }
  }
  for (std::size_t i = 0; i < sums.size(); ++i) {
    for (double& value : sums[i]) value /= static_cast<double>(std::max<std::int64_t>(1, counts[i]));
  }
  return sums;
}

int digit_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

}  // namespace

std::string Fingerprint::text() const {
  std::string out;
  for (const std::uint64_t part : slopes) {
    for (int shift = 60; shift >= 0; shift -= 4) out += kDigits[part >> shift & 15];
  }
  for (const std::uint8_t value : colors) {
    out += kDigits[value >> 4];
    out += kDigits[value & 15];
  }
  return out;
}

Fingerprint Fingerprint::parse(std::string_view text, std::string_view where) {
  Fingerprint result;
  bool is_good = text.size() == 32 + 2 * result.colors.size();
  for (std::size_t i = 0; is_good && i < text.size(); ++i) {
    const int value = digit_value(text[i]);
    is_good = value >= 0;
    if (i < 32) {
      result.slopes[i / 16] = result.slopes[i / 16] << 4 | static_cast<std::uint64_t>(value & 15);
    } else {
      auto& color = result.colors[(i - 32) / 2];
      color = static_cast<std::uint8_t>(color << 4 | (value & 15));
    }
  }
  require(is_good, "a fingerprint must be 128 hexadecimal digits", ErrorCode::kCorrupt, where);
  return result;
}

Fingerprint fingerprint_of(const Image& image) {
  Fingerprint result;
  const auto cells = means_of<kCells, kCells>(image);
  const auto gray = [&](std::size_t x, std::size_t y) {
    const auto& c = cells[y * kCells + x];
    return 0.299 * c[0] + 0.587 * c[1] + 0.114 * c[2];
  };
  for (std::size_t y = 0; y < 8; ++y) {
    for (std::size_t x = 0; x < 8; ++x) {
      // Flat areas count as not growing, whatever rounding says.
      result.slopes[0] = result.slopes[0] << 1 | (gray(x + 1, y) > gray(x, y) + 0.5 ? 1u : 0u);
      result.slopes[1] = result.slopes[1] << 1 | (gray(x, y + 1) > gray(x, y) + 0.5 ? 1u : 0u);
    }
  }
  const auto fields = means_of<4, 4>(image);
  for (std::size_t i = 0; i < fields.size(); ++i) {
    for (std::size_t k = 0; k < 3; ++k) result.colors[3 * i + k] = static_cast<std::uint8_t>(std::lround(fields[i][k]));
  }
  return result;
}

Likeness compare(const Fingerprint& a, const Fingerprint& b) {
  Likeness result;
  for (std::size_t i = 0; i < a.slopes.size(); ++i) result.slopes += std::popcount(a.slopes[i] ^ b.slopes[i]);
  int sum = 0;
  for (std::size_t i = 0; i < a.colors.size(); ++i)
    sum += std::abs(static_cast<int>(a.colors[i]) - static_cast<int>(b.colors[i]));
  result.color = static_cast<double>(sum) / static_cast<double>(a.colors.size());
  return result;
}

bool are_alike(const Fingerprint& a, const Fingerprint& b) {
  const Likeness found = compare(a, b);
  return found.slopes <= 12 && found.color < 18;
}

}  // namespace onggi::pictures
