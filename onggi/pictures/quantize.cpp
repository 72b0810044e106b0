#include "onggi/pictures/quantize.h"

#include <algorithm>
#include <array>

namespace onggi::pictures {
namespace {

constexpr std::size_t kNumBins = 1 << 15;
constexpr std::size_t kNumColors = 256;

std::size_t bin_of(std::uint32_t pixel) {
  return (pixel >> 19 & 31) << 10 | (pixel >> 11 & 31) << 5 | (pixel >> 3 & 31);
}

struct Bin {
  std::uint64_t count = 0;
  std::array<std::uint64_t, 3> sum{};
};

int channel_of(std::uint32_t bin, int channel) { return static_cast<int>(bin >> (10 - 5 * channel) & 31); }

/// A range of `order` that shares one colour.
struct Box {
  std::size_t begin = 0, end = 0;
  int channel = 0;          ///< The widest.
  std::uint64_t value = 0;  ///< Pixels x width: what splitting it is worth.
};

Box make_box(const std::vector<std::uint32_t>& order, const std::vector<Bin>& bins, std::size_t begin,
             std::size_t end) {
  Box box{begin, end, 0, 0};
  std::uint64_t count = 0;
  for (std::size_t i = begin; i < end; ++i) count += bins[order[i]].count;
  int widest = -1;
  for (int channel = 0; channel < 3; ++channel) {
    int low = 31, high = 0;
    for (std::size_t i = begin; i < end; ++i) {
      low = std::min(low, channel_of(order[i], channel));
      high = std::max(high, channel_of(order[i], channel));
    }
    if (high - low > widest) {
      widest = high - low;
      box.channel = channel;
    }
  }
  box.value = count * static_cast<std::uint64_t>(widest);
  return box;
}

}  // namespace

IndexedImage quantize(const Image& image) {
  std::vector<Bin> bins(kNumBins);
  for (const std::uint32_t pixel : image.pixels) {
    Bin& bin = bins[bin_of(pixel)];
    ++bin.count;
    for (std::size_t k = 0; k < 3; ++k) bin.sum[k] += pixel >> (16 - 8 * k) & 255;
  }
  std::vector<std::uint32_t> order;
  for (std::uint32_t i = 0; i < kNumBins; ++i) {
    if (bins[i].count > 0) order.push_back(i);
  }
  std::vector<Box> boxes = {make_box(order, bins, 0, order.size())};
  while (boxes.size() < kNumColors) {
    const auto widest =
        std::max_element(boxes.begin(), boxes.end(), [](const Box& a, const Box& b) { return a.value < b.value; });
    if (widest->value == 0) break;
    const Box box = *widest;
    const auto begin = order.begin() + static_cast<std::ptrdiff_t>(box.begin);
    const auto end = order.begin() + static_cast<std::ptrdiff_t>(box.end);
    std::sort(begin, end, [&](std::uint32_t a, std::uint32_t b) {
      return std::pair(channel_of(a, box.channel), a) < std::pair(channel_of(b, box.channel), b);
    });
    std::uint64_t total = 0, half = 0;
    for (auto it = begin; it != end; ++it) total += bins[*it].count;
    std::size_t middle = box.begin;
    while (middle + 1 < box.end && (half += bins[order[middle]].count) * 2 < total) ++middle;
    middle = std::clamp(middle, box.begin + 1, box.end - 1);
    *widest = make_box(order, bins, box.begin, middle);
    boxes.push_back(make_box(order, bins, middle, box.end));
  }
  IndexedImage result;
  std::vector<std::uint8_t> index_of(kNumBins, 0);
  for (const Box& box : boxes) {
    Bin sum;
    for (std::size_t i = box.begin; i < box.end; ++i) {
      index_of[order[i]] = static_cast<std::uint8_t>(result.colors.size());
      sum.count += bins[order[i]].count;
      for (std::size_t k = 0; k < 3; ++k) sum.sum[k] += bins[order[i]].sum[k];
    }
    const auto mean = [&](std::size_t k) {
      return static_cast<std::uint32_t>((sum.sum[k] + sum.count / 2) / sum.count);
    };
    result.colors.push_back(mean(0) << 16 | mean(1) << 8 | mean(2));
  }
  result.indices.reserve(image.pixels.size());
  for (const std::uint32_t pixel : image.pixels) result.indices.push_back(index_of[bin_of(pixel)]);
  return result;
}

}  // namespace onggi::pictures
