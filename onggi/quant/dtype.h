#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace onggi::quant {

/// How the numbers of a tensor are stored. Block types hold `block_elements` consecutive elements of a row in
/// `block_bytes` bytes (layouts: docs/formats/gguf.md). kNf4 is bitsandbytes' NormalFloat, 64 elements a block.
enum class DType : std::uint8_t {
  kF32,
  kF16,
  kBF16,
  kQ4_0,
  kQ4_1,
  kQ5_0,
  kQ5_1,
  kQ8_0,
  kQ4_K,
  kQ5_K,
  kQ6_K,
  kNF4,
  kI32,
  kI64,
  kU8,
  kI8,
};

struct DTypeTraits {
  std::string_view name;  ///< As in GGUF tools: "F32", "Q4_K" ...
  int block_elements;     ///< 1 for plain types.
  int block_bytes;
};

const DTypeTraits& traits(DType type);
std::optional<DType> dtype_from_name(std::string_view name);

/// Bytes of `elements` consecutive numbers; `elements` must be a multiple of the block.
std::int64_t num_bytes(DType type, std::int64_t elements);

}  // namespace onggi::quant
