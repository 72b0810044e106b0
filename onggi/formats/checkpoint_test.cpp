#include "onggi/formats/checkpoint.h"

#include "onggi/formats/gguf_writer.h"
#include "onggi/formats/hf_directory.h"
#include "onggi/formats/quote.h"
#include "onggi/formats/safetensors_writer.h"
#include "onggi/formats/test_support.h"
#include "tests/support/shared.h"

namespace onggi::formats {
namespace {

using quant::DType;
using testing::expect_error;
using testing::safetensors_text;
using testing::TemporaryFolder;

void put_tensor(const std::filesystem::path& path, const std::string& name, float value = 1) {
  write_safetensors(path, std::vector<TensorToWrite>{{name, DType::kF32, {1}, std::as_bytes(std::span(&value, 1))}},
                    {});
}

/// config.json, an index and two shards, all good.
void put_shards(const TemporaryFolder& folder) {
  folder.put("config.json", R"({"model_type": "test"})");
  put_tensor(folder / "model-1.safetensors", "a", 1);
  put_tensor(folder / "model-2.safetensors", "b", 2);
  folder.put("model.safetensors.index.json",
             R"({"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors"}})");
}

TEST(Checkpoint, AFolderWithOneFileOpens) {
  const TemporaryFolder folder;
  folder.put("config.json", R"({"model_type": "test"})");
  put_tensor(folder / "model.safetensors", "a");
  for (const auto& path : {folder.path(), folder / "model.safetensors"}) {
    const auto c = open_checkpoint(path);
    EXPECT_EQ(c->kind(), CheckpointKind::kHuggingFace);
    EXPECT_EQ(c->path(), path);
    EXPECT_EQ(c->metadata()["model_type"], "test");
    EXPECT_TRUE(c->generation_config().is_null());
    EXPECT_NE(c->find("a"), nullptr);
    EXPECT_EQ(c->find("b"), nullptr);
    EXPECT_FALSE(c->string_array("a").has_value());
    EXPECT_FALSE(c->int_array("a").has_value());
    EXPECT_FALSE(c->float_array("a").has_value());
  }
  folder.put("generation_config.json", R"({"eos_token_id": [1, 106]})");
  EXPECT_EQ(open_checkpoint(folder.path())->generation_config()["eos_token_id"][1], 106);
}

TEST(Checkpoint, TheNamedSafetensorsFileIsReadAndNotItsNeighbour) {
  const TemporaryFolder folder;
  folder.put("config.json", "{}");
  put_tensor(folder / "model.safetensors", "a");
  put_tensor(folder / "other.safetensors", "b");
  EXPECT_NE(open_checkpoint(folder / "other.safetensors")->find("b"), nullptr);
  EXPECT_EQ(open_checkpoint(folder / "other.safetensors")->find("a"), nullptr);
}

TEST(Checkpoint, ContentDecidesAndNotTheName) {
  const TemporaryFolder folder;
  write_gguf(folder / "model.bin", std::vector<GgufEntry>{gguf_entry("general.name", "x")}, {});
  EXPECT_EQ(open_checkpoint(folder / "model.bin")->kind(), CheckpointKind::kGguf);
  folder.put("config.json", "{}");
  put_tensor(folder / "weights", "a");
  EXPECT_NE(open_checkpoint(folder / "weights")->find("a"), nullptr);
}

TEST(Checkpoint, ShardsAreOneModel) {
  const TemporaryFolder folder;
  put_shards(folder);
  const auto c = open_checkpoint(folder.path());
  ASSERT_EQ(c->tensors().size(), 2U);
  float b = 0;
  std::memcpy(&b, c->find("b")->data.data(), 4);
  EXPECT_EQ(b, 2);
  EXPECT_NE(c->find("b")->file.find("model-2"), std::string::npos);
}

/// One thing wrong in a folder of shards.
struct Case {
  std::string name;
  std::vector<std::string> parts;
  std::function<void(const TemporaryFolder&)> change;
  ErrorCode code = ErrorCode::kCorrupt;
};

TEST(Checkpoint, WrongFoldersGiveOneErrorThatSaysWhat) {
  const auto index = [](const char* text) {
    return [text](const TemporaryFolder& f) { f.put("model.safetensors.index.json", text); };
  };
  const auto remove = [](const char* name) {
    return [name](const TemporaryFolder& f) { std::filesystem::remove(f / name); };
  };
  const std::vector<Case> cases = {
      {"no config", {"no config.json"}, remove("config.json"), ErrorCode::kNotFound},
      {"config no JSON", {"config.json", "line 1"}, [](const auto& f) { f.put("config.json", "{"); }},
      {"config no object", {"config.json", "object"}, [](const auto& f) { f.put("config.json", "[]"); }},
      {"config empty", {"config.json"}, [](const auto& f) { f.put("config.json", ""); }},
      {"generation config no object",
       {"generation_config.json"},
       [](const auto& f) { f.put("generation_config.json", "3"); }},
      {"shard missing", {"\"model-2.safetensors\"", "index.json"}, remove("model-2.safetensors"), ErrorCode::kNotFound},
      {"no weights", {"neither model.safetensors nor"}, remove("model.safetensors.index.json"), ErrorCode::kNotFound},
      {"only pickled weights",
       {"pytorch_model.bin"},
       [](const auto& f) {
         std::filesystem::remove(f / "model.safetensors.index.json");
         f.put("pytorch_model.bin", "PK");
       },
       ErrorCode::kNotFound},
      {"index no JSON", {"index.json"}, index("weights")},
      {"index no object", {"index.json", "object"}, index("[]")},
      {"no weight_map", {"index.json", "weight_map"}, index("{}")},
      {"weight_map no object", {"index.json", "weight_map"}, index(R"({"weight_map": ["a"]})")},
      {"weight_map empty", {"index.json", "weight_map"}, index(R"({"weight_map": {}})")},
      {"shard no name", {"\"a\"", "index.json"}, index(R"({"weight_map": {"a": 1}})")},
      {"shard name empty", {"\"a\""}, index(R"({"weight_map": {"a": ""}})")},
      {"shard outside", {"\"a\"", "../x.safetensors"}, index(R"({"weight_map": {"a": "../x.safetensors"}})")},
      {"shard at an absolute path", {"\"a\"", "/etc"}, index(R"({"weight_map": {"a": "/etc/x.safetensors"}})")},
      {"shard with a NUL in its name",
       {"\"a\"", "\\x00"},
       index(R"({"weight_map": {"a": "model-1\u0000.safetensors"}})")},
      {"shard of another kind", {"\"a\"", "config.json"}, index(R"({"weight_map": {"a": "config.json"}})")},
      {"tensor in the wrong shard", {"\"a\"", "model-2"}, index(R"({"weight_map": {"a": "model-2.safetensors"}})")},
      {"tensor mapped twice",
       {"\"a\"", "twice"},
       index(R"({"weight_map": {"a": "model-1.safetensors", "a": "model-2.safetensors"}})")},
      {"tensor in two shards",
       {"\"a\"", "two shards", "model-2"},
       [](const auto& f) {
         put_tensor(f / "model-2.safetensors", "a");
         f.put("model.safetensors.index.json",
               R"({"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors"}})");
         const float x[2] = {1, 2};
         write_safetensors(f / "model-2.safetensors",
                           std::vector<TensorToWrite>{{"a", DType::kF32, {1}, std::as_bytes(std::span(x, 1))},
                                                      {"b", DType::kF32, {1}, std::as_bytes(std::span(x, 1))}},
                           {});
       }},
      {"cut shard",
       {"model-2.safetensors", "download"},
       [](const auto& f) {
         std::filesystem::resize_file(f / "model-2.safetensors",
                                      std::filesystem::file_size(f / "model-2.safetensors") - 1);
       }},
      {"empty shard", {"model-2.safetensors", "0 bytes"}, [](const auto& f) { f.put("model-2.safetensors", ""); }},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    const TemporaryFolder folder;
    put_shards(folder);
    c.change(folder);
    auto parts = c.parts;
    parts.push_back(folder.path().filename().string());
    expect_error(c.code, parts, [&] { open_checkpoint(folder.path()); });
  }
}

TEST(Checkpoint, FilesThatAreNoModelAreRefusedByWhatTheyBeginWith) {
  const TemporaryFolder folder;
  expect_error(ErrorCode::kNotFound, {"no such file", "absent"}, [&] { open_checkpoint(folder / "absent"); });
  expect_error(ErrorCode::kCorrupt, {"empty", "empty.gguf"}, [&] { open_checkpoint(folder.put("empty.gguf", "")); });
  expect_error(ErrorCode::kCorrupt, {"\"PK\\x03\\x04\"", "GGUF"},
               [&] { open_checkpoint(folder.put("model.bin", "PK\x03\x04")); });
  expect_error(ErrorCode::kCorrupt, {"\"{\"", "GGUF"}, [&] { open_checkpoint(folder.put("model.json", "{")); });
  expect_error(ErrorCode::kCorrupt, {"safetensors", "2 bytes"}, [&] {
    folder.put("config.json", "{}");
    open_checkpoint(folder.put("x.safetensors", "ab"));
  });
  std::filesystem::remove(folder / "config.json");
  expect_error(ErrorCode::kNotFound, {"config.json"},
               [&] { open_checkpoint(folder.put("y.safetensors", safetensors_text("{}", 0))); });
  expect_error(ErrorCode::kInvalidArgument, {"regular file"}, [&] { open_checkpoint("/dev/null"); });
}

TEST(Checkpoint, FixturesOpen) {
  ONGGI_NEED_SHARED("fixtures/tiny");
  for (const char* name : {"gemma3", "llama", "qwen2", "qwen3"}) {
    const auto c = open_checkpoint(onggi::testing::shared_folder() / "fixtures" / "tiny" / name);
    EXPECT_TRUE(c->metadata().contains("model_type")) << name;
    EXPECT_NE(c->find("model.embed_tokens.weight"), nullptr) << name;
  }
}

TEST(Quote, NamesAreSafeToPrintAndShort) {
  EXPECT_EQ(quote("model.layers.0"), "\"model.layers.0\"");
  EXPECT_EQ(quote(""), "\"\"");
  EXPECT_EQ(quote("\xea\xb0\x80"), "\"\xea\xb0\x80\"");
  EXPECT_EQ(quote("a\x1b\n\x7f\xff"), "\"a\\x1b\\x0a\\x7f\\xff\"");
  EXPECT_EQ(quote("\xc2\x9b"), "\"\\xc2\\x9b\"") << "a C1 control character";
  EXPECT_LT(quote(std::string(100000, 'x')).size(), 100U);
  EXPECT_LT(quote(std::string(100000, '\0')).size(), 100U);
}

TEST(Utf8, OnlyWhatRfc3629AllowsPasses) {
  for (const char* good : {"", "a", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
                           "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"}) {
    EXPECT_TRUE(is_utf8(good)) << quote(good);
  }
  for (const char* bad :
       {"\x80", "\xc0\xaf", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80", "\xc2", "\xe2\x82", "\xf0\x90\x80", "a\xff", "\xe2\x28\xa1"}) {
    EXPECT_FALSE(is_utf8(bad)) << quote(bad);
  }
}

}  // namespace
}  // namespace onggi::formats
