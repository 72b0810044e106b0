#include "onggi/quant/blocks.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>

#include "onggi/core/error.h"
#include "onggi/core/random.h"
#include "onggi/quant/dtype.h"
#include "onggi/quant/test_support.h"
#include "tests/support/shared.h"
#include "tests/support/tolerance.h"

namespace onggi::quant {
namespace {

using onggi::testing::expect_equal_bits;
using onggi::testing::shared_folder;
using testing::hex_numbers;
using testing::read_numbers;
using Bytes = std::vector<std::uint8_t>;
using Floats = std::vector<float>;

constexpr std::array kDecoded = {DType::kF16,  DType::kBF16, DType::kQ4_0, DType::kQ4_1, DType::kQ5_0,
                                 DType::kQ5_1, DType::kQ8_0, DType::kQ4_K, DType::kQ5_K, DType::kQ6_K};
constexpr std::array kEncoded = {DType::kF16, DType::kBF16, DType::kQ8_0, DType::kQ4_0};

Floats decoded(DType type, const Bytes& blocks) {
  const auto elements =
      static_cast<std::int64_t>(blocks.size()) / traits(type).block_bytes * traits(type).block_elements;
  Floats out(static_cast<std::size_t>(elements));
  decode(type, reinterpret_cast<const std::byte*>(blocks.data()), elements, out.data());
  return out;
}

Bytes encoded(DType type, const Floats& values) {
  const auto elements = static_cast<std::int64_t>(values.size());
  Bytes out(static_cast<std::size_t>(num_bytes(type, elements)));
  encode(type, values.data(), elements, reinterpret_cast<std::byte*>(out.data()));
  return out;
}

/// (-1)^i (i + 1) / 64, the numbers of the vectors worked out by hand in the format's description.
Floats ramp() {
  Floats x(32);
  for (int i = 0; i < 32; ++i) x[static_cast<std::size_t>(i)] = static_cast<float>(i % 2 == 0 ? i + 1 : -i - 1) / 64.0F;
  return x;
}

TEST(Blocks, DecodeEqualsTheReferenceTool) {
  const Json golden = testing::golden("blocks.json");
  for (const DType type : kDecoded) {
    const std::string name(traits(type).name);
    expect_equal_bits(decoded(type, hex_numbers<std::uint8_t>(golden[name]["blocks"])),
                      hex_numbers<float>(golden[name]["decoded"]), name.c_str());
  }
}

TEST(Blocks, EncodeEqualsTheReferenceTool) {
  const Json golden = testing::golden("blocks.json");
  for (const DType type : kEncoded) {
    const Json& entry = golden[std::string(traits(type).name)];
    EXPECT_EQ(encoded(type, hex_numbers<float>(entry["input"])), hex_numbers<std::uint8_t>(entry["encoded"]))
        << traits(type).name;
  }
}

TEST(Blocks, SharedFixturesDecodeAndEncodeToTheSameBits) {
  ONGGI_NEED_SHARED("fixtures/gguf-blocks");
  const auto folder = shared_folder() / "fixtures" / "gguf-blocks";
  for (const DType type : kDecoded) {
    const std::string name(traits(type).name);
    expect_equal_bits(decoded(type, read_numbers<std::uint8_t>(folder / (name + ".bin"))),
                      read_numbers<float>(folder / (name + ".f32")), name.c_str());
  }
  for (const DType type : kEncoded) {
    const std::string name(traits(type).name);
    EXPECT_EQ(encoded(type, read_numbers<float>(folder / (name + ".in.f32"))),
              read_numbers<std::uint8_t>(folder / (name + ".enc.bin")))
        << name;
  }
}

TEST(Blocks, VectorsWorkedOutByHand) {
  const Bytes q4 = encoded(DType::kQ4_0, ramp());
  EXPECT_EQ(q4, (Bytes{0x00, 0x2c, 0xc8, 0x48, 0xd9, 0x37, 0xd9, 0x37, 0xea, 0x26, 0xea, 0x26, 0xfb, 0x15, 0xfb, 0x15,
                       0xfc, 0x04}));
  const Bytes q8 = encoded(DType::kQ8_0, ramp());
  EXPECT_EQ(q8[0], 0x08);
  EXPECT_EQ(q8[1], 0x1c);
  EXPECT_EQ(static_cast<std::int8_t>(q8[2]), 4);
  EXPECT_EQ(static_cast<std::int8_t>(q8[18]), 67);
  EXPECT_EQ(static_cast<std::int8_t>(q8[33]), -127);
}

TEST(Blocks, Q4_0TakesTheFirstOfEqualMagnitudes) {
  Floats x(32);
  x[4] = -2;
  x[9] = 2;
  const Floats back = decoded(DType::kQ4_0, encoded(DType::kQ4_0, x));
  EXPECT_EQ(back[4], -2);
  EXPECT_EQ(back[9], 1.75F) << "the side opposite to the extreme reaches 7 of 8 steps";
}

TEST(Blocks, EveryNibbleOfQ4_0MeansItsValue) {
  for (const float d : {1.0F, -0.5F, 0.0F, 0x1.0p-24F, 65504.0F}) {
    for (int byte = 0; byte < 256; ++byte) {
      Bytes block(18, static_cast<std::uint8_t>(byte));
      const std::uint16_t scale = f32_to_f16(d);
      std::memcpy(block.data(), &scale, 2);
      const Floats y = decoded(DType::kQ4_0, block);
      for (std::size_t j = 0; j < 16; ++j) {
        ASSERT_EQ(y[j], static_cast<float>((byte & 15) - 8) * d);
        ASSERT_EQ(y[j + 16], static_cast<float>((byte >> 4) - 8) * d);
      }
    }
  }
}

TEST(Blocks, EveryScaleAndMinimumOfQ4_KSurvivesItsPacking) {
  for (int sub = 0; sub < 8; ++sub) {
    for (int scale = 0; scale < 64; ++scale) {
      for (int minimum = 0; minimum < 64; ++minimum) {
        Bytes b(144, 0x11);  // every code is 1
        const std::uint16_t one = f32_to_f16(1.0F);
        std::memcpy(&b[0], &one, 2);
        std::memcpy(&b[2], &one, 2);
        std::uint8_t* s = &b[4];
        std::memset(s, 0, 12);
        if (sub < 4) {
          s[sub] = static_cast<std::uint8_t>(scale);
          s[sub + 4] = static_cast<std::uint8_t>(minimum);
        } else {
          s[sub + 4] = static_cast<std::uint8_t>((scale & 15) | (minimum & 15) << 4);
          s[sub - 4] = static_cast<std::uint8_t>(scale >> 4 << 6);
          s[sub] = static_cast<std::uint8_t>(minimum >> 4 << 6);
        }
        const Floats y = decoded(DType::kQ4_K, b);
        ASSERT_EQ(y[static_cast<std::size_t>(sub) * 32], static_cast<float>(scale - minimum));
        ASSERT_EQ(y[static_cast<std::size_t>(sub) * 32 + 31], static_cast<float>(scale - minimum));
      }
    }
  }
}

TEST(Blocks, ErrorOfARoundTripStaysWithinTheStep) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Floats x(32);
    float largest = 0;
    for (std::size_t i = 0; i < 32; ++i) {
      x[i] = (uniform_float(seed, 0, i) - 0.5F) * std::ldexp(1.0F, static_cast<int>(seed % 20) - 10);
      largest = std::max(largest, std::abs(x[i]));
    }
    const Floats q8 = decoded(DType::kQ8_0, encoded(DType::kQ8_0, x));
    const Floats q4 = decoded(DType::kQ4_0, encoded(DType::kQ4_0, x));
    for (std::size_t i = 0; i < 32; ++i) {
      // Half a step, or a whole one opposite to the extreme of Q4_0; and codes times the F16 rounding of the step.
      ASSERT_NEAR(q8[i], x[i], largest / 127 * 0.5F + 127 * std::max(largest / 127 * 0x1.0p-11F, 0x1.0p-25F));
      ASSERT_NEAR(q4[i], x[i], largest / 8 + 8 * std::max(largest / 8 * 0x1.0p-11F, 0x1.0p-25F));
    }
  }
}

