#include "onggi/quant/nf4.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>

#include "onggi/core/error.h"
#include "onggi/core/random.h"
#include "onggi/quant/test_support.h"
#include "tests/support/shared.h"
#include "tests/support/tolerance.h"

namespace onggi::quant {
namespace {

using onggi::testing::expect_equal_bits;
using testing::hex_numbers;
using testing::numbers;
using Bytes = std::vector<std::uint8_t>;
using Floats = std::vector<float>;

Floats decoded(const Nf4View& tensor) {
  Floats out(static_cast<std::size_t>(tensor.num_elements));
  decode_nf4(tensor, 0, tensor.num_elements, out.data());
  return out;
}

Floats random_values(std::uint64_t seed, std::size_t count) {
  Floats x(count);
  for (std::size_t i = 0; i < count; ++i) x[i] = uniform_float(seed, 0, i) * 2 - 1;
  return x;
}

/// What a reference tool made of `input`.
struct Expected {
  Floats input;
  Bytes codes;
  Floats absmax;
  Floats decoded;
  Bytes absmax_codes;
  Floats nested_absmax;
  Floats offset;
  Floats double_decoded;
};

void expect_equal(const Expected& want, const std::string& name) {
  SCOPED_TRACE(name);
  const Nf4Tensor single = encode_nf4(want.input, {.double_quantised = false});
  EXPECT_EQ(single.codes, want.codes);
  expect_equal_bits(single.absmax, want.absmax);
  expect_equal_bits(decoded(single.view()), want.decoded);
  const Nf4Tensor both = encode_nf4(want.input);
  EXPECT_EQ(both.codes, want.codes);
  EXPECT_EQ(both.absmax_codes, want.absmax_codes);
  EXPECT_TRUE(both.absmax.empty());
  expect_equal_bits(both.nested_absmax, want.nested_absmax);
  expect_equal_bits(std::span(&both.offset, 1), want.offset);
  expect_equal_bits(decoded(both.view()), want.double_decoded);
  check_nf4(single.view(), name);
  check_nf4(both.view(), name);
}

TEST(Nf4, EqualsBitsandbytesInEveryBit) {
  const Json golden = testing::golden("nf4.json");
  expect_equal_bits(nf4_nested_map(), hex_numbers<float>(golden["nested_map"]));
  for (const auto& [name, c] : golden["cases"].items()) {
    expect_equal({hex_numbers<float>(c["input"]), hex_numbers<std::uint8_t>(c["codes"]),
                  hex_numbers<float>(c["absmax"]), hex_numbers<float>(c["decoded"]),
                  hex_numbers<std::uint8_t>(c["absmax_codes"]), hex_numbers<float>(c["nested_absmax"]),
                  hex_numbers<float>(c["offset"]), hex_numbers<float>(c["double_decoded"])},
                 name);
  }
}

TEST(Nf4, EqualsTheSharedFixturesInEveryBit) {
  ONGGI_NEED_SHARED("fixtures/nf4/nf4.safetensors");
  const auto path = onggi::testing::shared_folder() / "fixtures" / "nf4" / "nf4.safetensors";
  // quant lies below formats, so the file is read by hand: header length, JSON header, bytes.
  const std::string file = read_file(path);
  const std::size_t header_bytes = numbers<std::uint64_t>(file.substr(0, 8))[0];
  const Json header = parse_json(std::string_view(file).substr(8, header_bytes), path.string());
  const auto bytes_of = [&](const std::string& name) {
    const auto begin = header[name]["data_offsets"][0].get<std::size_t>();
    const auto end = header[name]["data_offsets"][1].get<std::size_t>();
    return std::string_view(file).substr(8 + header_bytes + begin, end - begin);
  };
  const auto floats = [&](const std::string& name) { return numbers<float>(bytes_of(name)); };
  const auto bytes = [&](const std::string& name) { return numbers<std::uint8_t>(bytes_of(name)); };
  for (const std::string name : {"normal", "small", "outlier", "zeros", "wide"}) {
    EXPECT_EQ(bytes(name + ".single.codes"), bytes(name + ".double.codes"));
    expect_equal_bits(nf4_nested_map(), floats(name + ".double.nested_code"));
    expect_equal(
        {floats(name + ".input"), bytes(name + ".single.codes"), floats(name + ".single.absmax"),
         floats(name + ".single.decoded"), bytes(name + ".double.absmax"), floats(name + ".double.nested_absmax"),
         floats(name + ".double.offset"), floats(name + ".double.decoded")},
        name);
  }
}

TEST(Nf4, VectorWorkedOutByHand) {
  Floats x(64);
  for (int i = 0; i < 64; ++i) x[static_cast<std::size_t>(i)] = static_cast<float>(i % 2 == 0 ? i + 1 : -i - 1) / 64.0F;
  const Nf4Tensor tensor = encode_nf4(x, {.double_quantised = false});
  std::string text;
  for (const std::uint8_t byte : tensor.codes) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  EXPECT_EQ(text, "77868686959595a4a4b4b3b3c3c3c2c2d2d2d2d1d1e1e1e1e1e1e1e0f0f0f0f0");
  EXPECT_EQ(tensor.absmax, Floats{1.0F});
}

TEST(Nf4, ThresholdsHaveTheirBitsAndATieGoesDown) {
  constexpr std::uint32_t kBits[] = {0xbf591cd8, 0xbf1c5270, 0xbeeb8480, 0xbeadea76, 0xbe703cec,
                                     0xbe0d38bc, 0xbd3a7871, 0x3d22faff, 0x3df64862, 0x3e5067e0,
                                     0x3e9582d4, 0x3ec753f9, 0x3f006d04, 0x3f248daf, 0x3f5c89da};
  for (std::size_t i = 0; i + 1 < 16; ++i) {
    const auto middle = std::bit_cast<float>(kBits[i]);
    const Floats x = {1.0F, middle, std::nextafter(middle, 2.0F), 0.0F};
    const Nf4Tensor tensor = encode_nf4(x, {.double_quantised = false});
    EXPECT_EQ(tensor.codes[0], 15 << 4 | i);
    EXPECT_EQ(tensor.codes[1], (i + 1) << 4 | 7);
  }
}

TEST(Nf4, CodesFollowTheirDefinitionForAnyLengthAndMagnitude) {
  for (const std::size_t count : {1, 2, 63, 64, 65, 127, 128, 129, 1000}) {
    for (const float scale : {1.0F, 1e-30F, 1e-37F, 1e30F}) {
      Floats x = random_values(count, count);
      for (float& v : x) v *= scale;
      const Nf4Tensor tensor = encode_nf4(x, {.double_quantised = false});
      for (std::size_t i = 0; i < count; ++i) {
        const float z = x[i] * (1.0F / tensor.absmax[i / 64]);
        int want = 0;
        for (std::size_t t = 0; t + 1 < 16; ++t) want += z > (kNf4Codebook[t] + kNf4Codebook[t + 1]) / 2 ? 1 : 0;
        const int byte = tensor.codes[i / 2];
        ASSERT_EQ(i % 2 == 0 ? byte >> 4 : byte & 15, want) << count << " " << scale << " " << i;
      }
      if (count % 2 == 1) {
        EXPECT_EQ(tensor.codes.back() & 15, 7) << "padding stands for zero";
      }
    }
  }
}

TEST(Nf4, ZeroAndDenormalBlocksDecodeToNearZero) {
  for (const float tiny : {0.0F, -0.0F, 1e-45F, 1e-40F}) {
    const Nf4Tensor tensor = encode_nf4(Floats(64, tiny), {.double_quantised = false});
    for (const float y : decoded(tensor.view())) ASSERT_NEAR(y, 0, 1e-38);
  }
  const Nf4Tensor zeros = encode_nf4(Floats(64, 0.0F));
  EXPECT_EQ(zeros.codes, Bytes(32, 0x77));
  expect_equal_bits(decoded(zeros.view()), Floats(64, 0.0F));
}

TEST(Nf4, AnyRangeIsThatPartOfTheWhole) {
  const Nf4Tensor tensor = encode_nf4(random_values(3, 3 * 333));  // rows of odd width cross blocks and bytes
  const Floats whole = decoded(tensor.view());
  for (std::int64_t row = 0; row < 3; ++row) {
    Floats got(333);
    decode_nf4_row(tensor.view(), row, 333, got.data());
    expect_equal_bits(got, std::span(whole).subspan(static_cast<std::size_t>(row) * 333, 333));
  }
  for (std::uint64_t i = 0; i < 300; ++i) {
    const auto first = static_cast<std::int64_t>(uniform_int(1, 0, i, 999));
    const auto count = static_cast<std::int64_t>(uniform_int(2, 0, i, static_cast<std::uint64_t>(1000 - first)));
    Floats got(static_cast<std::size_t>(count) + 1, 7.0F);
    decode_nf4(tensor.view(), first, count, got.data());
    EXPECT_EQ(got.back(), 7.0F) << "wrote past the end";
    got.pop_back();
    expect_equal_bits(got, std::span(whole).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count)));
  }
}

