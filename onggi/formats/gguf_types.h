#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "onggi/quant/dtype.h"

namespace onggi::formats {

/// The numbers that a GGUF file has for the type of a key's value.
enum class GgufValueType : std::uint32_t {
  kU8,
  kI8,
  kU16,
  kI16,
  kU32,
  kI32,
  kF32,
  kBool,
  kString,
  kArray,
  kU64,
  kI64,
  kF64,
};

/// Bytes of a value; 0 for strings, arrays and numbers that are no type.
int gguf_value_bytes(GgufValueType type);

/// What a GGUF file has for the type of a tensor.
struct GgufTensorType {
  std::string_view name;              ///< Empty if nobody uses the number.
  std::optional<quant::DType> dtype;  ///< nullopt if the type is not supported here.
};
GgufTensorType gguf_tensor_type(std::uint32_t number);
/// nullopt for types that GGUF does not have.
std::optional<std::uint32_t> gguf_tensor_type_number(quant::DType dtype);
/// "F32, F16, ...": for messages.
std::string supported_gguf_tensor_types();

inline constexpr std::uint64_t kGgufDefaultAlignment = 32;
inline constexpr std::uint64_t kGgufMaxAlignment = std::uint64_t{1} << 20;
inline constexpr std::size_t kGgufMaxKeyBytes = 65535;
inline constexpr std::size_t kGgufMaxDimensions = 4;

}  // namespace onggi::formats
