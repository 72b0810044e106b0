#include <gtest/gtest.h>

#include <cmath>

#include "onggi/kernels/kernels.h"
#include "onggi/kernels/test_support.h"
#include "onggi/quant/blocks.h"
#include "tests/support/tolerance.h"

namespace onggi::kernels {
namespace {

using onggi::testing::expect_equal_bits;
using quant::DType;
using testing::kDecodable;
using testing::random_blocks;
using Floats = std::vector<float>;

TEST(Decode, EqualsTheReferenceDecoderBitByBit) {
  for (const DType type : kDecodable) {
    const std::int64_t block = quant::traits(type).block_elements;
    for (const std::int64_t blocks : {0, 1, 2, 3, 15, 16, 17, 100}) {
      const std::int64_t n = blocks * block;
      const auto bytes = random_blocks(21, type, 1, n);
      Floats want(static_cast<std::size_t>(n) + 1, 7);
      quant::decode(type, bytes.data(), n, want.data());
      for (const Kernels* k : available_kernels()) {
        SCOPED_TRACE(std::string(k->isa) + " " + std::string(quant::traits(type).name) + " " + std::to_string(n));
        Floats got(static_cast<std::size_t>(n) + 1, 7);
        k->decode(type, bytes.data(), n, got.data());
        expect_equal_bits(got, want);
      }
    }
  }
}

TEST(Decode, EveryHalfFloatAndScaleByteIsExact) {
  std::vector<std::uint16_t> halves;
  for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
    if ((bits & 0x7C00U) != 0x7C00U) halves.push_back(static_cast<std::uint16_t>(bits));
  }
  const auto n = static_cast<std::int64_t>(halves.size());
  for (const DType type : {DType::kF16, DType::kBF16}) {
    Floats want(halves.size()), got(halves.size());
    quant::decode(type, reinterpret_cast<const std::byte*>(halves.data()), n, want.data());
    for (const Kernels* k : available_kernels()) {
      k->decode(type, reinterpret_cast<const std::byte*>(halves.data()), n, got.data());
      expect_equal_bits(got, want, k->isa.data());
    }
  }
}

TEST(DecodeTransposed, IsTheTransposeOfDecodeWithZeroesForMissingColumns) {
  for (const DType type : kDecodable) {
    const std::int64_t block = quant::traits(type).block_elements;
    const std::int64_t width = block == 1 ? 1061 : block == 32 ? 1056 : 1280;
    const auto bytes = random_blocks(22, type, 16, width);
    const std::int64_t row_bytes = quant::num_bytes(type, width);
    for (const int columns : {1, 5, 16}) {
      for (const std::int64_t k0 : {0, 256, 512}) {
        for (std::int64_t depth : {std::int64_t{0}, std::int64_t{256}, width - k0, block == 1 ? std::int64_t{19} : block}) {
          Floats want(static_cast<std::size_t>(depth * kPanelColumns) + 1, 0), row(static_cast<std::size_t>(width));
          want.back() = 7;
          for (int n = 0; n < columns; ++n) {
            quant::decode(type, bytes.data() + n * row_bytes, width, row.data());
            for (std::int64_t i = 0; i < depth; ++i) want[i * kPanelColumns + n] = row[k0 + i];
          }
          for (const Kernels* k : available_kernels()) {
            SCOPED_TRACE(std::string(k->isa) + " " + std::string(quant::traits(type).name));
            Floats got(want.size(), 7);
            k->decode_transposed(type, bytes.data(), row_bytes, columns, k0, depth, got.data());
            expect_equal_bits(got, want);
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace onggi::kernels
