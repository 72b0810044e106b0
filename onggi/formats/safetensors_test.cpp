#include "onggi/formats/safetensors.h"

#include <cmath>

#include "onggi/core/files.h"
#include "onggi/formats/safetensors_writer.h"
#include "onggi/formats/test_support.h"
#include "onggi/quant/blocks.h"
#include "tests/support/shared.h"

namespace onggi::formats {
namespace {

using quant::DType;
using testing::Bytes;
using testing::bytes_of;
using testing::expect_error;
using testing::safetensors_text;
using testing::TemporaryFolder;

struct Case {
  std::string name;
  std::vector<std::string> parts;  ///< The message holds them all.
  std::string text;
  ErrorCode code = ErrorCode::kCorrupt;
};

std::string header_of(std::string_view dtype, std::string_view shape, std::string_view offsets) {
  return R"({"t":{"dtype":)" + std::string(dtype) + R"(,"shape":)" + std::string(shape) + R"(,"data_offsets":)" +
         std::string(offsets) + "}}";
}

/// A file of one tensor of 8 bytes.
std::string one(std::string_view dtype, std::string_view shape, std::string_view offsets = "[0,8]") {
  return safetensors_text(header_of(dtype, shape, offsets), 8);
}

std::vector<Case> cases() {
  const std::string good = header_of(R"("F32")", "[2]", "[0,8]");
  const auto two = [](std::string_view a, std::string_view b, std::size_t bytes) {
    return safetensors_text(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":)" + std::string(a) +
                                R"(},"b":{"dtype":"U8","shape":[4],"data_offsets":)" + std::string(b) + "}}",
                            bytes);
  };
  return {
      {"empty file", {"0 bytes"}, ""},
      {"seven bytes", {"7 bytes"}, "1234567"},
      {"header above the limit", {"100000001", "at most 100000000"}, Bytes().u64(100'000'001).raw("{}").text()},
      {"header length 2^64 - 1", {"18446744073709551615"}, Bytes().u64(~0ULL).raw("{}").text()},
      {"header longer than the file", {"the file has", "download"}, safetensors_text(good, 0, 1)},
      {"header longer than said", {"JSON"}, safetensors_text(good, 8, -1)},
      {"header of no bytes", {"JSON"}, safetensors_text("", 0)},
      {"header no JSON", {"JSON", "header"}, safetensors_text("hello", 0)},
      {"header no UTF-8", {"JSON"}, safetensors_text("{\"\xff\":1}", 0)},
      {"header with a NUL byte", {"NUL"}, safetensors_text(std::string("{}\0", 3), 0)},
      {"header no object", {"object"}, safetensors_text("[]", 0)},
      {"header deeply nested",
       {"nested"},
       safetensors_text("{\"a\":" + std::string(100000, '[') + std::string(100000, ']') + "}", 0)},
      {"name twice", {"\"t\"", "twice"}, safetensors_text(good.substr(0, good.size() - 1) + "," + good.substr(1), 8)},
      {"metadata no object", {"__metadata__"}, safetensors_text(R"({"__metadata__":[]})", 0)},
      {"metadata with a number", {"__metadata__", "\"a\""}, safetensors_text(R"({"__metadata__":{"a":1}})", 0)},
      {"tensor no object", {"\"t\""}, safetensors_text(R"({"t":3})", 0)},
      {"dtype missing", {"\"t\"", "dtype"}, safetensors_text(R"({"t":{"shape":[],"data_offsets":[0,0]}})", 0)},
      {"shape missing", {"\"t\"", "shape"}, safetensors_text(R"({"t":{"dtype":"F32","data_offsets":[0,0]}})", 0)},
      {"offsets missing", {"\"t\"", "data_offsets"}, safetensors_text(R"({"t":{"dtype":"F32","shape":[]}})", 0)},
      {"dtype unknown", {"\"t\"", "F99", "F32"}, one(R"("F99")", "[2]")},
      {"dtype no text", {"\"t\"", "dtype"}, one("7", "[2]")},
      {"dtype F64", {"\"t\"", "F64", "BF16"}, one(R"("F64")", "[1]"), ErrorCode::kInvalidArgument},
      {"dtype F8", {"\"t\"", "F8_E4M3"}, one(R"("F8_E4M3")", "[8]"), ErrorCode::kInvalidArgument},
      {"shape no list", {"\"t\"", "shape"}, one(R"("F32")", "2")},
      {"shape of nine sizes", {"\"t\"", "8 sizes"}, one(R"("F32")", "[1,1,1,1,1,1,1,1,2]")},
      {"size below 0", {"\"t\"", "-2"}, one(R"("F32")", "[-2]")},
      {"size no whole number", {"\"t\"", "2.0"}, one(R"("F32")", "[2.0]")},
      {"size above 2^64", {"\"t\""}, one(R"("F32")", "[99999999999999999999]")},
      {"sizes whose product overflows", {"\"t\"", "4294967296"}, one(R"("F32")", "[4294967296,4294967296,4294967296]")},
      {"0 times a huge size", {"\"t\"", "18446744073709551615"}, one(R"("F32")", "[0,18446744073709551615]", "[0,0]")},
      {"shape larger than the bytes", {"\"t\"", "8 bytes", "12", "[3]"}, one(R"("F32")", "[3]")},
      {"shape smaller than the bytes", {"\"t\"", "8 bytes", "4"}, one(R"("F32")", "[1]")},
      {"one offset", {"\"t\"", "data_offsets"}, one(R"("F32")", "[2]", "[0]")},
      {"offsets no numbers", {"\"t\"", "data_offsets"}, one(R"("F32")", "[2]", R"(["0","8"])")},
      {"offset below 0", {"\"t\"", "data_offsets"}, one(R"("F32")", "[2]", "[-8,0]")},
      {"offsets reversed", {"\"t\"", "8 to 0"}, one(R"("F32")", "[2]", "[8,0]")},
      {"offset past the end", {"\"t\"", "8 to 16", "download"}, one(R"("F32")", "[2]", "[8,16]")},
      {"offsets near 2^64", {"\"t\""}, one(R"("F32")", "[2]", "[18446744073709551608,18446744073709551615]")},
      {"overlap", {"\"b\"", "byte 2", "expected 4"}, two("[0,4]", "[2,6]", 6)},
      {"equal places", {"\"b\"", "expected 4"}, two("[0,4]", "[0,4]", 4)},
      {"hole", {"\"b\"", "byte 8", "expected 4"}, two("[0,4]", "[8,12]", 12)},
      {"hole at the start", {"\"t\"", "expected 0"}, safetensors_text(header_of(R"("U8")", "[4]", "[4,8]"), 8)},
      {"bytes left over", {"3 bytes after"}, two("[0,4]", "[4,8]", 11)},
      {"a GGUF file", {"safetensors file?"}, "GGUF\x03" + std::string(100, '\0') + "x"},
  };
}

TEST(Safetensors, HostileFilesGiveOneErrorThatSaysWhat) {
  for (const auto& c : cases()) {
    SCOPED_TRACE(c.name);
    auto parts = c.parts;
    parts.push_back("folder/bad.safetensors");
    expect_error(c.code, parts, [&] { SafetensorsFile(bytes_of(c.text), "folder/bad.safetensors"); });
  }
}

std::string rich_file(const TemporaryFolder& folder) {
  static const std::vector<float> floats = {1, 2, 3, 4, 5, 6};
  const auto bytes = std::as_bytes(std::span(floats));
  const std::vector<TensorToWrite> tensors = {{"z.byte", DType::kU8, {3}, bytes.first(3)},
                                              {"half", DType::kF16, {2, 1}, bytes.first(4)},
                                              {"b", DType::kF32, {2, 3}, bytes},
                                              {"a", DType::kF32, {}, bytes.first(4)},
                                              {"empty", DType::kF32, {0, 7}, {}},
                                              {"long", DType::kI64, {1}, bytes.first(8)},
                                              {"\xea\xb0\x80", DType::kBF16, {1}, bytes.first(2)},
                                              {"int", DType::kI32, {1}, bytes.first(4)},
                                              {"small", DType::kI8, {1}, bytes.first(1)}};
  write_safetensors(folder / "rich.safetensors", tensors, {{"format", "pt"}});
  return read_file(folder / "rich.safetensors");
}

TEST(Safetensors, EveryTypeRoundTripsInTheOrderOfTheReference) {
  const TemporaryFolder folder;
  const std::string text = rich_file(folder);
  const SafetensorsFile file(folder / "rich.safetensors");
  EXPECT_EQ(file.metadata(), (std::map<std::string, std::string>{{"format", "pt"}}));
  std::vector<std::string> names;
  for (const auto& t : file.tensors()) names.push_back(t.name);
  EXPECT_EQ(names,
            (std::vector<std::string>{"long", "a", "b", "empty", "int", "\xea\xb0\x80", "half", "small", "z.byte"}));
  EXPECT_EQ(file.find("b")->shape, (std::vector<std::int64_t>{2, 3}));
  EXPECT_EQ(file.find("a")->num_elements(), 1);
  EXPECT_EQ(file.find("empty")->num_elements(), 0);
  EXPECT_EQ(file.find("c"), nullptr);
  for (const auto& t : file.tensors()) {
    const auto offset = static_cast<std::size_t>(t.data.data() - file.tensors()[0].data.data());
    EXPECT_EQ(offset % static_cast<std::size_t>(quant::traits(t.type).block_bytes), 0U) << t.name;
  }
  EXPECT_EQ(static_cast<unsigned char>(text[0]) % 8, 0) << "the header is padded";
  EXPECT_EQ(text, rich_file(folder)) << "same content, same bytes";
}

TEST(Safetensors, AFileCutAtAnyByteIsRefused) {
  const TemporaryFolder folder;
  const std::string text = rich_file(folder);
  for (std::size_t size = 0; size < text.size(); ++size) {
    const std::string cut = text.substr(0, size);
    try {
      SafetensorsFile(bytes_of(cut), "cut.safetensors");
      FAIL() << "took " << size << " of " << text.size() << " bytes";
    } catch (const Error& e) {
      ASSERT_EQ(e.code(), ErrorCode::kCorrupt) << e.what();
    }
  }
}

TEST(Safetensors, AnyChangedByteOpensOrGivesOneError) {
  const TemporaryFolder folder;
  const std::string text = rich_file(folder);
  for (std::size_t i = 0; i < text.size(); ++i) {
    for (const char value : {'\0', '"', '9', '}', '\xff'}) {
      std::string changed = text;
      changed[i] = value;
      try {
        const SafetensorsFile file(bytes_of(changed), "changed.safetensors");
        for (const auto& t : file.tensors()) ASSERT_LE(t.data.size(), text.size());
      } catch (const Error& e) {
        ASSERT_TRUE(e.code() == ErrorCode::kCorrupt || e.code() == ErrorCode::kInvalidArgument) << e.what();
      }
    }
  }
}

TEST(Safetensors, FilesOfTheReferenceLibraryAreRewrittenByteForByte) {
  ONGGI_NEED_SHARED("fixtures");
  const TemporaryFolder folder;
  int count = 0;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(onggi::testing::shared_folder() / "fixtures")) {
    if (entry.path().extension() != ".safetensors") continue;
    const SafetensorsFile file(entry.path());
    std::vector<TensorToWrite> tensors;
    for (const auto& t : file.tensors()) tensors.insert(tensors.begin(), {t.name, t.type, t.shape, t.data});
    write_safetensors(folder / "copy.safetensors", tensors, file.metadata());
    EXPECT_TRUE(read_file(folder / "copy.safetensors") == read_file(entry.path())) << entry.path();
    ++count;
  }
  EXPECT_GE(count, 40);
}

TEST(SafetensorsWriter, RowsAreEncodedOnTheWay) {
  const TemporaryFolder folder;
  const auto read = [](std::int64_t row, std::int64_t rows, float* out) {
    for (std::int64_t i = 0; i < rows * 3; ++i) out[i] = static_cast<float>(row * 3 + i) / 3;
  };
  write_safetensors(
      folder / "t.safetensors",
      std::vector<TensorToWrite>{{"t", DType::kBF16, {5, 3}, {}, read}, {"none", DType::kF32, {0, 3}, {}, read}}, {});
  const SafetensorsFile file(folder / "t.safetensors");
  std::vector<float> back(15);
  quant::decode(DType::kBF16, file.find("t")->data.data(), 15, back.data());
  for (std::size_t i = 0; i < 15; ++i) EXPECT_NEAR(back[i], static_cast<float>(i) / 3, 0.02);
  EXPECT_TRUE(file.metadata().empty());
}

TEST(SafetensorsWriter, WhatCannotBeWrittenIsRefusedAndTheOldFileStays) {
  const TemporaryFolder folder;
  const auto path = folder.put("model.safetensors", "old");
  const std::vector<float> x(4, 1);
  const auto bytes = std::as_bytes(std::span(x));
  const TensorToWrite good = {"t", DType::kF32, {4}, bytes};
  const auto refuse = [&](std::vector<std::string> parts, const std::vector<TensorToWrite>& tensors) {
    parts.push_back("model.safetensors");
    expect_error(ErrorCode::kInvalidArgument, parts, [&] { write_safetensors(path, tensors, {}); });
    EXPECT_EQ(read_file(path), "old");
    EXPECT_EQ(folder.num_files(), 1U) << "a temporary file was left";
  };
  refuse({"\"t\"", "another"}, {good, good});
  refuse({"not allowed"}, {{"", DType::kF32, {4}, bytes}});
  refuse({"not allowed"}, {{"__metadata__", DType::kF32, {4}, bytes}});
  refuse({"\\xff"}, {{"\xff", DType::kF32, {4}, bytes}});
  refuse({"Q8_0"}, {{"t", DType::kQ8_0, {32}, bytes}});
  refuse({"16 bytes", "20"}, {{"t", DType::kF32, {5}, bytes}});
  refuse({"dimension -4"}, {{"t", DType::kF32, {-4}, bytes}});
  refuse({"element 3", "nan"}, {{"t", DType::kF32, {4}, {}, [](auto, auto, float* out) {
                                   std::fill_n(out, 3, 0.0F);
                                   out[3] = NAN;
                                 }}});
}

TEST(SafetensorsWriter, AnErrorOfTheSourceLeavesNothing) {
  const TemporaryFolder folder;
  const auto read = [](std::int64_t, std::int64_t, float*) { throw Error(ErrorCode::kCancelled, "stopped"); };
  expect_error(ErrorCode::kCancelled, {"stopped"}, [&] {
    write_safetensors(folder / "t.safetensors", std::vector<TensorToWrite>{{"t", DType::kF32, {4}, {}, read}}, {});
  });
  EXPECT_EQ(folder.num_files(), 0U);
}

TEST(AtomicFile, FoldersThatCannotBeWrittenAndFullDisksAreNamed) {
  const TemporaryFolder folder;
  const auto write = [](const std::filesystem::path& path) { write_safetensors(path, {}, {}); };
  expect_error(ErrorCode::kNotFound, {"absent/x"}, [&] { write(folder / "absent/x"); });
  std::filesystem::create_directory(folder / "taken");
  expect_error(ErrorCode::kUnavailable, {"taken"}, [&] { write(folder / "taken"); });
  EXPECT_EQ(folder.num_files(), 1U);
  if (std::filesystem::exists("/dev/full") && ::geteuid() == 0) {
    // A link in the temporary file's place makes the disk look full.
    std::filesystem::create_symlink("/dev/full", folder.path() / ("x.tmp." + std::to_string(::getpid())));
    const std::vector<float> x(1 << 19, 1);
    expect_error(ErrorCode::kUnavailable, {"space", "/x"}, [&] {
      write_safetensors(folder / "x",
                        std::vector<TensorToWrite>{{"t", DType::kF32, {1 << 19}, std::as_bytes(std::span(x))}}, {});
    });
    EXPECT_EQ(folder.num_files(), 1U);
  }
}

}  // namespace
}  // namespace onggi::formats
