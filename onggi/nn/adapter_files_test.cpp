#include "onggi/nn/adapter_files.h"

#include <cmath>
#include <cstring>
#include <fstream>
#include <functional>
#include <limits>

#include <gtest/gtest.h>
#include <unistd.h>

#include "onggi/core/error.h"
#include "onggi/core/files.h"
#include "onggi/formats/safetensors.h"
#include "onggi/formats/safetensors_writer.h"
#include "onggi/quant/blocks.h"
#include "tests/support/shared.h"

namespace onggi::nn {
namespace {

namespace fs = std::filesystem;

constexpr const char* kLayer = "base_model.model.model.layers.0.mlp.up_proj";

/// One tensor of a hand-made file.
struct RawTensor {
  std::string name;
  std::vector<std::int64_t> shape;
  quant::DType type = quant::DType::kF32;
  float value = 0.5F;
};

class AdapterFilesTest : public ::testing::Test {
 protected:
  AdapterFilesTest() : root_(fs::path(::testing::TempDir()) / ("onggi_adapter_" + std::to_string(::getpid()))) {
    fs::remove_all(root_);
    fs::create_directories(root_);
  }
  ~AdapterFilesTest() override { fs::remove_all(root_); }

  /// Writes a folder by hand, so that it may be wrong.
  fs::path make(const std::vector<RawTensor>& tensors, const std::string& members = "") {
    const fs::path folder = root_ / "made";
    fs::create_directories(folder);
    std::ofstream(folder / "adapter_config.json")
        << R"({"peft_type": "LORA", "r": 2, "lora_alpha": 4, "target_modules": ["up_proj"])" << members << "}";
    std::vector<std::vector<std::byte>> bytes;
    std::vector<formats::TensorToWrite> out;
    for (const RawTensor& tensor : tensors) {
      std::int64_t elements = 1;
      for (const std::int64_t size : tensor.shape) elements *= size;
      bytes.emplace_back(static_cast<std::size_t>(quant::num_bytes(tensor.type, elements)));
      const std::vector<float> values(static_cast<std::size_t>(elements), tensor.value);
      if (tensor.type != quant::DType::kI32 && elements > 0)
        quant::encode(tensor.type, values.data(), elements, bytes.back().data());
    }
    for (std::size_t i = 0; i < tensors.size(); ++i) {
      out.push_back({tensors[i].name, tensors[i].type, tensors[i].shape, bytes[i]});
    }
    formats::write_safetensors(folder / "adapter_model.safetensors", out, {{"format", "pt"}});
    return folder;
  }

  static std::string refusal(const std::function<void()>& call) {
    try {
      call();
    } catch (const Error& e) {
      return e.what();
    }
    return "no error";
  }

  /// A small adapter of ours on two layers.
  static AdapterFiles small(bool dora = false) {
    AdapterFiles adapter;
    adapter.config.base_model = "tiny";
    adapter.config.rank = 2;
    adapter.config.alpha = 4;
    adapter.config.use_dora = dora;
    adapter.config.all_linear = true;
    adapter.config.rank_pattern = {{"q_proj", 1}};
    const AdapterRules rules(adapter.config);
    for (const char* path : {"model.layers.0.mlp.up_proj", "model.layers.0.self_attn.q_proj"}) {
      AdapterLayer layer{.num_inputs = 3, .num_outputs = 5, .rule = *rules.find(path)};
      const auto rank = static_cast<std::size_t>(layer.rule.rank);
      for (std::size_t i = 0; i < rank * 3; ++i) layer.a.push_back(std::sin(static_cast<float>(i)));
      for (std::size_t i = 0; i < rank * 5; ++i) layer.b.push_back(1e-30F * static_cast<float>(i));
      if (dora) layer.magnitude.assign(5, 1.5F);
      adapter.layers.emplace(path, layer);
    }
    adapter.origin = {{"hashes", {{"base", "aa"}, {"tokenizer", "bb"}}}};
    return adapter;
  }