TEST(Blocks, TinyNumbersBecomeZeroAndWhatABlockCannotHoldIsRefused) {
  for (const DType type : {DType::kQ8_0, DType::kQ4_0}) {
    for (const float tiny : {0.0F, 1e-45F, 1e-40F, -1e-38F}) {
      for (const float y : decoded(type, encoded(type, Floats(32, tiny)))) ASSERT_EQ(y, 0.0F);
    }
    for (const float bad : {NAN, INFINITY, -INFINITY, 1e30F}) {
      for (const std::size_t at : {0, 17, 31}) {
        Floats x(32, 1.0F);
        x[at] = bad;
        try {
          encoded(type, x);
          ADD_FAILURE() << "took " << bad;
        } catch (const Error& e) {
          EXPECT_EQ(e.code(), ErrorCode::kInvalidArgument);
        }
      }
    }
  }
}

TEST(Blocks, TypesWithoutADecoderOrEncoderAreRefusedByName) {
  float x[256] = {};
  std::byte b[1024] = {};
  for (const DType type : {DType::kNF4, DType::kI32, DType::kU8}) {
    EXPECT_THROW(decode(type, b, 64, x), Error);
  }
  for (const DType type : {DType::kQ4_K, DType::kQ4_1, DType::kI64}) {
    try {
      encode(type, x, 256, b);
      ADD_FAILURE();
    } catch (const Error& e) {
      EXPECT_NE(e.message().find(traits(type).name), std::string::npos) << e.what();
    }
  }
}

