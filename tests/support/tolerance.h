#pragma once

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>

/// How near is near enough, in one place. Figures are shares of the largest magnitude of the expected values.
namespace onggi::testing {

inline constexpr double kExactSum = 1e-6;        ///< A handful of f32 roundings.
inline constexpr double kLongSum = 1e-5;         ///< A chain of up to some thousand f32 steps.
inline constexpr double kFiniteDifference = 1e-6;  ///< Central differences in double.

/// Every |actual - expected| <= share * max |expected| (of 1 where all are smaller than that share).
template <class Actual, class Expected>
void expect_close(std::span<const Actual> actual, std::span<const Expected> expected, double share,
                  const char* what = "") {
  ASSERT_EQ(actual.size(), expected.size()) << what;
  double largest = 0;
  for (const Expected e : expected) largest = std::max(largest, std::abs(static_cast<double>(e)));
  const double allowed = share * (largest > 0 ? largest : 1.0);
  for (std::size_t i = 0; i < actual.size(); ++i) {
    ASSERT_NEAR(static_cast<double>(actual[i]), static_cast<double>(expected[i]), allowed) << what << " at " << i;
  }
}

/// The same f32 bits everywhere; +0 and -0 differ.
inline void expect_equal_bits(std::span<const float> actual, std::span<const float> expected, const char* what = "") {
  ASSERT_EQ(actual.size(), expected.size()) << what;
  for (std::size_t i = 0; i < actual.size(); ++i) {
    ASSERT_EQ(std::bit_cast<std::uint32_t>(actual[i]), std::bit_cast<std::uint32_t>(expected[i]))
        << what << " at " << i << ": " << actual[i] << " and " << expected[i];
  }
}

}  // namespace onggi::testing
