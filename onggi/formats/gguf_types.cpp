#include "onggi/formats/gguf_types.h"

#include <array>
#include <cstddef>

namespace onggi::formats {
namespace {

using quant::DType;

constexpr std::array<int, 13> kValueBytes = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};

/// By number. Q4_2 to Q4_3, Q4_0_4_4 to Q4_0_8_8 and IQ4_NL_4_4 to IQ4_NL_8_8 were taken out of the format.
constexpr std::array<GgufTensorType, 40> kTensorTypes = {{
    {"F32", DType::kF32},
    {"F16", DType::kF16},
    {"Q4_0", DType::kQ4_0},
    {"Q4_1", DType::kQ4_1},
    {"Q4_2", {}},
    {"Q4_3", {}},
    {"Q5_0", DType::kQ5_0},
    {"Q5_1", DType::kQ5_1},
    {"Q8_0", DType::kQ8_0},
    {"Q8_1", {}},
    {"Q2_K", {}},
    {"Q3_K", {}},
    {"Q4_K", DType::kQ4_K},
    {"Q5_K", DType::kQ5_K},
    {"Q6_K", DType::kQ6_K},
    {"Q8_K", {}},
    {"IQ2_XXS", {}},
    {"IQ2_XS", {}},
    {"IQ3_XXS", {}},
    {"IQ1_S", {}},
    {"IQ4_NL", {}},
    {"IQ3_S", {}},
    {"IQ2_S", {}},
    {"IQ4_XS", {}},
    {"I8", DType::kI8},
    {"I16", {}},
    {"I32", DType::kI32},
    {"I64", DType::kI64},
    {"F64", {}},
    {"IQ1_M", {}},
    {"BF16", DType::kBF16},
    {"Q4_0_4_4", {}},
    {"Q4_0_4_8", {}},
    {"Q4_0_8_8", {}},
    {"TQ1_0", {}},
    {"TQ2_0", {}},
    {"IQ4_NL_4_4", {}},
    {"IQ4_NL_4_8", {}},
    {"IQ4_NL_8_8", {}},
    {"MXFP4", {}},
}};

}  // namespace

int gguf_value_bytes(GgufValueType type) {
  const auto i = static_cast<std::size_t>(type);
  return i < kValueBytes.size() ? kValueBytes[i] : 0;
}

GgufTensorType gguf_tensor_type(std::uint32_t number) {
  return number < kTensorTypes.size() ? kTensorTypes[number] : GgufTensorType{};
}

std::optional<std::uint32_t> gguf_tensor_type_number(DType dtype) {
  for (std::uint32_t i = 0; i < kTensorTypes.size(); ++i) {
    if (kTensorTypes[i].dtype == dtype) return i;
  }
  return std::nullopt;
}

std::string supported_gguf_tensor_types() {
  std::string text;
  for (const auto& [name, dtype] : kTensorTypes) {
    if (dtype) text += (text.empty() ? "" : ", ") + std::string(name);
  }
  return text;
}

}  // namespace onggi::formats
