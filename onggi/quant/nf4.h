#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace onggi::quant {

/// Elements of the flattened tensor that share one absmax. Files may use other sizes; this is what we write.
inline constexpr int kNf4Block = 64;
/// Blocks whose absmax share one nested absmax under double quantisation.
inline constexpr int kNf4NestedBlock = 256;

/// The 16 values that a code stands for, times the absmax of its block (Dettmers et al. 2023, arXiv:2305.14314).
extern const std::array<float, 16> kNf4Codebook;

/// The 256 values of the signed 8-bit dynamic map that absmax are stored in under double quantisation, rising. The same
/// bits as bitsandbytes' `nested_quant_map`.
const std::array<float, 256>& nf4_nested_map();

/// An NF4 tensor as bitsandbytes lays it out; not owned. Blocks run over the flattened row-major tensor, across rows
/// where the width is no multiple of the block. An absmax is absmax[b], or under double quantisation
///   nested_map[absmax_codes[b]] * nested_absmax[b / nested_block] + offset.
struct Nf4View {
  std::int64_t num_elements = 0;
  int block = kNf4Block;
  std::span<const std::uint8_t> codes;         ///< [ceil(num_elements / 2)]: element 2j in the high nibble of byte j.
  std::span<const float> absmax;               ///< [num_blocks]; empty under double quantisation.
  std::span<const std::uint8_t> absmax_codes;  ///< [num_blocks]; empty without.
  int nested_block = kNf4NestedBlock;
  std::span<const float> nested_absmax;  ///< [ceil(num_blocks / nested_block)]
  std::span<const float> nested_map;     ///< [256]
  float offset = 0.0F;

  bool is_double() const { return absmax.empty() && !absmax_codes.empty(); }
  float block_absmax(std::int64_t b) const {
    const auto i = static_cast<std::size_t>(b);
    if (!is_double()) return absmax[i];
    return nested_map[absmax_codes[i]] * nested_absmax[i / static_cast<std::size_t>(nested_block)] + offset;
  }
};

/// Throws kCorrupt, naming the part, unless the sizes of all parts fit each other. For views over outside bytes.
void check_nf4(const Nf4View& tensor, std::string_view where);

/// An owned NF4 tensor.
struct Nf4Tensor {
  std::int64_t num_elements = 0;
  std::vector<std::uint8_t> codes;
  std::vector<float> absmax;               ///< Single quantisation.
  std::vector<std::uint8_t> absmax_codes;  ///< Double quantisation.
  std::vector<float> nested_absmax;
  float offset = 0.0F;

  Nf4View view() const;
  /// What the tensor takes in memory: 0.5625 bytes an element, 0.5159 under double quantisation.
  std::int64_t num_bytes() const;
};

struct Nf4Options {
  bool double_quantised = true;
};

/// Quantises in blocks of 64, as bitsandbytes does: bytes equal to its codes, absmax and offset (the offset is a mean,
/// whose last bit differs between its devices; ours is that of its AVX2 path on one thread). An all-zero block gets
/// code 7, which is 0. Throws kInvalidArgument on NaN or infinity.
Nf4Tensor encode_nf4(std::span<const float> values, const Nf4Options& options = {});

/// Elements [first, first + count) of the flattened tensor as f32: codebook[code] * absmax, rounded once. Sizes must
/// fit (see check_nf4).
void decode_nf4(const Nf4View& tensor, std::int64_t first, std::int64_t count, float* out);

/// Row `row` of a matrix of `width` columns.
inline void decode_nf4_row(const Nf4View& tensor, std::int64_t row, std::int64_t width, float* out) {
  decode_nf4(tensor, row * width, width, out);
}

}  // namespace onggi::quant
