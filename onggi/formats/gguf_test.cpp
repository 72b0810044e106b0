#include "onggi/formats/gguf.h"

#include <cmath>
#include <limits>

#include "onggi/core/files.h"
#include "onggi/formats/gguf_types.h"
#include "onggi/formats/gguf_writer.h"
#include "onggi/formats/test_support.h"
#include "onggi/quant/blocks.h"
#include "tests/support/shared.h"

namespace onggi::formats {
namespace {

using quant::DType;
using testing::Bytes;
using testing::bytes_of;
using testing::expect_error;
using testing::GgufParts;
using testing::TemporaryFolder;

/// What one case changes in a good file, and what the error must be.
struct Case {
  std::string name;
  std::vector<std::string> parts;  ///< The message holds them all.
  std::function<void(GgufParts&)> change;
  ErrorCode code = ErrorCode::kCorrupt;
};

constexpr std::uint64_t kHuge = std::uint64_t{1} << 63;

/// One key of this type and value in the place of the good one.
auto key_of(std::uint32_t type, const std::string& value) {
  return [=](GgufParts& f) { f.keys = Bytes().string("k").u32(type).raw(value).text(); };
}

std::vector<Case> header_and_key_cases() {
  return {
      {"empty", {"magic"}, [](GgufParts& f) { f = {.magic = "", .tensors = {}, .data = ""}; }},
      {"wrong magic", {"magic", "GGUF"}, [](GgufParts& f) { f.magic = "GGML"; }},
      {"version 1", {"version 1", "expected 3"}, [](GgufParts& f) { f.version = 1; }},
      {"version 4", {"version 4", "expected 3"}, [](GgufParts& f) { f.version = 4; }},
      {"big-endian", {"big-endian"}, [](GgufParts& f) { f.version = 0x03000000; }},
      {"too many tensors", {"tensors", "9223372036854775808"}, [](GgufParts& f) { f.num_tensors = kHuge; }},
      {"a few tensors too many", {"tensor"}, [](GgufParts& f) { f.num_tensors = 3; }},
      {"too many keys", {"keys", "9223372036854775808"}, [](GgufParts& f) { f.num_keys = kHuge; }},
      {"a few keys too many", {"key"}, [](GgufParts& f) { f.num_keys = 20; }},
      {"huge string", {"a string", "18446744073709551615"}, key_of(8, Bytes().u64(~0ULL).text())},
      {"huge key", {"a key"}, [](GgufParts& f) { f.keys = Bytes().u64(kHuge).text(); }},
      {"empty key", {"key \"\"", "expected 1"}, [](GgufParts& f) { f.keys = Bytes().string("").u32(4).u32(1).text(); }},
      {"key not UTF-8",
       {"\\xff", "UTF-8"},
       [](GgufParts& f) { f.keys = Bytes().string("a\xff\x1b[2J").u32(4).u32(1).text(); }},
      {"string not UTF-8", {"\"k\"", "UTF-8"}, key_of(8, Bytes().string("\xc0\xaf").text())},
      {"key twice",
       {"\"k\"", "twice"},
       [](GgufParts& f) {
         f.num_keys = 2;
         f.keys = Bytes().string("k").u32(4).u32(1).string("k").u32(4).u32(2).text();
       }},
      {"array and scalar of one key",
       {"\"k\"", "twice"},
       [](GgufParts& f) {
         f.num_keys = 2;
         f.keys = Bytes().string("k").u32(9).u32(4).u64(0).string("k").u32(4).u32(2).text();
       }},
      {"bool 2", {"\"k\"", "bool", "2"}, key_of(7, Bytes().u8(2).text())},
      {"bool 2 in an array", {"\"k\"", "bool", "2"}, key_of(9, Bytes().u32(7).u64(2).u8(1).u8(2).text())},
      {"unknown value type", {"\"k\"", "type 13"}, key_of(13, Bytes().u64(0).text())},
      {"unknown array type", {"\"k\"", "type 4294967295"}, key_of(9, Bytes().u32(~0U).u64(0).text())},
      {"nested arrays", {"\"k\"", "array of arrays"}, key_of(9, Bytes().u32(9).u64(1).u32(9).u64(1).text())},
      {"huge array", {"\"k\"", "9223372036854775808"}, key_of(9, Bytes().u32(12).u64(kHuge).text())},
      {"array whose bytes overflow", {"\"k\""}, key_of(9, Bytes().u32(10).u64((std::uint64_t{1} << 61) + 1).text())},
      {"huge string array", {"\"k\""}, key_of(9, Bytes().u32(8).u64(kHuge).text())},
      {"huge string in an array",
       {"a string of an array"},
       key_of(9, Bytes().u32(8).u64(2).string("a").u64(~0ULL).text())},
  };
}

GgufParts::Tensor& first(GgufParts& f) { return f.tensors[0]; }

std::vector<Case> tensor_cases() {
  const auto alignment = [](std::uint32_t type, const std::string& value) {
    return [=](GgufParts& f) { f.keys = Bytes().string("general.alignment").u32(type).raw(value).text(); };
  };
  return {
      {"alignment 0", {"general.alignment", "0"}, alignment(4, Bytes().u32(0).text())},
      {"alignment 48", {"general.alignment", "48", "power of two"}, alignment(4, Bytes().u32(48).text())},
      {"alignment too large", {"general.alignment"}, alignment(4, Bytes().u32(1U << 31).text())},
      {"alignment as text", {"general.alignment"}, alignment(8, Bytes().string("32").text())},
      {"alignment as number below 0", {"general.alignment"}, alignment(5, Bytes().u32(~31U).text())},
      {"name twice",
       {"\"t\"", "twice"},
       [](GgufParts& f) {
         f.num_tensors = 2;
         f.tensors.push_back(f.tensors[0]);
       }},
      {"empty name", {"name"}, [](GgufParts& f) { first(f).name = ""; }},
      {"long name", {"name of 300"}, [](GgufParts& f) { first(f).name = std::string(300, 'n'); }},
      {"name not UTF-8", {"\\xed"}, [](GgufParts& f) { first(f).name = "\xed\xa0\x80"; }},
      {"no dimensions", {"\"t\"", "0 dimensions"}, [](GgufParts& f) { first(f).dims = {}; }},
      {"five dimensions",
       {"\"t\"", "5 dimensions"},
       [](GgufParts& f) {
         first(f).dims = {2, 2, 2, 2, 2};
       }},
      {"dimension 0",
       {"\"t\"", "dimension of 0"},
       [](GgufParts& f) {
         first(f).dims = {64, 0};
       }},
      {"huge dimension", {"\"t\"", "9223372036854775808"}, [](GgufParts& f) { first(f).dims = {kHuge}; }},
      {"dimensions whose product overflows",
       {"\"t\"", "4294967296"},
       [](GgufParts& f) {
         first(f).dims = {1ULL << 32, 1ULL << 32, 1ULL << 32};
       }},
      {"product 2^64 exactly",
       {"\"t\""},
       [](GgufParts& f) {
         first(f).dims = {1ULL << 16, 1ULL << 16, 1ULL << 16, 1ULL << 16};
       }},
      {"larger than the file", {"\"t\"", "1048576", "1024"}, [](GgufParts& f) { first(f).dims = {1ULL << 18}; }},
      {"one number larger than the file", {"\"t\"", "1028", "1024"}, [](GgufParts& f) { first(f).dims = {257}; }},
      {"offset past the end", {"\"t\"", "offset 1024"}, [](GgufParts& f) { first(f).offset = 1024; }},
      {"offset near 2^64", {"\"t\"", "offset"}, [](GgufParts& f) { first(f).offset = ~0ULL - 31; }},
      {"unaligned offset", {"\"t\"", "offset 16", "32"}, [](GgufParts& f) { first(f).offset = 16; }},
      {"overlapping tensors",
       {"\"u\"", "overlaps", "\"t\""},
       [](GgufParts& f) {
         f.num_tensors = 2;
         f.tensors.push_back({.name = "u", .offset = 224});
       }},
      {"equal places",
       {"overlaps"},
       [](GgufParts& f) {
         f.num_tensors = 2;
         f.tensors.push_back({.name = "u"});
       }},
      {"row no multiple of 32",
       {"\"t\"", "rows of 33", "Q8_0", "32"},
       [](GgufParts& f) {
         first(f) = {.dims = {33, 32}, .type = 8};
       }},
      {"row no multiple of 256",
       {"\"t\"", "rows of 640", "Q4_K", "256"},
       [](GgufParts& f) {
         first(f) = {.dims = {640, 2}, .type = 12};
       }},
      {"IQ2_XXS", {"\"t\"", "IQ2_XXS", "Q4_K"}, [](GgufParts& f) { first(f).type = 16; }, ErrorCode::kInvalidArgument},
      {"Q2_K", {"\"t\"", "Q2_K"}, [](GgufParts& f) { first(f).type = 10; }, ErrorCode::kInvalidArgument},
      {"removed type", {"\"t\"", "Q4_0_4_4"}, [](GgufParts& f) { first(f).type = 31; }, ErrorCode::kInvalidArgument},
      {"unknown type", {"\"t\"", "type 99", "Q4_K"}, [](GgufParts& f) { first(f).type = 99; }},
      {"type near 2^32", {"\"t\"", "4294967295"}, [](GgufParts& f) { first(f).type = ~0U; }},
      {"no data", {"\"t\"", "0 bytes of tensors"}, [](GgufParts& f) { f.data = ""; }},
  };
}

TEST(Gguf, HostileFilesGiveOneErrorThatSaysWhat) {
  EXPECT_EQ(parse_gguf(bytes_of(GgufParts().text()), "good.gguf")->tensors().size(), 1U)
      << "the file that the cases change is good";
  auto cases = header_and_key_cases();
  for (auto& c : tensor_cases()) cases.push_back(std::move(c));
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    GgufParts file;
    c.change(file);
    const std::string text = file.text();
    auto parts = c.parts;
    parts.push_back("(folder/bad.gguf)");
    expect_error(c.code, parts, [&] { parse_gguf(bytes_of(text), "folder/bad.gguf"); });
  }
}

TEST(Gguf, ControlCharactersOfAFileNeverReachTheMessage) {
  GgufParts file;
  file.tensors[0].name = "evil\x1b[31m\r\n\x7f";
  file.tensors[0].type = 99;
  const std::string text = file.text();
  expect_error(ErrorCode::kCorrupt, {"evil\\x1b[31m\\x0d\\x0a\\x7f"}, [&] { parse_gguf(bytes_of(text), "f"); });
}

/// A file with a key of every type and three tensors.
std::string rich_file(const TemporaryFolder& folder) {
  const std::vector<GgufEntry> entries = {gguf_entry("general.architecture", "test"),
                                          gguf_entry<std::uint8_t>("u8", 255),
                                          gguf_entry<std::int8_t>("i8", -128),
                                          gguf_entry<std::uint16_t>("u16", 65535),
                                          gguf_entry<std::int16_t>("i16", -32768),
                                          gguf_entry<std::uint32_t>("u32", ~0U),
                                          gguf_entry<std::int32_t>("i32", -5),
                                          gguf_entry<std::uint64_t>("u64", ~0ULL),
                                          gguf_entry<std::int64_t>("i64", std::numeric_limits<std::int64_t>::min()),
                                          gguf_entry("f32", 0.1F),
                                          gguf_entry("f64", 0.1),
                                          gguf_entry("yes", true),
                                          gguf_entry("no", false),
                                          gguf_entry("words", std::vector<std::string>{"a", "", "\xea\xb0\x80"}),
                                          gguf_entry("floats", std::vector<float>{1.5F, -2}),
                                          gguf_entry("ints", std::vector<std::int32_t>{1, -1}),
                                          gguf_entry("flags", std::vector<bool>{true, false}),
                                          gguf_entry("none", std::vector<std::uint16_t>{}),
                                          gguf_entry("long", std::vector<std::int32_t>(5000, 3)),
                                          gguf_entry("wide", std::vector<std::uint32_t>{1, ~0U}),
                                          gguf_entry("bytes", std::vector<std::string>{"\xff"})};
  std::vector<float> values(64, 1);
  const auto read = [&](std::int64_t, std::int64_t rows, float* out) { std::fill_n(out, rows * 32, 0.5F); };
  const std::vector<TensorToWrite> tensors = {{"b", DType::kF32, {2, 32}, std::as_bytes(std::span(values))},
                                              {"a", DType::kQ8_0, {3, 32}, {}, read},
                                              {"c", DType::kF16, {1, 1, 1, 32}, {}, read}};
  write_gguf(folder / "rich.gguf", entries, tensors);
  return read_file(folder / "rich.gguf");
}

TEST(Gguf, EveryKindOfKeyAndTensorRoundTrips) {
  const TemporaryFolder folder;
  const std::string text = rich_file(folder);
  const auto c = open_checkpoint(folder / "rich.gguf");
  EXPECT_EQ(c->kind(), CheckpointKind::kGguf);
  EXPECT_EQ(c->path(), folder / "rich.gguf");
  EXPECT_TRUE(c->generation_config().is_null());
  const Json& m = c->metadata();
  EXPECT_EQ(m["u8"], 255);
  EXPECT_EQ(m["i8"], -128);
  EXPECT_EQ(m["u16"], 65535);
  EXPECT_EQ(m["i16"], -32768);
  EXPECT_EQ(m["u32"], ~0U);
  EXPECT_EQ(m["i32"], -5);
  EXPECT_EQ(m["u64"], ~0ULL);
  EXPECT_EQ(m["i64"], std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(m["f32"], static_cast<double>(0.1F));
  EXPECT_EQ(m["f64"], 0.1);
  EXPECT_EQ(m["yes"], true);
  EXPECT_EQ(m["no"], false);
  EXPECT_EQ(m["words"], (Json{"a", "", "\xea\xb0\x80"}));
  EXPECT_EQ(m["flags"], (Json{true, false}));
  EXPECT_EQ(m["none"], Json::array());
  EXPECT_FALSE(m.contains("long")) << "arrays above 4096 stay out of the metadata";
  EXPECT_FALSE(m.contains("bytes")) << "and so does what JSON can't hold";
  EXPECT_EQ(*c->string_array("words"), (std::vector<std::string_view>{"a", "", "\xea\xb0\x80"}));
  EXPECT_EQ(*c->string_array("bytes"), (std::vector<std::string_view>{"\xff"}));
  EXPECT_EQ(*c->float_array("floats"), (std::vector<float>{1.5F, -2}));
  EXPECT_EQ(*c->int_array("ints"), (std::vector<std::int32_t>{1, -1}));
  EXPECT_EQ(*c->int_array("flags"), (std::vector<std::int32_t>{1, 0}));
  EXPECT_EQ(c->int_array("long")->size(), 5000U);
  EXPECT_TRUE(c->int_array("none")->empty());
  EXPECT_FALSE(c->string_array("u8").has_value()) << "no array";
  EXPECT_FALSE(c->float_array("absent").has_value());
  expect_error(ErrorCode::kCorrupt, {"\"words\"", "f32"}, [&] { c->float_array("words"); });
  expect_error(ErrorCode::kCorrupt, {"\"floats\"", "integers"}, [&] { c->int_array("floats"); });
  expect_error(ErrorCode::kCorrupt, {"\"ints\"", "strings", "rich.gguf"}, [&] { c->string_array("ints"); });
  expect_error(ErrorCode::kCorrupt, {"\"wide\"", "4294967295"}, [&] { c->int_array("wide"); });
  ASSERT_EQ(c->tensors().size(), 3U);
  EXPECT_EQ(c->tensors()[0].name, "b") << "the order of the file is kept";
  EXPECT_EQ(c->find("a")->shape, (std::vector<std::int64_t>{3, 32}));
  EXPECT_EQ(c->find("a")->type, DType::kQ8_0);
  EXPECT_EQ(c->find("c")->shape.size(), 4U);
  EXPECT_EQ(c->find("d"), nullptr);
  std::vector<float> row(32);
  quant::decode(DType::kF16, c->find("c")->data.data(), 32, row.data());
  EXPECT_EQ(row, std::vector<float>(32, 0.5F));

  std::vector<TensorToWrite> copies;
  for (const auto& t : c->tensors()) copies.push_back({t.name, t.type, t.shape, t.data});
  write_gguf(folder / "copy.gguf", gguf_entries(*c), copies);
  EXPECT_EQ(read_file(folder / "copy.gguf"), text);
}

TEST(Gguf, AFileCutAtAnyByteIsRefused) {
  const TemporaryFolder folder;
  const std::string text = rich_file(folder);
  const auto whole = parse_gguf(bytes_of(text), "whole.gguf");
  const auto last = whole->find("c")->data;
  const auto end = static_cast<std::size_t>(last.data() + last.size() - bytes_of(text).data());
  ASSERT_LE(text.size() - end, 32U);
  for (std::size_t size = 0; size < end; ++size) {
    // The 20,000 bytes of the long array behave alike.
    if (size > 800 && size + 2500 < end && size % 97 != 0) continue;
    const std::string cut = text.substr(0, size);
    try {
      parse_gguf(bytes_of(cut), "cut.gguf");
      FAIL() << "took " << size << " of " << text.size() << " bytes";
    } catch (const Error& e) {
      ASSERT_EQ(e.code(), ErrorCode::kCorrupt) << e.what();
      ASSERT_EQ(e.where(), "cut.gguf");
    }
  }
}

TEST(Gguf, AnyChangedByteOpensOrGivesOneError) {
  const TemporaryFolder folder;
  const std::string text = rich_file(folder);
  for (std::size_t i = 0; i < text.size(); i += i < 1200 || i + 1200 > text.size() ? 1 : 211) {
    for (const char value : {'\x00', '\x01', '\x7f', '\xff'}) {
      std::string changed = text;
      changed[i] = value;
      try {
        const auto c = parse_gguf(bytes_of(changed), "changed.gguf");
        for (const auto& t : c->tensors()) ASSERT_LE(t.data.size(), text.size());
      } catch (const Error& e) {
        ASSERT_TRUE(e.code() == ErrorCode::kCorrupt || e.code() == ErrorCode::kInvalidArgument) << e.what();
      }
    }
  }
}

TEST(Gguf, VocabulariesWithoutTensorsOpen) {
  ONGGI_NEED_SHARED("data/tokenizers");
  int count = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(onggi::testing::shared_folder() / "data" / "tokenizers")) {
    if (entry.path().extension() != ".gguf") continue;
    const auto c = open_checkpoint(entry.path());
    EXPECT_TRUE(c->tensors().empty());
    const auto tokens = c->string_array("tokenizer.ggml.tokens");
    ASSERT_TRUE(tokens.has_value()) << entry.path();
    EXPECT_GT(tokens->size(), 30000U);
    EXPECT_EQ(c->int_array("tokenizer.ggml.token_type")->size(), tokens->size());
    const TemporaryFolder folder;
    write_gguf(folder / "copy.gguf", gguf_entries(*c), {});
    EXPECT_EQ(read_file(folder / "copy.gguf"), read_file(entry.path())) << "a copy has the same bytes";
    ++count;
  }
  EXPECT_GT(count, 0);
}

TEST(GgufWriter, SameArgumentsSameBytesAndAlignmentIsObeyed) {
  const TemporaryFolder folder;
  EXPECT_EQ(rich_file(folder), rich_file(folder));
  const std::vector<float> x(8, 1);
  const std::vector<TensorToWrite> tensors = {{"a", DType::kF32, {8}, std::as_bytes(std::span(x))},
                                              {"b", DType::kF32, {8}, std::as_bytes(std::span(x))}};
  const std::vector<GgufEntry> entries = {gguf_entry<std::uint32_t>("general.alignment", 256)};
  write_gguf(folder / "aligned.gguf", entries, tensors);
  const auto c = open_gguf(folder / "aligned.gguf");
  EXPECT_EQ(c->find("b")->data.data() - c->find("a")->data.data(), 256);
  EXPECT_EQ(read_file(folder / "aligned.gguf").size() % 256, 0U);
}

TEST(GgufWriter, WhatCannotBeWrittenIsRefusedAndTheOldFileStays) {
  const TemporaryFolder folder;
  const auto path = folder.put("model.gguf", "old");
  const std::vector<float> x(64, 1);
  const auto bytes = std::as_bytes(std::span(x));
  const TensorToWrite good = {"t", DType::kF32, {2, 32}, bytes};
  const auto with = [&](auto change) {
    TensorToWrite t = good;
    change(t);
    return std::vector<TensorToWrite>{t};
  };
  const auto rows_of = [](float value) {
    return [value](std::int64_t, std::int64_t n, float* out) { std::fill_n(out, n * 32, value); };
  };
  const auto refuse = [&](std::vector<std::string> parts, const std::vector<GgufEntry>& entries,
                          const std::vector<TensorToWrite>& tensors) {
    parts.push_back("model.gguf");
    expect_error(ErrorCode::kInvalidArgument, parts, [&] { write_gguf(path, entries, tensors); });
    EXPECT_EQ(read_file(path), "old");
    EXPECT_EQ(folder.num_files(), 1U) << "a temporary file was left";
  };
  refuse({"\"t\"", "twice"}, {}, {good, good});
  refuse({"\"k\"", "twice"}, {gguf_entry("k", 1), gguf_entry("k", 2)}, {});
  refuse({"key \"\""}, {gguf_entry("", 1)}, {});
  refuse({"\\xff"}, {gguf_entry("\xff", 1)}, {});
  refuse({"general.alignment"}, {gguf_entry<std::uint32_t>("general.alignment", 33)}, {good});
  refuse({"general.alignment"}, {gguf_entry<std::uint64_t>("general.alignment", 32)}, {good});
  refuse({"64 bytes"}, {}, with([](auto& t) { t.name = std::string(64, 'n'); }));
  refuse({"dimensions"}, {}, with([](auto& t) { t.shape = {}; }));
  refuse({"dimensions"}, {}, with([](auto& t) { t.shape = {1, 1, 1, 2, 32}; }));
  refuse({"dimensions"}, {}, with([](auto& t) { t.shape = {0, 32}; }));
  refuse({"\"t\"", "256 bytes", "384"}, {}, with([](auto& t) { t.shape = {3, 32}; }));
  refuse({"dimension"}, {}, with([](auto& t) { t.shape = {std::int64_t{1} << 40, std::int64_t{1} << 40}; }));
  refuse({"no type U8"}, {}, with([](auto& t) { t.type = DType::kU8; }));
  refuse({"no type NF4"}, {}, with([](auto& t) { t.type = DType::kNF4; }));
  refuse({"rows of 32", "Q4_K", "256"}, {}, with([](auto& t) { t.type = DType::kQ4_K; }));
  refuse({"both"}, {}, with([&](auto& t) { t.read_rows = rows_of(1); }));
  refuse({"Q5_0", "encoded"}, {}, with([&](auto& t) { t = {"t", DType::kQ5_0, {2, 32}, {}, rows_of(1)}; }));
  refuse({"\"t\"", "element 0", "nan"}, {}, with([&](auto& t) { t = {"t", DType::kQ8_0, {2, 32}, {}, rows_of(NAN)}; }));
  refuse({"inf"}, {}, with([&](auto& t) { t = {"t", DType::kF32, {2, 32}, {}, rows_of(INFINITY)}; }));
  refuse({"70000", "F16"}, {}, with([&](auto& t) { t = {"t", DType::kF16, {2, 32}, {}, rows_of(70000)}; }));
}

TEST(GgufWriter, RowsAreAskedForInOrderOnceEachAndNeverAllAtOnce) {
  const TemporaryFolder folder;
  constexpr std::int64_t kRows = 5000;
  constexpr std::int64_t kWidth = 512;
  std::int64_t next = 0;
  std::int64_t most = 0;
  const auto read = [&](std::int64_t row, std::int64_t rows, float* out) {
    EXPECT_EQ(row, next);
    next = row + rows;
    most = std::max(most, rows);
    for (std::int64_t i = 0; i < rows * kWidth; ++i) out[i] = static_cast<float>((row * kWidth + i) % 1000);
  };
  write_gguf(folder / "big.gguf", {}, std::vector<TensorToWrite>{{"t", DType::kBF16, {kRows, kWidth}, {}, read}});
  EXPECT_EQ(next, kRows);
  EXPECT_LT(most, kRows);
  const auto c = open_gguf(folder / "big.gguf");
  std::vector<float> back(kRows * kWidth);
  quant::decode(DType::kBF16, c->find("t")->data.data(), kRows * kWidth, back.data());
  for (std::size_t i = 0; i < back.size(); ++i) {
    ASSERT_EQ(back[i], quant::bf16_to_f32(quant::f32_to_bf16(static_cast<float>(i % 1000))));
  }
}

TEST(GgufTypes, NumbersAndTypesGoBothWays) {
  int supported = 0;
  for (std::uint32_t i = 0; i < 100; ++i) {
    const auto type = gguf_tensor_type(i);
    if (!type.dtype) continue;
    ++supported;
    EXPECT_EQ(gguf_tensor_type_number(*type.dtype), i);
    EXPECT_EQ(type.name, quant::traits(*type.dtype).name);
  }
  EXPECT_EQ(supported, 14);
  EXPECT_FALSE(gguf_tensor_type_number(DType::kNF4).has_value());
  EXPECT_EQ(gguf_tensor_type(39).name, "MXFP4");
}

}  // namespace
}  // namespace onggi::formats
