#include "onggi/quant/dtype.h"

#include <gtest/gtest.h>

namespace onggi::quant {
namespace {

TEST(DType, NamesGoBothWays) {
  for (int i = 0; i <= static_cast<int>(DType::kI8); ++i) {
    const auto type = static_cast<DType>(i);
    EXPECT_EQ(dtype_from_name(traits(type).name), type);
  }
  EXPECT_EQ(traits(DType::kQ4_K).name, "Q4_K");
  EXPECT_FALSE(dtype_from_name("q4_k").has_value());
  EXPECT_FALSE(dtype_from_name("").has_value());
}

TEST(DType, BytesAreThoseOfTheBlocks) {
  EXPECT_EQ(num_bytes(DType::kF32, 0), 0);
  EXPECT_EQ(num_bytes(DType::kBF16, 640), 1280);
  EXPECT_EQ(num_bytes(DType::kQ8_0, 640), 680);
  EXPECT_EQ(num_bytes(DType::kQ6_K, 2048), 1680);
  EXPECT_EQ(num_bytes(DType::kQ4_K, std::int64_t{1} << 40), (std::int64_t{1} << 32) * 144);
}

}  // namespace
}  // namespace onggi::quant
