#include "onggi/quant/dtype.h"

#include <array>

namespace onggi::quant {
namespace {

constexpr std::array<DTypeTraits, 16> kTraits = {{
    {"F32", 1, 4},
    {"F16", 1, 2},
    {"BF16", 1, 2},
    {"Q4_0", 32, 18},
    {"Q4_1", 32, 20},
    {"Q5_0", 32, 22},
    {"Q5_1", 32, 24},
    {"Q8_0", 32, 34},
    {"Q4_K", 256, 144},
    {"Q5_K", 256, 176},
    {"Q6_K", 256, 210},
    {"NF4", 64, 36},
    {"I32", 1, 4},
    {"I64", 1, 8},
    {"U8", 1, 1},
    {"I8", 1, 1},
}};

}  // namespace

const DTypeTraits& traits(DType type) { return kTraits[static_cast<std::size_t>(type)]; }

std::optional<DType> dtype_from_name(std::string_view name) {
  for (std::size_t i = 0; i < kTraits.size(); ++i) {
    if (kTraits[i].name == name) return static_cast<DType>(i);
  }
  return std::nullopt;
}

std::int64_t num_bytes(DType type, std::int64_t elements) {
  const auto& t = traits(type);
  return elements / t.block_elements * t.block_bytes;
}

}  // namespace onggi::quant