TEST(Nf4, OtherBlockSizesOfFilesAreRead) {
  const Bytes codes(64, 0xF0);  // 1, -1, 1, -1 ...
  const Floats absmax = {1, 2, 3, 4};
  const Nf4View tensor{.num_elements = 128, .block = 32, .codes = codes, .absmax = absmax};
  check_nf4(tensor, "test");
  const Floats y = decoded(tensor);
  for (std::size_t i = 0; i < 128; ++i) ASSERT_EQ(y[i], absmax[i / 32] * (i % 2 == 0 ? 1.0F : -1.0F));
}

TEST(Nf4, DoubleQuantisationCostsWhatItShouldAndStaysNear) {
  const Floats x = random_values(5, 64 * 256 * 2 + 64);
  const Nf4Tensor single = encode_nf4(x, {.double_quantised = false});
  const Nf4Tensor both = encode_nf4(x);
  EXPECT_EQ(single.num_bytes() * 16, static_cast<std::int64_t>(x.size()) * 9);  // 0.5625 bytes an element
  EXPECT_EQ(both.nested_absmax.size(), 3U);
  EXPECT_LT(static_cast<double>(both.num_bytes()), 0.5159 * static_cast<double>(x.size()) + 8);
  for (std::int64_t b = 0; b < 513; ++b) {
    ASSERT_NEAR(both.view().block_absmax(b), single.absmax[static_cast<std::size_t>(b)], 0.01F);
  }
}

