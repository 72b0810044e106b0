#include "onggi/quant/nf4.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <string>
#include <utility>

#include "onggi/core/error.h"

namespace onggi::quant {

namespace {

constexpr std::array<float, 16> kBook = {-1.0F,
                                         -0.6961928009986877F,
                                         -0.5250730514526367F,
                                         -0.39491748809814453F,
                                         -0.28444138169288635F,
                                         -0.18477343022823334F,
                                         -0.09105003625154495F,
                                         0.0F,
                                         0.07958029955625534F,
                                         0.16093020141124725F,
                                         0.24611230194568634F,
                                         0.33791524171829224F,
                                         0.44070982933044434F,
                                         0.5626170039176941F,
                                         0.7229568362236023F,
                                         1.0F};
constexpr int kZeroCode = 7;

/// Code i + 1 and up are for values strictly above threshold i, the f32 midpoint of codes i and i + 1. Computed, since
/// decimals of these midpoints, ties between two floats, do not round to the same bits in every language.
constexpr auto kThresholds = [] {
  std::array<float, 15> midpoints{};
  for (std::size_t i = 0; i < 15; ++i) midpoints[i] = (kBook[i] + kBook[i + 1]) / 2.0F;
  return midpoints;
}();

/// The values of both codes that a byte can hold.
constexpr auto kPairs = [] {
  std::array<std::array<float, 2>, 256> table{};
  for (std::size_t byte = 0; byte < 256; ++byte) table[byte] = {kBook[byte >> 4], kBook[byte & 15]};
  return table;
}();

/// The sum in the order of torch's AVX2 kernel, so that the mean has its bits: 4 vectors of running sums (of one lane
/// if there are fewer than 8 numbers) over consecutive numbers, folded upwards every 16 steps through four levels.
float cascade_sum(std::span<const float> x) {
  constexpr std::size_t kLevels = 4;
  const std::size_t lanes = x.size() < 8 ? 1 : 8;
  const std::size_t width = 4 * lanes;
  const std::size_t steps = x.size() / width;
  const std::size_t log_fold = std::max<std::size_t>(4, std::bit_width(steps - (steps > 0 ? 1 : 0)) / kLevels);
  float level[kLevels][32] = {};
  for (std::size_t i = 0; i < steps; ++i) {
    for (std::size_t k = 0; k < width; ++k) level[0][k] += x[i * width + k];
    for (std::size_t j = 1; j < kLevels && ((i + 1) & ((std::size_t{1} << j * log_fold) - 1)) == 0; ++j) {
      for (std::size_t k = 0; k < width; ++k) level[j][k] += std::exchange(level[j - 1][k], 0.0F);
    }
  }
  for (std::size_t j = 1; j < kLevels; ++j) {
    for (std::size_t k = 0; k < width; ++k) level[0][k] += level[j][k];
  }
  std::size_t at = steps * width;
  for (; at + lanes <= x.size(); at += lanes) {
    for (std::size_t k = 0; k < lanes; ++k) level[0][k] += x[at + k];
  }
  for (std::size_t k = lanes; k < width; ++k) level[0][k % lanes] += level[0][k];
  float sum = 0.0F;
  for (; at < x.size(); ++at) sum += x[at];
  for (std::size_t k = 0; k < lanes; ++k) sum += level[0][k];
  return sum;
}

std::array<float, 256> make_nested_map() {
  std::array<float, 256> map{};
  std::size_t at = 0;
  for (int i = 0; i < 7; ++i) {
    // Midpoints of 2^i + 1 even steps from 0.1 to 1, counted from the nearer end and fused as torch.linspace does it.
    const int n = (1 << i) + 1;
    const float step = (1.0F - 0.1F) / static_cast<float>(n - 1);
    const auto edge = [&](int k) {
      return k < n / 2 ? std::fma(step, static_cast<float>(k), 0.1F)
                       : std::fma(-step, static_cast<float>(n - 1 - k), 1.0F);
    };
    const auto scale = static_cast<float>(std::pow(10.0, i - 6));
    for (int k = 0; k + 1 < n; ++k) {
      const float value = scale * ((edge(k) + edge(k + 1)) / 2.0F);
      map[at++] = value;
      map[at++] = -value;
    }
  }
  map[at++] = 0.0F;
  map[at++] = 1.0F;
  std::sort(map.begin(), map.end());
  return map;
}

/// absmax - mean in 8 bits. A nested block of equal absmax is 0 * inf = NaN, which is above no midpoint: code 0.
void encode_absmax(Nf4Tensor& tensor) {
  const auto& map = nf4_nested_map();
  std::array<float, 255> midpoints;
  for (std::size_t i = 0; i < 255; ++i) midpoints[i] = (map[i] + map[i + 1]) / 2.0F;
  const std::vector<float> absmax = std::exchange(tensor.absmax, {});
  tensor.offset = absmax.empty() ? 0.0F : cascade_sum(absmax) / static_cast<float>(absmax.size());
  tensor.absmax_codes.resize(absmax.size());
  for (std::size_t first = 0; first < absmax.size(); first += kNf4NestedBlock) {
    const std::size_t last = std::min(first + kNf4NestedBlock, absmax.size());
    float largest = 0.0F;
    for (std::size_t i = first; i < last; ++i) largest = std::max(largest, std::abs(absmax[i] - tensor.offset));
    tensor.nested_absmax.push_back(largest);
    const float inverse = 1.0F / largest;
    for (std::size_t i = first; i < last; ++i) {
      const float x = (absmax[i] - tensor.offset) * inverse;
      const auto above = std::partition_point(midpoints.begin(), midpoints.end(), [x](float m) { return x > m; });
      tensor.absmax_codes[i] = static_cast<std::uint8_t>(above - midpoints.begin());
    }
  }
}

}  // namespace

const std::array<float, 16> kNf4Codebook = kBook;

const std::array<float, 256>& nf4_nested_map() {
  static const std::array<float, 256> map = make_nested_map();
  return map;
}

void check_nf4(const Nf4View& t, std::string_view where) {
  const auto expect = [&](const char* part, std::size_t found, std::int64_t expected) {
    require(
        found == static_cast<std::size_t>(expected),
        [&] {
          return std::string("NF4: ") + part + " has " + std::to_string(found) + " values, expected " +
                 std::to_string(expected);
        },
        ErrorCode::kCorrupt, where);
  };
  const auto is_block = [](int n) { return n >= 2 && n <= 4096 && (n & (n - 1)) == 0; };
  require(
      is_block(t.block) && is_block(t.nested_block) && t.num_elements >= 0,
      [&] {
        return "NF4: block size " + std::to_string(t.block) + ", nested " + std::to_string(t.nested_block) +
               ", expected powers of two up to 4096";
      },
      ErrorCode::kCorrupt, where);
  const auto ceil_div = [](std::int64_t n, std::int64_t d) { return n / d + (n % d != 0 ? 1 : 0); };
  const std::int64_t num_blocks = ceil_div(t.num_elements, t.block);
  expect("codes", t.codes.size(), ceil_div(t.num_elements, 2));
  if (!t.is_double()) {
    expect("absmax", t.absmax.size(), num_blocks);
    return;
  }
  expect("absmax", t.absmax_codes.size(), num_blocks);
  expect("nested_absmax", t.nested_absmax.size(), ceil_div(num_blocks, t.nested_block));
  expect("nested_quant_map", t.nested_map.size(), 256);
}

Nf4View Nf4Tensor::view() const {
  return {.num_elements = num_elements,
          .codes = codes,
          .absmax = absmax,
          .absmax_codes = absmax_codes,
          .nested_absmax = nested_absmax,
          .nested_map = nf4_nested_map(),
          .offset = offset};
}

std::int64_t Nf4Tensor::num_bytes() const {
  return static_cast<std::int64_t>(codes.size() + absmax_codes.size() + 4 * (absmax.size() + nested_absmax.size()));
}

Nf4Tensor encode_nf4(std::span<const float> values, const Nf4Options& options) {
  Nf4Tensor tensor;
  tensor.num_elements = static_cast<std::int64_t>(values.size());
  tensor.codes.resize((values.size() + 1) / 2);
  for (std::size_t first = 0; first < values.size(); first += kNf4Block) {
    const std::size_t count = std::min<std::size_t>(kNf4Block, values.size() - first);
    std::array<float, kNf4Block> x{};
    std::copy_n(values.begin() + static_cast<std::ptrdiff_t>(first), count, x.begin());
    float largest = 0.0F;
    bool is_finite = true;
    for (const float v : x) {
      largest = std::max(largest, std::abs(v));
      is_finite = is_finite && std::isfinite(v);
    }
    require(is_finite, [&] {
      return "NF4 can't hold NaN or infinity (elements " + std::to_string(first) + " to " +
             std::to_string(first + count - 1) + ")";
    });
    // The bound keeps the reciprocal finite, so that zeros get the zero code. A reciprocal, as the reference: dividing
    // gives other codes near the thresholds.
    const float inverse = 1.0F / std::max(largest, 1e-38F);
    for (float& v : x) v *= inverse;
    std::array<std::int32_t, kNf4Block> code{};
    for (const float threshold : kThresholds) {
      for (std::size_t i = 0; i < kNf4Block; ++i) code[i] += x[i] > threshold ? 1 : 0;
    }
    for (std::size_t i = 0; i < count; i += 2) {
      const int low = i + 1 < count ? code[i + 1] : kZeroCode;
      tensor.codes[(first + i) / 2] = static_cast<std::uint8_t>(code[i] << 4 | low);
    }
    tensor.absmax.push_back(largest);
  }
  if (options.double_quantised) encode_absmax(tensor);
  return tensor;
}

void decode_nf4(const Nf4View& tensor, std::int64_t first, std::int64_t count, float* out) {
  const std::int64_t end = first + count;
  while (first < end) {
    const std::int64_t block = first / tensor.block;
    const std::int64_t block_end = std::min(end, (block + 1) * tensor.block);
    const float absmax = tensor.block_absmax(block);
    const std::uint8_t* codes = tensor.codes.data() + first / 2;
    if (first % 2 != 0) {
      *out++ = kPairs[*codes++][1] * absmax;
      ++first;
    }
    for (; first + 2 <= block_end; first += 2, out += 2) {
      const auto& pair = kPairs[*codes++];
      out[0] = pair[0] * absmax;
      out[1] = pair[1] * absmax;
    }
    if (first < block_end) {
      *out++ = kPairs[*codes][0] * absmax;
      ++first;
    }
  }
}

}  // namespace onggi::quant
