#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "onggi/kernels/kernels.h"
#include "onggi/kernels/test_support.h"
#include "onggi/quant/blocks.h"
#include "tests/support/tolerance.h"

namespace onggi::kernels {
namespace {

using onggi::testing::expect_equal_bits;
using quant::DType;
using testing::Activations;
using testing::kPackable;
using testing::random_blocks;
using testing::random_floats;
using Floats = std::vector<float>;

TEST(QuantizeRows, RoundsHalfToEvenAndKeepsSums) {
  Floats x = random_floats(31, 4 * 96);
  for (int i = 32; i < 64; ++i) x[i] = 0;                                  // an all-zero block
  for (int i = 64; i < 96; ++i) x[i] = (i % 2 == 0 ? 1.0F : -1.0F) * (static_cast<float>(i) - 0.5F - 64);
  x[95] = 127;                                                             // ties: the factor is 1
  for (int i = 96; i < 128; ++i) x[i] = 1e-40F;                            // 127 / absmax would overflow
  for (const Kernels* k : available_kernels()) {
    SCOPED_TRACE(std::string(k->isa));
    const Activations a = testing::quantize(*k, x, 4, 96);
    for (int b = 0; b < 12; ++b) {
      float largest = 0;
      for (int i = 0; i < 32; ++i) largest = std::max(largest, std::abs(x[b * 32 + i]));
      const bool is_zero = largest < 0x1p-120F;
      EXPECT_EQ(a.scale[b], is_zero ? 0 : largest / 127);
      int sums[2] = {};
      for (int i = 0; i < 32; ++i) {
        const float scaled = is_zero ? 0 : x[b * 32 + i] * (127 / largest);
        const int q = static_cast<std::uint8_t>(a.q[b * 32 + i]) - 128;
        ASSERT_EQ(q, static_cast<int>(std::nearbyint(scaled))) << b << " " << i;
        sums[i / 16] += q;
      }
      EXPECT_EQ(a.sum16[2 * b], sums[0]);
      EXPECT_EQ(a.sum16[2 * b + 1], sums[1]);
    }
  }
}

TEST(QuantizeRows, EveryTableGivesTheSameBytesFromStridedRows) {
  const Floats x = random_floats(32, 7 * 200);
  for (const Kernels* k : available_kernels()) {
    std::vector<std::int8_t> q(2 * 7 * 160);
    Floats scale(2 * 7 * 5);
    std::vector<std::int16_t> sum16(2 * 7 * 10);
    find_kernels("scalar")->quantize_rows(x.data(), 7, 160, 200, {q.data(), scale.data(), sum16.data()});
    k->quantize_rows(x.data(), 7, 160, 200, {q.data() + 1120, scale.data() + 35, sum16.data() + 70});
    for (int i = 0; i < 1120; ++i) ASSERT_EQ(q[i], q[i + 1120]);
    for (int i = 0; i < 35; ++i) ASSERT_EQ(scale[i], scale[i + 35]);
    for (int i = 0; i < 70; ++i) ASSERT_EQ(sum16[i], sum16[i + 70]);
  }
}

TEST(QuantizedProduct, NotFiniteInputGivesNaN) {
  for (const float bad : {std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
    Floats x = random_floats(33, 64);
    x[40] = bad;
    for (const Kernels* k : available_kernels()) {
      const auto w = testing::pack(*k, DType::kQ5_0, random_blocks(34, DType::kQ5_0, 3, 64), 3, 64);
      for (const float y : testing::product(*k, testing::quantize(*k, x, 1, 64), w)) EXPECT_TRUE(std::isnan(y));
    }
  }
}

/// Product in double of the decoded weights with the quantised activations, and the sum of magnitudes for the scale of
/// errors.
void check_against_double(const Floats& got, DType type, const std::vector<std::byte>& blocks, std::int64_t columns,
                          std::int64_t depth, const Activations& x) {
  Floats w(static_cast<std::size_t>(columns * depth));
  quant::decode(type, blocks.data(), columns * depth, w.data());
  for (std::int64_t m = 0; m < x.rows; ++m) {
    for (std::int64_t n = 0; n < columns; ++n) {
      double sum = 0, size = 0;
      for (std::int64_t k = 0; k < depth; ++k) {
        const int q = static_cast<std::uint8_t>(x.q[m * depth + k]) - 128;
        const double term = double{w[n * depth + k]} * q * x.scale[(m * depth + k) / 32];
        sum += term;
        size += std::abs(term);
      }
      ASSERT_NEAR(got[m * columns + n], sum, 1e-6 * size + 1e-30)
          << quant::traits(type).name << " row " << m << " column " << n;
    }
  }
}

TEST(QuantizedProduct, EqualsTheDoubleReferenceAndTheSameBitsInEveryTable) {
  for (const DType type : kPackable) {
    const bool is_k = quant::traits(type).block_elements == 256;
    for (const std::int64_t depth : is_k ? std::vector<std::int64_t>{256, 768, 1280} : std::vector<std::int64_t>{32, 64, 640, 1056}) {
      for (const std::int64_t rows : {0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 20}) {
        const std::int64_t columns = 1 + (rows * 7) % 40;
        const auto blocks = random_blocks(35 + rows, type, columns, depth);
        const Floats x = random_floats(36 + rows, rows * depth);
        Floats first;
        for (const Kernels* k : available_kernels()) {
          SCOPED_TRACE(std::string(k->isa) + " " + std::string(quant::traits(type).name) + " rows " +
                       std::to_string(rows) + " depth " + std::to_string(depth));
          const Activations a = testing::quantize(*k, x, rows, depth);
          const Floats got = testing::product(*k, a, testing::pack(*k, type, blocks, columns, depth));
          if (first.empty()) first = got;
          expect_equal_bits(got, first);
          check_against_double(got, type, blocks, columns, depth, a);
        }
      }
    }
  }
}

TEST(QuantizedProduct, ExtremeCodesDoNotSaturate) {
  constexpr std::int64_t rows = 6, columns = 19, depth = 512;
  for (const DType type : kPackable) {
    for (const int fill : {0x00, 0xFF, 0x7F, 0x80, 0x81, 0xF0, 0x0F}) {
      const auto blocks = testing::constant_blocks(type, columns, depth, static_cast<std::uint8_t>(fill));
      Floats x(rows * depth);
      for (std::int64_t i = 0; i < rows * depth; ++i) {  // all 127, all -127, alternating by 1, 2 and 4, halves
        const std::int64_t row = i / depth;
        const bool negative = row == 1 || (row == 2 && i % 2 == 1) || (row == 3 && i / 2 % 2 == 1) ||
                              (row == 4 && i / 4 % 2 == 1) || (row == 5 && i / 16 % 2 == 1);
        x[i] = negative ? -127.0F : 127.0F;
      }
      Floats first;
      for (const Kernels* k : available_kernels()) {
        SCOPED_TRACE(std::string(k->isa) + " fill " + std::to_string(fill));
        const Activations a = testing::quantize(*k, x, rows, depth);
        const Floats got = testing::product(*k, a, testing::pack(*k, type, blocks, columns, depth));
        if (first.empty()) first = got;
        expect_equal_bits(got, first);
        check_against_double(got, type, blocks, columns, depth, a);
      }
    }
  }
}

TEST(QuantizedProduct, BitsDoNotDependOnTheOtherRowsOrColumns) {
  constexpr std::int64_t rows = 9, columns = 30, depth = 768;
  for (const DType type : kPackable) {
    const auto blocks = random_blocks(37, type, columns, depth);
    const Floats x = random_floats(38, rows * depth);
    for (const Kernels* k : available_kernels()) {
      const Floats all =
          testing::product(*k, testing::quantize(*k, x, rows, depth), testing::pack(*k, type, blocks, columns, depth));
      const std::int64_t row_bytes = quant::num_bytes(type, depth);
      const std::vector<std::byte> last(blocks.end() - row_bytes, blocks.end());
      const auto one = testing::pack(*k, type, last, 1, depth);
      for (std::int64_t m = 0; m < rows; ++m) {
        const Floats row(x.begin() + m * depth, x.begin() + (m + 1) * depth);
        const Floats alone = testing::product(*k, testing::quantize(*k, row, 1, depth), one);
        ASSERT_EQ(alone[0], all[m * columns + columns - 1]) << k->isa << " row " << m;
      }
    }
  }
}

TEST(QuantizedProduct, TypesWithoutAnIntegerKernelHaveNoPackedBytes) {
  for (const Kernels* k : available_kernels()) {
    for (const DType type : {DType::kF32, DType::kF16, DType::kBF16, DType::kNF4, DType::kI32}) {
      EXPECT_EQ(k->packed_bytes(type, 256), 0);
    }
    EXPECT_EQ(k->packed_bytes(DType::kQ4_K, 640), 0);  // not whole blocks
    EXPECT_GT(k->packed_bytes(DType::kQ5_0, 640), 0);
  }
}

}  // namespace
}  // namespace onggi::kernels
