#pragma once

#include <cstddef>
#include <cstdint>

#include "onggi/quant/dtype.h"

namespace onggi::quant {

/// Reference decoder: `elements` numbers (a multiple of the block) to f32. Any DType but kNF4 (see nf4.h) and integers.
/// Throws kInvalidArgument on a type it can't decode.
void decode(DType type, const std::byte* blocks, std::int64_t elements, float* out);

/// Reference encoder of `elements` numbers (a multiple of the block), equal to the usual reference tool's bytes: kF32,
/// kF16, kBF16, kQ8_0, kQ4_0. Throws kInvalidArgument on other types, and on NaN, infinity or a scale that F16 can't
/// hold in a Q8_0 or Q4_0 block; F16 itself rounds what is too large to infinity.
void encode(DType type, const float* values, std::int64_t elements, std::byte* out);

/// Whether every number is finite, by the exponents of plain types and the scales of block types. Other types: true.
bool is_finite(DType type, const std::byte* blocks, std::int64_t elements);

/// Whether `encode` takes the type.
bool can_encode(DType type);

float f16_to_f32(std::uint16_t bits);
std::uint16_t f32_to_f16(float value);  ///< Round to nearest even.
float bf16_to_f32(std::uint16_t bits);
std::uint16_t f32_to_bf16(float value);  ///< Round to nearest even; NaN stays NaN.

}  // namespace onggi::quant
