#include "onggi/core/random.h"

#include <gtest/gtest.h>

#include <vector>

namespace onggi {
namespace {

using Words = std::array<std::uint32_t, 4>;

// The known answers of philox4x32-10 that its authors publish with Random123.
TEST(Philox, KnownAnswers) {
  EXPECT_EQ(philox(0, 0, 0), (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  const std::uint64_t ones = ~std::uint64_t{0};
  EXPECT_EQ(philox(ones, ones, ones), (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox(0x299f31d0a4093822, 0x0370734413198a2e, 0x85a308d3243f6a88),
            (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Philox, EveryArgumentMatters) {
  EXPECT_NE(philox(1, 0, 0), philox(0, 1, 0));
  EXPECT_NE(philox(0, 1, 0), philox(0, 0, 1));
  EXPECT_NE(philox(std::uint64_t{1} << 32, 0, 0), philox(1, 0, 0));
}

TEST(UniformFloat, StaysInRangeWithTheRightMean) {
  double sum = 0.0;
  for (std::uint64_t i = 0; i < 20000; ++i) {
    const float x = uniform_float(7, 1, i);
    ASSERT_GE(x, 0.0F);
    ASSERT_LT(x, 1.0F);
    sum += x;
  }
  EXPECT_NEAR(sum / 20000, 0.5, 0.01);  // Four standard errors are 0.0082.
}

TEST(UniformInt, CoversTheRangeEvenly) {
  std::vector<int> count(10);
  for (std::uint64_t i = 0; i < 20000; ++i) ++count.at(uniform_int(7, 2, i, 10));
  for (const int c : count) EXPECT_NEAR(c, 2000, 200);  // 200 is more than four standard deviations.
}

TEST(UniformInt, HandlesTheEndsOfTheRange) {
  for (std::uint64_t i = 0; i < 100; ++i) {
    EXPECT_EQ(uniform_int(3, 0, i, 1), 0U);
    EXPECT_LT(uniform_int(3, 0, i, ~std::uint64_t{0}), ~std::uint64_t{0});
  }
}

}  // namespace
}  // namespace onggi