  static void expect_equal(const AdapterFiles& a, const AdapterFiles& b) {
    ASSERT_EQ(a.layers.size(), b.layers.size());
    for (const auto& [path, layer] : a.layers) {
      ASSERT_TRUE(b.layers.contains(path)) << path;
      const AdapterLayer& other = b.layers.at(path);
      EXPECT_EQ(layer.a, other.a) << path;
      EXPECT_EQ(layer.b, other.b) << path;
      EXPECT_EQ(layer.magnitude, other.magnitude) << path;
      EXPECT_EQ(layer.rule.scale, other.rule.scale) << path;
      EXPECT_EQ(layer.num_inputs, other.num_inputs);
      EXPECT_EQ(layer.num_outputs, other.num_outputs);
    }
    EXPECT_EQ(dump_json(adapter_config_json(a.config)), dump_json(adapter_config_json(b.config)));
    EXPECT_EQ(dump_json(a.origin), dump_json(b.origin));
  }

  static std::vector<RawTensor> good() {
    return {{std::string(kLayer) + ".lora_A.weight", {2, 3}}, {std::string(kLayer) + ".lora_B.weight", {5, 2}}};
  }

  fs::path root_;
};

TEST_F(AdapterFilesTest, OursReadsBackToTheSameBits) {
  for (const bool dora : {false, true}) {
    const AdapterFiles adapter = small(dora);
    write_adapter(root_ / "a", adapter);
    expect_equal(adapter, read_adapter(root_ / "a"));
    write_adapter(root_ / "b/", read_adapter(root_ / "a"));
    for (const char* name : {"adapter_config.json", "adapter_model.safetensors", "README.md", "onggi.json"}) {
      EXPECT_EQ(read_file(root_ / "a" / name), read_file(root_ / "b" / name)) << name;
    }
    EXPECT_EQ(std::distance(fs::directory_iterator(root_), fs::directory_iterator()), 2) << "no temporary is left";
    EXPECT_EQ(std::distance(fs::directory_iterator(root_ / "a"), fs::directory_iterator()), 4);
  }
}

TEST_F(AdapterFilesTest, ThreePrefixesAreOneAdapter) {
  const AdapterFiles adapter = small();
  const std::pair<AdapterPaths, const char*> cases[] = {
      {AdapterPaths::kText, "base_model.model.model.layers.0.mlp.up_proj.lora_A.weight"},
      {AdapterPaths::kImage, "base_model.model.model.language_model.layers.0.mlp.up_proj.lora_A.weight"},
      {AdapterPaths::kImageBefore52, "base_model.model.language_model.model.layers.0.mlp.up_proj.lora_A.weight"}};
  for (const auto& [paths, name] : cases) {
    write_adapter(root_ / "a", adapter, paths);
    EXPECT_NE(formats::SafetensorsFile(root_ / "a/adapter_model.safetensors").find(name), nullptr) << name;
    expect_equal(adapter, read_adapter(root_ / "a"));
  }
}

TEST_F(AdapterFilesTest, ReadsHalfPrecision) {
  for (const auto type : {quant::DType::kF16, quant::DType::kBF16}) {
    auto tensors = good();
    tensors[0].type = type;
    tensors[0].value = -0.75F;
    EXPECT_EQ(read_adapter(make(tensors)).layers.at("model.layers.0.mlp.up_proj").a, std::vector<float>(6, -0.75F));
  }
}

TEST_F(AdapterFilesTest, RefusesHostileTensors) {
  struct Case {
    const char* words;
    std::function<void(std::vector<RawTensor>&)> spoil;
    const char* members = "";
  };
  const std::string layer = kLayer;
  const Case cases[] = {
      {"has no \".lora_B.weight\" tensor", [](auto& t) { t.pop_back(); }},
      {"has no \".lora_A.weight\" tensor", [](auto& t) { t.erase(t.begin()); }},
      {"different rank",
       [](auto& t) {
         t[1].shape = {5, 3};
       }},
      {"has rank 3, adapter_config.json says 2",
       [](auto& t) {
         t[0].shape = {3, 3}, t[1].shape = {5, 3};
       }},
      {"expected 2 dimensions that are not 0",
       [](auto& t) {
         t[0].shape = {0, 3}, t[1].shape = {5, 0};
       }},
      {"expected 2 dimensions", [](auto& t) { t[0].shape = {6}; }},
      {"expected 2 dimensions",
       [](auto& t) {
         t[1].shape = {5, 1, 2};
       }},
      {"6 values that are NaN or infinite", [](auto& t) { t[0].value = std::nanf(""); }},
      {"10 values that are NaN or infinite", [](auto& t) { t[1].value = std::numeric_limits<float>::infinity(); }},
      {"is I32, expected F32, F16 or BF16", [](auto& t) { t[0].type = quant::DType::kI32; }},
      {"holds no tensors", [](auto& t) { t.clear(); }},
      {"does not target it",
       [](auto& t) {
         for (auto& tensor : t) tensor.name.replace(tensor.name.find("up_proj"), 7, "xup_proj");
       }},
      {"use_dora is false",
       [&](auto& t) {
         t.push_back({layer + ".lora_magnitude_vector", {5}});
       }},
      {"has no \".lora_magnitude_vector\" tensor", [](auto&) {}, ", \"use_dora\": true"},
      {"has a magnitude of [4], expected [5]",
       [&](auto& t) {
         t.push_back({layer + ".lora_magnitude_vector", {4}});
       },
       ", \"use_dora\": true"},
      {"begins with \"base_model.model.\"", [](auto& t) { t[0].name = "model.layers.0.mlp.up_proj.lora_A.weight"; }},
      {"is lora_bias",
       [&](auto& t) {
         t.push_back({layer + ".lora_B.bias", {5}});
       }},
      {"is LoRA on embeddings",
       [](auto& t) {
         t.push_back({"base_model.model.model.embed_tokens.lora_embedding_A", {2, 9}});
       }},
      {"is a full copy of a layer",
       [](auto& t) {
         t.push_back({"base_model.model.model.embed_tokens.base_layer.weight", {2, 9}});
       }},
      {"is trainable tokens",
       [](auto& t) {
         t.push_back({"base_model.model.model.embed_tokens.token_adapter.trainable_tokens_delta", {1, 3}});
       }},
      {"is prompt tuning",
       [](auto& t) {
         t.push_back({"prompt_embeddings", {2, 9}});
       }},
      {"modules_to_save",
       [](auto& t) {
         t.push_back({"base_model.model.lm_head.weight", {2, 9}});
       }},
      {"vision tower",
       [](auto& t) {
         t.push_back({"base_model.model.vision_tower.up_proj.lora_A.weight", {2, 3}});
       }},
      {"mix the path prefixes",
       [](auto& t) { t[0].name = "base_model.model.model.language_model.layers.0.mlp.up_proj.lora_A.weight"; }},
  };
  EXPECT_EQ(read_adapter(make(good())).layers.size(), 1U);
  for (const Case& c : cases) {
    auto tensors = good();
    c.spoil(tensors);
    const std::string message = refusal([&] { read_adapter(make(tensors, c.members)); });
    EXPECT_NE(message.find(c.words), std::string::npos) << c.words << ": " << message;
    EXPECT_NE(message.find("adapter_model.safetensors"), std::string::npos) << message;
  }
}

TEST_F(AdapterFilesTest, RefusesDuplicateKeysAndTornFiles) {
  const fs::path folder = make(good());
  const fs::path path = folder / "adapter_model.safetensors";
  const std::string whole = read_file(path);
  std::string twice = whole;
  const auto at = twice.find("lora_B");
  twice[at + 5] = 'A';
  std::ofstream(path, std::ios::binary) << twice;
  EXPECT_NE(refusal([&] { read_adapter(folder); }).find("twice"), std::string::npos);
  std::ofstream(path, std::ios::binary) << whole;
  for (std::size_t size = whole.size(); size-- > 0;) {
    fs::resize_file(path, size);
    EXPECT_NE(refusal([&] { read_adapter(folder); }), "no error") << size;
  }
  fs::remove(path);
  EXPECT_NE(refusal([&] { read_adapter(folder); }).find("adapter_model.safetensors"), std::string::npos);
  EXPECT_NE(refusal([&] { read_adapter(root_ / "absent"); }).find("adapter_config.json"), std::string::npos);
}

TEST_F(AdapterFilesTest, WriteReplacesAnAdapterAndNothingElse) {
  write_adapter(root_ / "a", small());
  auto other = small(true);
  write_adapter(root_ / "a", other);
  expect_equal(other, read_adapter(root_ / "a"));
  fs::create_directories(root_ / "mine");
  std::ofstream(root_ / "mine/thesis.txt") << "x";
  EXPECT_NE(refusal([&] { write_adapter(root_ / "mine", other); }).find("taken by something else"), std::string::npos);
  EXPECT_TRUE(fs::exists(root_ / "mine/thesis.txt"));
  std::ofstream(root_ / "file") << "x";
  EXPECT_NE(refusal([&] { write_adapter(root_ / "file/a", other); }), "no error");
  other.layers.begin()->second.a[0] = std::nanf("");
  EXPECT_NE(refusal([&] { write_adapter(root_ / "a", other); }).find("NaN"), std::string::npos);
  other = small(true);
  other.layers.begin()->second.b.pop_back();
  EXPECT_NE(refusal([&] { write_adapter(root_ / "a", other); }).find("wrong size"), std::string::npos);
  other = small();
  other.config.rank = 3;
  EXPECT_NE(refusal([&] { write_adapter(root_ / "a", other); }).find("another rank"), std::string::npos);
  expect_equal(small(true), read_adapter(root_ / "a"));
}

TEST_F(AdapterFilesTest, AnotherBaseIsRefused) {
  const AdapterFiles adapter = small();
  std::vector<LinearShape> base = {{"model.layers.0.mlp.up_proj", 3, 5}, {"model.layers.0.self_attn.q_proj", 3, 5}};
  check_adapter_fits(adapter, base, "here");
  base.push_back({"lm_head", 3, 100});  // all-linear leaves the head out
  check_adapter_fits(adapter, base, "here");
  base.push_back({"model.layers.1.mlp.up_proj", 3, 5});
  EXPECT_NE(refusal([&] { check_adapter_fits(adapter, base, "here"); }).find("no tensors for it (here)"),
            std::string::npos);
  base.pop_back();
  base[1].num_inputs = 4;
  EXPECT_NE(refusal([&] {
              check_adapter_fits(adapter, base, "here");
            }).find("[5, 4] in the base, the adapter expects [5, 3]"),
            std::string::npos);
  base.erase(base.begin() + 1);
  EXPECT_NE(refusal([&] { check_adapter_fits(adapter, base, "here"); }).find("which the base lacks"),
            std::string::npos);

  using Hashes = std::vector<std::pair<std::string, std::string>>;
  check_adapter_origin(adapter, Hashes{{"base", "aa"}, {"template", "zz"}}, "here");
  const std::string message = refusal([&] {
    check_adapter_origin(adapter, Hashes{{"base", "aa"}, {"tokenizer", "cc"}}, "here");
  });
  EXPECT_NE(message.find("another tokenizer: SHA-256 bb, this one has cc"), std::string::npos) << message;
  AdapterFiles foreign = small();
  foreign.origin = nullptr;
  check_adapter_origin(foreign, Hashes{{"base", "zz"}}, "here");
}

/// PEFT's own output: read, rules equal to what it computed with, and the same tensor file back, byte for byte.
TEST_F(AdapterFilesTest, PeftFoldersRoundTrip) {
  ONGGI_NEED_SHARED("fixtures/tiny");
  int folders = 0;
  for (const char* model : {"gemma3", "llama", "qwen2", "qwen3"}) {
    for (const std::string kind : {"lora", "rslora", "dora", "patterns"}) {
      const fs::path folder = testing::shared_folder() / "fixtures/tiny" / model / ("adapter-" + kind);
      const AdapterFiles adapter = read_adapter(folder);
      EXPECT_GT(adapter.layers.size(), 3U);
      for (const auto& [path, layer] : adapter.layers) {
        EXPECT_TRUE(path.starts_with("model.layers.")) << path;
        float scale = 2.0F;  // r 4, alpha 8
        if (kind == "rslora") scale = 4.0F;
        if (kind == "patterns" && path.ends_with("gate_proj")) scale = 4.0F;  // r 2
        if (kind == "patterns" && path.ends_with("q_proj")) scale = 0.75F;    // alpha 3
        EXPECT_EQ(layer.rule.scale, scale) << folder << " " << path;
        EXPECT_EQ(layer.magnitude.size(), kind == "dora" ? static_cast<std::size_t>(layer.num_outputs) : 0U);
      }
      write_adapter(root_ / "again", adapter);
      EXPECT_EQ(read_file(root_ / "again/adapter_model.safetensors"), read_file(folder / "adapter_model.safetensors"));
      expect_equal(adapter, read_adapter(root_ / "again"));
      const Json theirs = parse_json(read_file(folder / "adapter_config.json"), "theirs");
      const Json ours = parse_json(read_file(root_ / "again/adapter_config.json"), "ours");
      for (const auto& [key, value] : ours.items()) EXPECT_EQ(value, theirs.at(key)) << key;
      ++folders;
    }
  }
  EXPECT_EQ(folders, 16);
}

}  // namespace
}  // namespace onggi::nn