/// The value of an F16 by its definition.
double half_by_definition(std::uint32_t bits) {
  const auto exponent = static_cast<int>(bits >> 10 & 31);
  const double mantissa = bits & 1023;
  const double magnitude = exponent == 0 ? std::ldexp(mantissa, -24) : std::ldexp(1024 + mantissa, exponent - 25);
  return (bits & 0x8000) != 0 ? -magnitude : magnitude;
}

TEST(HalfFloat, EveryPatternDecodesAndComesBack) {
  for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
    const float value = f16_to_f32(static_cast<std::uint16_t>(bits));
    if ((bits & 0x7C00) == 0x7C00) {
      ASSERT_EQ(std::isnan(value), (bits & 0x3FF) != 0);
      ASSERT_EQ(std::isnan(f16_to_f32(f32_to_f16(value))), std::isnan(value));
      ASSERT_TRUE(std::isnan(value) || f32_to_f16(value) == bits);
      continue;
    }
    ASSERT_EQ(value, half_by_definition(bits));
    ASSERT_EQ(f32_to_f16(value), bits);
  }
}

TEST(HalfFloat, RoundsToNearestWithTiesToEven) {
  for (std::uint32_t bits = 0; bits < 0x7C00; ++bits) {
    const double low = half_by_definition(bits);
    const double high = bits == 0x7BFF ? 65536.0 : half_by_definition(bits + 1);
    const auto middle = static_cast<float>((low + high) / 2);
    ASSERT_EQ(f32_to_f16(middle), bits + (bits & 1)) << bits;
    ASSERT_EQ(f32_to_f16(std::nextafter(middle, 0.0F)), bits) << bits;
    ASSERT_EQ(f32_to_f16(std::nextafter(middle, 1e9F)), bits + 1) << bits;
    ASSERT_EQ(f32_to_f16(-middle), 0x8000 | (bits + (bits & 1))) << bits;
  }
  EXPECT_EQ(f32_to_f16(1e-45F), 0);
  EXPECT_EQ(f32_to_f16(std::numeric_limits<float>::max()), 0x7C00);
}

