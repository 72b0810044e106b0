#include "onggi/quant/blocks.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>

#include "onggi/core/error.h"

namespace onggi::quant {
namespace {

template <class T>
T load(const std::uint8_t* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

float half_at(const std::uint8_t* from) { return f16_to_f32(load<std::uint16_t>(from)); }

/// 6-bit scale and minimum of sub-block j from the 12 packed bytes of Q4_K and Q5_K.
void scale_and_minimum(int j, const std::uint8_t* s, int& scale, int& minimum) {
  if (j < 4) {
    scale = s[j] & 63;
    minimum = s[j + 4] & 63;
  } else {
    scale = (s[j + 4] & 15) | (s[j - 4] >> 6) << 4;
    minimum = (s[j + 4] >> 4) | (s[j] >> 6) << 4;
  }
}

void decode_block(DType type, const std::uint8_t* b, float* y) {
  switch (type) {
    case DType::kQ4_0: {
      const float d = half_at(b);
      for (int j = 0; j < 16; ++j) {
        y[j] = static_cast<float>((b[2 + j] & 15) - 8) * d;
        y[j + 16] = static_cast<float>((b[2 + j] >> 4) - 8) * d;
      }
      return;
    }
    case DType::kQ4_1: {
      const float d = half_at(b);
      const float m = half_at(b + 2);
      for (int j = 0; j < 16; ++j) {
        y[j] = static_cast<float>(b[4 + j] & 15) * d + m;
        y[j + 16] = static_cast<float>(b[4 + j] >> 4) * d + m;
      }
      return;
    }
    case DType::kQ5_0:
    case DType::kQ5_1: {
      const bool has_minimum = type == DType::kQ5_1;
      const float d = half_at(b);
      const float m = has_minimum ? half_at(b + 2) : 0.0F;
      const std::uint8_t* rest = b + (has_minimum ? 4 : 2);
      const auto high = load<std::uint32_t>(rest);
      const std::uint8_t* q = rest + 4;
      for (int j = 0; j < 16; ++j) {
        const int low = (q[j] & 15) | static_cast<int>(high >> j & 1) << 4;
        const int up = (q[j] >> 4) | static_cast<int>(high >> (j + 16) & 1) << 4;
        y[j] = has_minimum ? static_cast<float>(low) * d + m : static_cast<float>(low - 16) * d;
        y[j + 16] = has_minimum ? static_cast<float>(up) * d + m : static_cast<float>(up - 16) * d;
      }
      return;
    }
    case DType::kQ8_0: {
      const float d = half_at(b);
      for (int j = 0; j < 32; ++j) y[j] = static_cast<float>(static_cast<std::int8_t>(b[2 + j])) * d;
      return;
    }
    case DType::kQ4_K:
    case DType::kQ5_K: {
      const bool five = type == DType::kQ5_K;
      const float d = half_at(b);
      const float dmin = half_at(b + 2);
      const std::uint8_t* high = b + 16;
      const std::uint8_t* q = b + (five ? 48 : 16);
      for (int sub = 0; sub < 8; ++sub) {
        int scale = 0;
        int minimum = 0;
        scale_and_minimum(sub, b + 4, scale, minimum);
        const float ds = d * static_cast<float>(scale);
        const float ms = dmin * static_cast<float>(minimum);
        for (int l = 0; l < 32; ++l) {
          int code = sub % 2 == 0 ? q[sub / 2 * 32 + l] & 15 : q[sub / 2 * 32 + l] >> 4;
          if (five) code |= (high[l] >> sub & 1) << 4;
          y[sub * 32 + l] = ds * static_cast<float>(code) - ms;
        }
      }
      return;
    }
    case DType::kQ6_K: {
      const float d = half_at(b + 208);
      for (int half = 0; half < 2; ++half) {
        const std::uint8_t* ql = b + half * 64;
        const std::uint8_t* qh = b + 128 + half * 32;
        const std::uint8_t* scales = b + 192 + half * 8;
        for (int l = 0; l < 32; ++l) {
          const int codes[4] = {(ql[l] & 15) | (qh[l] & 3) << 4, (ql[l + 32] & 15) | (qh[l] >> 2 & 3) << 4,
                                (ql[l] >> 4) | (qh[l] >> 4 & 3) << 4, (ql[l + 32] >> 4) | (qh[l] >> 6) << 4};
          for (int g = 0; g < 4; ++g) {
            const auto scale = static_cast<std::int8_t>(scales[l / 16 + 2 * g]);
            y[half * 128 + g * 32 + l] = d * static_cast<float>(scale) * static_cast<float>(codes[g] - 32);
          }
        }
      }
      return;
    }
    default: return;
  }
}

void put(std::uint8_t* to, std::uint16_t bits) { std::memcpy(to, &bits, sizeof bits); }

/// 1 / d, or 0 where d is so small that the stored scale is 0 and every code stands for 0. Throws if the scale of the
/// block is NaN, infinite or too large for F16.
float inverse_scale(float d, const char* type) {
  require(std::abs(d) < 65520.0F, [&] {
    return std::string(type) + " blocks can't hold NaN, infinity or a scale above 65504 (found " + std::to_string(d) +
           ")";
  });
  return std::abs(d) > std::numeric_limits<float>::min() ? 1.0F / d : 0.0F;
}

void encode_q8_0(const float* x, std::uint8_t* b) {
  float largest = 0.0F;
  for (int j = 0; j < 32; ++j) largest = std::isnan(x[j]) ? x[j] : std::max(largest, std::abs(x[j]));
  const float d = largest / 127.0F;
  const float inverse = inverse_scale(d, "Q8_0");
  put(b, f32_to_f16(d));
  for (int j = 0; j < 32; ++j) {
    b[2 + j] = static_cast<std::uint8_t>(static_cast<std::int8_t>(std::round(x[j] * inverse)));
  }
}

void encode_q4_0(const float* x, std::uint8_t* b) {
  float extreme = 0.0F;  // the element of largest magnitude, with its sign; the first on ties
  for (int j = 0; j < 32; ++j) {
    if (std::isnan(x[j]) || std::abs(x[j]) > std::abs(extreme)) extreme = x[j];
  }
  const float d = extreme / -8.0F;
  const float inverse = inverse_scale(d, "Q4_0");
  put(b, f32_to_f16(d));
  const auto code = [&](float v) { return std::min(15, static_cast<int>(v * inverse + 8.5F)); };
  for (int j = 0; j < 16; ++j) b[2 + j] = static_cast<std::uint8_t>(code(x[j]) | code(x[j + 16]) << 4);
}

}  // namespace

float f16_to_f32(std::uint16_t bits) {
  const std::uint32_t sign = static_cast<std::uint32_t>(bits & 0x8000) << 16;
  std::uint32_t exponent = bits >> 10 & 31;
  std::uint32_t mantissa = bits & 1023;
  if (exponent == 31) return std::bit_cast<float>(sign | 0x7F800000 | mantissa << 13);
  if (exponent == 0) {
    if (mantissa == 0) return std::bit_cast<float>(sign);
    const float value = static_cast<float>(mantissa) * 0x1.0p-24F;
    return sign != 0 ? -value : value;
  }
  return std::bit_cast<float>(sign | (exponent + 112) << 23 | mantissa << 13);
}

std::uint16_t f32_to_f16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const auto sign = static_cast<std::uint16_t>(bits >> 16 & 0x8000);
  const std::uint32_t magnitude = bits & 0x7FFFFFFF;
  if (magnitude > 0x7F800000) return static_cast<std::uint16_t>(sign | 0x7E00 | (magnitude >> 13 & 0x3FF));
  if (magnitude >= 0x477FF000) return static_cast<std::uint16_t>(sign | 0x7C00);  // rounds to infinity
  if (magnitude < 0x38800000) {
    // Subnormal: adding 0.5 lets the adder round to a multiple of 2^-24.
    const float shifted = std::bit_cast<float>(magnitude) + 0.5F;
    return static_cast<std::uint16_t>(sign | (std::bit_cast<std::uint32_t>(shifted) - 0x3F000000));
  }
  const std::uint32_t rounded = magnitude + 0xFFF + (magnitude >> 13 & 1);
  return static_cast<std::uint16_t>(sign | (rounded - 0x38000000) >> 13);
}

float bf16_to_f32(std::uint16_t bits) { return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16); }

