#include "onggi/kernels/encoder_kernels.h"

#include <gtest/gtest.h>

#include <cmath>

#include "onggi/kernels/kernels.h"
#include "onggi/kernels/test_support.h"
#include "tests/support/tolerance.h"

namespace onggi::kernels {
namespace {

using onggi::testing::expect_close;
using onggi::testing::expect_equal_bits;
using testing::random_floats;
using Floats = std::vector<float>;

const std::vector<std::int64_t> kWidths = {1, 2, 7, 8, 15, 16, 17, 33, 48, 384, 385};

TEST(EncoderKernels, LayerNormIsTheDefinitionWithTheSameBitsEverywhere) {
  constexpr std::int64_t kRows = 3;
  for (const std::int64_t width : kWidths) {
    const Floats x = random_floats(1, kRows * width), added = random_floats(2, kRows * width);
    const Floats bias = random_floats(3, width), gain = random_floats(4, width), shift = random_floats(5, width);
    std::vector<double> wanted;
    for (std::int64_t row = 0; row < kRows; ++row) {
      std::vector<double> s(static_cast<std::size_t>(width));
      double mean = 0, variance = 0;
      for (std::size_t i = 0; i < s.size(); ++i) {
        const std::size_t at = static_cast<std::size_t>(row * width) + i;
        s[i] = static_cast<double>(x[at]) + added[at] + bias[i];
        mean += s[i] / static_cast<double>(width);
      }
      for (const double v : s) variance += (v - mean) * (v - mean) / static_cast<double>(width);
      for (std::size_t i = 0; i < s.size(); ++i)
        wanted.push_back((s[i] - mean) / std::sqrt(variance + 1e-3) * gain[i] + shift[i]);
    }
    Floats first;
    for (const Kernels* table : available_kernels()) {
      SCOPED_TRACE(std::string(table->isa) + " width " + std::to_string(width));
      Floats y(x.size());
      encoder_kernels(table->isa)
          .layer_norm({.num_rows = kRows,
                       .width = width,
                       .epsilon = 1e-3F,
                       .x = x.data(),
                       .added = added.data(),
                       .bias = bias.data(),
                       .gain = gain.data(),
                       .shift = shift.data(),
                       .y = y.data()});
      expect_close(std::span<const float>(y), std::span<const double>(wanted), onggi::testing::kLongSum);
      if (first.empty()) first = y;
      expect_equal_bits(y, first);
      Floats in_place = x;
      encoder_kernels(table->isa)
          .layer_norm({.num_rows = kRows,
                       .width = width,
                       .epsilon = 1e-3F,
                       .x = in_place.data(),
                       .added = added.data(),
                       .bias = bias.data(),
                       .gain = gain.data(),
                       .shift = shift.data(),
                       .y = in_place.data()});
      expect_equal_bits(in_place, first);
    }
  }
}

TEST(EncoderKernels, GeluIsThatOfTheErrorFunction) {
  Floats x;
  for (float v = -12.0F; v <= 12.0F; v += 0.0037F) x.push_back(v);
  for (const float v : {0.0F, -0.0F, 1e-30F, -1e-30F, 40.0F, -40.0F, 1e30F, -1e30F}) x.push_back(v);
  const Floats zero(x.size(), 0.0F);
  Floats first;
  for (const Kernels* table : available_kernels()) {
    Floats y = x;
    const auto count = static_cast<std::int64_t>(y.size());
    encoder_kernels(table->isa).add_bias_gelu(zero.data(), 1, count, count, y.data());
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double v = x[i];
      const double wanted = 0.5 * v * std::erfc(-v / std::sqrt(2.0));
      ASSERT_NEAR(y[i], wanted, 2e-7 * std::max(1.0, std::abs(v)) * (std::abs(v) > 6.0 ? 0.5 : 1.0))
          << table->isa << " " << v;
    }
    if (first.empty()) first = y;
    expect_equal_bits(y, first, "gelu");
  }
}

TEST(EncoderKernels, BiasIsAddedToEachRowAndNothingBeside) {
  for (const Kernels* table : available_kernels()) {
    for (const std::int64_t width : kWidths) {
      const std::int64_t stride = width + 3;
      const Floats bias = random_floats(1, width), before = random_floats(2, 2 * stride);
      Floats plain = before, gelu = before;
      encoder_kernels(table->isa).add_bias(bias.data(), 2, width, stride, plain.data());
      encoder_kernels(table->isa).add_bias_gelu(bias.data(), 2, width, stride, gelu.data());
      for (std::size_t i = 0; i < before.size(); ++i) {
        const std::size_t column = i % static_cast<std::size_t>(stride);
        const bool is_inside = column < bias.size();
        ASSERT_EQ(plain[i], is_inside ? before[i] + bias[column] : before[i]);
        if (!is_inside) {
          ASSERT_EQ(gelu[i], before[i]);
        }
      }
    }
  }
}

}  // namespace
}  // namespace onggi::kernels