TEST(Nf4, WhatIsNotFiniteIsRefused) {
  for (const float bad : {NAN, INFINITY, -INFINITY}) {
    Floats x(100, 1.0F);
    x[70] = bad;
    try {
      encode_nf4(x);
      ADD_FAILURE();
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ErrorCode::kInvalidArgument);
      EXPECT_NE(e.message().find("64 to 99"), std::string::npos) << e.what();
    }
  }
}

TEST(Nf4, PartsThatDoNotFitAreRefusedByName) {
  const Nf4Tensor tensor = encode_nf4(random_values(9, 64 * 300));
  const auto expect_refused = [&](const char* part, auto change) {
    Nf4View view = tensor.view();
    change(view);
    try {
      check_nf4(view, "model.safetensors");
      ADD_FAILURE() << part;
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ErrorCode::kCorrupt);
      EXPECT_NE(e.message().find(part), std::string::npos) << e.what();
      EXPECT_EQ(e.where(), "model.safetensors");
    }
  };
  expect_refused("codes", [](Nf4View& v) { v.codes = v.codes.first(5); });
  expect_refused("absmax", [](Nf4View& v) { v.absmax_codes = v.absmax_codes.first(299); });
  expect_refused("absmax", [](Nf4View& v) { v.absmax_codes = {}; });
  expect_refused("nested_absmax", [](Nf4View& v) { v.nested_absmax = v.nested_absmax.first(1); });
  expect_refused("nested_quant_map", [](Nf4View& v) { v.nested_map = v.nested_map.first(16); });
  expect_refused("block size", [](Nf4View& v) { v.block = 0; });
  expect_refused("block size", [](Nf4View& v) { v.block = 48; });
  expect_refused("block size", [](Nf4View& v) { v.nested_block = -256; });
  expect_refused("codes", [](Nf4View& v) { v.num_elements += 2; });
}

TEST(Nf4, AnEmptyTensorIsEmpty) {
  for (const bool is_double : {false, true}) {
    const Nf4Tensor tensor = encode_nf4({}, {.double_quantised = is_double});
    check_nf4(tensor.view(), "");
    EXPECT_TRUE(decoded(tensor.view()).empty());
  }
}

}  // namespace
}  // namespace onggi::quant
