// A trained model is written and comes back as the same model, from both kinds of base.
#include "onggi/models/decoder_save.h"

#include <gtest/gtest.h>

#include <cstring>
#include <numeric>

#include <unistd.h>

#include "onggi/core/error.h"
#include "onggi/core/files.h"
#include "onggi/core/random.h"
#include "onggi/formats/gguf_writer.h"
#include "onggi/models/head.h"
#include "tests/support/shared.h"

namespace onggi::models {
namespace {

namespace fs = std::filesystem;

class DecoderSave : public ::testing::Test {
 protected:
  DecoderSave() : folder_(fs::path(::testing::TempDir()) / ("onggi_save_" + std::to_string(::getpid()))), context_(pool_) {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  ~DecoderSave() override { fs::remove_all(folder_); }

  std::unique_ptr<Decoder> load(const fs::path& path) {
    return Decoder::load(formats::open_checkpoint(path), context_, Compute::kF32);
  }

  std::vector<float> logits(Decoder& decoder) {
    nn::KvSequence sequence(decoder.kv_shape());
    Batch batch;
    for (int i = 0; i < 40; ++i) batch.tokens.push_back((i * 37 + 5) % decoder.config().vocab_size);
    batch.rows.push_back({&sequence, 0, 40});
    nn::FloatBuffer h;
    decoder.forward(context_, batch, nullptr, h);
    std::vector<std::int64_t> tokens(40);
    std::iota(tokens.begin(), tokens.end(), 0);
    nn::FloatBuffer out;
    Head(decoder).logits(context_, h, tokens, nullptr, out);
    return {out.data(), out.data() + std::int64_t{40} * decoder.config().vocab_size};
  }

  /// Moves every weight a little, as training does.
  static void change(Decoder& decoder) {
    std::uint64_t stream = 0;
    for (auto* p : decoder.parameters()) {
      ++stream;
      for (std::size_t i = 0; i < p->value.size(); ++i) p->value[i] += 0.02F * (uniform_float(3, stream, i) - 0.5F);
    }
  }

  fs::path folder_;
  ThreadPool pool_{2};
  nn::Context context_;
};

/// A Llama in GGUF, whose q and k rows are for adjacent-pair RoPE.
void write_tiny_gguf(const fs::path& path) {
  const std::int64_t d = 32, f = 48, vocab = 50, kv = 16;
  std::vector<formats::GgufEntry> entries = {
      formats::gguf_entry("general.architecture", "llama"),           formats::gguf_entry<std::uint32_t>("general.file_type", 7),
      formats::gguf_entry<std::uint32_t>("llama.embedding_length", d), formats::gguf_entry<std::uint32_t>("llama.feed_forward_length", f),
      formats::gguf_entry<std::uint32_t>("llama.block_count", 2),      formats::gguf_entry<std::uint32_t>("llama.attention.head_count", 4),
      formats::gguf_entry<std::uint32_t>("llama.attention.head_count_kv", 2), formats::gguf_entry<std::uint32_t>("llama.context_length", 128)};
  std::vector<formats::TensorToWrite> tensors;
  const auto add = [&](std::string name, std::vector<std::int64_t> shape) {
    const std::uint64_t stream = tensors.size();
    const std::int64_t width = shape.back();
    const float middle = shape.size() == 1 ? 1.0F : 0.0F;
    tensors.push_back({.name = std::move(name), .type = quant::DType::kF32, .shape = std::move(shape), .data = {},
                       .read_rows = [stream, width, middle](std::int64_t first, std::int64_t count, float* out) {
                         for (std::int64_t i = 0; i < count * width; ++i) {
                           out[i] = middle + 0.4F * (uniform_float(9, stream, static_cast<std::uint64_t>(first * width + i)) - 0.5F);
                         }
                       }});
  };
  add("token_embd.weight", {vocab, d});
  add("output_norm.weight", {d});
  for (int i = 0; i < 2; ++i) {
    const std::string b = "blk." + std::to_string(i) + ".";
    add(b + "attn_norm.weight", {d});
    add(b + "ffn_norm.weight", {d});
    add(b + "attn_q.weight", {d, d});
    add(b + "attn_k.weight", {kv, d});
    add(b + "attn_v.weight", {kv, d});
    add(b + "attn_output.weight", {d, d});
    add(b + "ffn_gate.weight", {f, d});
    add(b + "ffn_up.weight", {f, d});
    add(b + "ffn_down.weight", {d, f});
  }
  formats::write_gguf(path, entries, tensors);
}

TEST_F(DecoderSave, AHuggingFaceModelComesBack) {
  ONGGI_NEED_SHARED("fixtures/tiny");
  for (const char* name : {"gemma3", "llama", "qwen2", "qwen3"}) {
    const fs::path base = folder_ / name;
    fs::copy(testing::shared_folder() / "fixtures/tiny" / name, base, fs::copy_options::recursive);
    write_file_atomic(base / "tokenizer.json", "{\"a\": 1}");
    write_file_atomic(base / "notes.txt", "not the model's");
    const auto decoder = load(base);
    decoder->make_trainable(context_);
    change(*decoder);
    const auto want = logits(*decoder);
    const fs::path run = folder_ / (std::string("run-") + name);
    fs::create_directories(run);
    const Json origin = {{"seed", 1}};
    EXPECT_EQ(save_trained(*decoder, run, origin), run / "model");
    EXPECT_EQ(save_trained(*decoder, run, origin), run / "model") << "it is replaced";
    EXPECT_EQ(read_file(run / "model/tokenizer.json"), "{\"a\": 1}");
    EXPECT_FALSE(fs::exists(run / "model/notes.txt"));
    EXPECT_EQ(parse_json(read_file(run / "model/onggi.json"), "onggi.json"), origin);
    const auto again = load(run / "model");
    const auto got = logits(*again);
    if (!decoder->config().norm_adds_one) {
      EXPECT_EQ(got, want) << name;
      continue;
    }
    // Gains that are far from 1 lose their last bit when the file takes 1 off.
    for (std::size_t i = 0; i < want.size(); ++i) ASSERT_NEAR(got[i], want[i], 1e-4) << name;
  }
}

TEST_F(DecoderSave, AnImageModelsTextPartComesBackAsATextModel) {
  ONGGI_NEED_SHARED("fixtures/tiny");
  const fs::path base = folder_ / "image";
  fs::create_directories(base);
  const fs::path source = testing::shared_folder() / "fixtures/tiny/gemma3";
  fs::copy(source / "model.safetensors", base / "model.safetensors");
  Json text = parse_json(read_file(source / "config.json"), "config.json");
  text.erase("dtype");
  const Json config = {{"architectures", {"Gemma3ForConditionalGeneration"}}, {"model_type", "gemma3"}, {"dtype", "bfloat16"},
                       {"text_config", text}, {"vision_config", {{"hidden_size", 8}}}};
  write_file_atomic(base / "config.json", dump_json(config));
  const auto decoder = load(base);
  decoder->make_trainable(context_);
  save_trained(*decoder, folder_, nullptr);
  const auto again = load(folder_ / "model");
  EXPECT_EQ(again->config().embedding_scale, decoder->config().embedding_scale) << "it follows from the dtype";
  EXPECT_FALSE(again->checkpoint().metadata().contains("text_config"));
}

TEST_F(DecoderSave, AGgufModelComesBackInItsOwnRowOrder) {
  write_tiny_gguf(folder_ / "base.gguf");
  const auto decoder = load(folder_ / "base.gguf");
  decoder->make_trainable(context_);
  const fs::path path = save_trained(*decoder, folder_, {{"seed", 1}});
  EXPECT_EQ(path, folder_ / "model.gguf");
  const auto same = formats::open_checkpoint(path);
  for (const auto& tensor : decoder->checkpoint().tensors()) {
    const auto* written = same->find(tensor.name);
    ASSERT_NE(written, nullptr) << tensor.name;
    ASSERT_EQ(written->data.size(), tensor.data.size()) << tensor.name;
    EXPECT_EQ(std::memcmp(written->data.data(), tensor.data.data(), tensor.data.size()), 0) << tensor.name;
  }
  EXPECT_EQ(same->metadata()["general.file_type"], 0);
  change(*decoder);
  const auto want = logits(*decoder);
  save_trained(*decoder, folder_, {{"seed", 1}});
  EXPECT_EQ(logits(*load(path)), want);
}

TEST_F(DecoderSave, ADamagedModelReplacesNothing) {
  write_tiny_gguf(folder_ / "base.gguf");
  const auto decoder = load(folder_ / "base.gguf");
  decoder->make_trainable(context_);
  const fs::path path = save_trained(*decoder, folder_, nullptr);
  const std::string before = read_file(path);
  decoder->parameters()[3]->value[5] = NAN;
  EXPECT_THROW(save_trained(*decoder, folder_, nullptr), Error);
  EXPECT_EQ(read_file(path), before);
}

}  // namespace
}  // namespace onggi::models