std::uint16_t f32_to_bf16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  if ((bits & 0x7FFFFFFF) > 0x7F800000) return static_cast<std::uint16_t>(bits >> 16 | 0x40);
  return static_cast<std::uint16_t>((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

bool is_finite(DType type, const std::byte* blocks, std::int64_t elements) {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(blocks);
  const auto halves_are_finite = [&](std::initializer_list<int> places) {
    const auto& t = traits(type);
    const std::int64_t count = elements / t.block_elements;
    for (std::int64_t i = 0; i < count; ++i) {
      for (const int place : places) {
        if ((load<std::uint16_t>(bytes + i * t.block_bytes + place) & 0x7C00) == 0x7C00) return false;
      }
    }
    return true;
  };
  const auto exponents_below = [&](auto mask) {
    using Bits = decltype(mask);
    bool is_below = true;
    for (std::int64_t i = 0; i < elements; ++i) is_below &= (load<Bits>(bytes + i * static_cast<std::int64_t>(sizeof(Bits))) & mask) != mask;
    return is_below;
  };
  switch (type) {
    case DType::kF32: return exponents_below(std::uint32_t{0x7F800000});
    case DType::kF16: return exponents_below(std::uint16_t{0x7C00});
    case DType::kBF16: return exponents_below(std::uint16_t{0x7F80});
    case DType::kQ4_0:
    case DType::kQ5_0:
    case DType::kQ8_0: return halves_are_finite({0});
    case DType::kQ4_1:
    case DType::kQ5_1:
    case DType::kQ4_K:
    case DType::kQ5_K: return halves_are_finite({0, 2});
    case DType::kQ6_K: return halves_are_finite({208});
    default: return true;
  }
}

void decode(DType type, const std::byte* blocks, std::int64_t elements, float* out) {
  const auto* b = reinterpret_cast<const std::uint8_t*>(blocks);
  switch (type) {
    case DType::kF32: std::memcpy(out, b, static_cast<std::size_t>(elements) * 4); return;
    case DType::kF16:
      for (std::int64_t i = 0; i < elements; ++i) out[i] = half_at(b + 2 * i);
      return;
    case DType::kBF16:
      for (std::int64_t i = 0; i < elements; ++i) out[i] = bf16_to_f32(load<std::uint16_t>(b + 2 * i));
      return;
    case DType::kQ4_0:
    case DType::kQ4_1:
    case DType::kQ5_0:
    case DType::kQ5_1:
    case DType::kQ8_0:
    case DType::kQ4_K:
    case DType::kQ5_K:
    case DType::kQ6_K: {
      const auto& t = traits(type);
      for (std::int64_t i = 0; i < elements; i += t.block_elements, b += t.block_bytes) decode_block(type, b, out + i);
      return;
    }
    default: throw Error(ErrorCode::kInvalidArgument, "can't decode tensors of type " + std::string(traits(type).name));
  }
}

bool can_encode(DType type) {
  switch (type) {
    case DType::kF32:
    case DType::kF16:
    case DType::kBF16:
    case DType::kQ8_0:
    case DType::kQ4_0: return true;
    default: return false;
  }
}

void encode(DType type, const float* x, std::int64_t elements, std::byte* out) {
  auto* b = reinterpret_cast<std::uint8_t*>(out);
  switch (type) {
    case DType::kF32: std::memcpy(out, x, static_cast<std::size_t>(elements) * 4); return;
    case DType::kF16:
      for (std::int64_t i = 0; i < elements; ++i) put(b + 2 * i, f32_to_f16(x[i]));
      return;
    case DType::kBF16:
      for (std::int64_t i = 0; i < elements; ++i) put(b + 2 * i, f32_to_bf16(x[i]));
      return;
    case DType::kQ8_0:
      for (std::int64_t i = 0; i < elements; i += 32, b += 34) encode_q8_0(x + i, b);
      return;
    case DType::kQ4_0:
      for (std::int64_t i = 0; i < elements; i += 32, b += 18) encode_q4_0(x + i, b);
      return;
    default:
      throw Error(ErrorCode::kInvalidArgument, "can't write tensors of type " + std::string(traits(type).name) +
                                                   " (F32, F16, BF16, Q8_0 and Q4_0 can)");
  }
}

}  // namespace onggi::quant