TEST(BFloat, RoundsToNearestWithTiesToEvenAndKeepsNan) {
  for (std::uint32_t high = 0; high < 0x10000; ++high) {
    const auto value = std::bit_cast<float>(high << 16);
    ASSERT_EQ(std::bit_cast<std::uint32_t>(bf16_to_f32(static_cast<std::uint16_t>(high))), high << 16);
    if (std::isnan(value)) {
      ASSERT_TRUE(std::isnan(bf16_to_f32(f32_to_bf16(std::bit_cast<float>(high << 16 | 0xFFFF)))));
      continue;
    }
    ASSERT_EQ(f32_to_bf16(value), high);
    if (std::isinf(value)) continue;
    ASSERT_EQ(f32_to_bf16(std::bit_cast<float>(high << 16 | 0x7FFF)), high);
    ASSERT_EQ(f32_to_bf16(std::bit_cast<float>(high << 16 | 0x8000)), high + (high & 1));
    ASSERT_EQ(f32_to_bf16(std::bit_cast<float>(high << 16 | 0x8001)), high + 1);
  }
  EXPECT_TRUE(std::isnan(bf16_to_f32(f32_to_bf16(std::bit_cast<float>(0x7F800001)))));
}

TEST(Finite, EveryScaleAndEveryPlainNumberCounts) {
  struct Place {
    DType type;
    std::vector<int> offsets;  // Of 16-bit numbers within a block.
  };
  const Place places[] = {{DType::kQ4_0, {0}}, {DType::kQ4_1, {0, 2}}, {DType::kQ5_0, {0}},    {DType::kQ5_1, {0, 2}}, {DType::kQ8_0, {0}},
                          {DType::kQ4_K, {0, 2}}, {DType::kQ5_K, {0, 2}}, {DType::kQ6_K, {208}}, {DType::kF16, {0}}};
  for (const auto& [type, offsets] : places) {
    const auto& t = traits(type);
    std::vector<std::uint8_t> blocks(static_cast<std::size_t>(3 * t.block_bytes), 0x11);
    std::vector<float> values(static_cast<std::size_t>(3 * t.block_elements));
    const auto* bytes = reinterpret_cast<const std::byte*>(blocks.data());
    EXPECT_TRUE(is_finite(type, bytes, std::ssize(values))) << t.name;
    for (const int offset : offsets) {
      auto broken = blocks;
      broken[static_cast<std::size_t>(2 * t.block_bytes + offset + 1)] = 0x7C;
      const auto* broken_bytes = reinterpret_cast<const std::byte*>(broken.data());
      EXPECT_FALSE(is_finite(type, broken_bytes, std::ssize(values))) << t.name << " " << offset;
      decode(type, broken_bytes, std::ssize(values), values.data());
      EXPECT_FALSE(std::all_of(values.begin(), values.end(), [](float v) { return std::isfinite(v); })) << t.name << " " << offset;
    }
  }
  const float plain[] = {1.0F, -3e38F, 0.0F, -std::numeric_limits<float>::infinity()};
  EXPECT_TRUE(is_finite(DType::kF32, reinterpret_cast<const std::byte*>(plain), 3));
  EXPECT_FALSE(is_finite(DType::kF32, reinterpret_cast<const std::byte*>(plain), 4));
  const std::uint16_t brain[] = {0x3F80, 0x7F7F, 0xFFC0};
  EXPECT_TRUE(is_finite(DType::kBF16, reinterpret_cast<const std::byte*>(brain), 2));
  EXPECT_FALSE(is_finite(DType::kBF16, reinterpret_cast<const std::byte*>(brain), 3));
}

}  // namespace
}  // namespace onggi::quant
