// base + adapter against the merged model, on tiny random models made here; PEFT's own adapters where ../shared is.
#include "onggi/tasks/merge/merge.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "onggi/core/files.h"
#include "onggi/core/random.h"
#include "onggi/formats/gguf_writer.h"
#include "onggi/formats/test_support.h"
#include "onggi/models/adapter_io.h"
#include "onggi/models/head.h"
#include "onggi/quant/blocks.h"
#include "onggi/tasks/sft/adapter_init.h"
#include "onggi/text/tokenizer.h"
#include "tests/support/shared.h"

namespace onggi::tasks {
namespace {

namespace fs = std::filesystem;
using formats::testing::expect_error;
using formats::testing::TemporaryFolder;
using quant::DType;

constexpr int kHidden = 128, kFf = 256, kLayers = 3, kHeads = 4, kKvHeads = 2, kHeadDim = 16, kVocab = 320;

std::vector<float> random_values(std::uint64_t stream, std::int64_t count, float bound, float middle = 0.0F) {
  std::vector<float> values(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = middle + bound * (2.0F * uniform_float(7, stream, i) - 1.0F);
  return values;
}

std::vector<formats::GgufEntry> tiny_entries(const std::string& a) {
  using formats::gguf_entry;
  std::vector<std::string> tokens = {"<pad>", "<eos>", "<bos>", "<unk>"};
  std::vector<std::int32_t> types = {3, 3, 3, 2};
  constexpr char kHex[] = "0123456789ABCDEF";
  for (int b = 0; b < 256; ++b) {
    tokens.push_back(std::string("<0x") + kHex[b >> 4] + kHex[b & 15] + ">");
    types.push_back(6);
  }
  for (int i = static_cast<int>(tokens.size()); i < kVocab; ++i) {
    const std::string letter(1, static_cast<char>('a' + i % 26));
    tokens.push_back(i % 2 == 0 ? "\xE2\x96\x81" + letter + std::to_string(i) : letter + std::to_string(i));
    types.push_back(1);
  }
  std::vector<float> scores(tokens.size());
  for (std::size_t i = 0; i < scores.size(); ++i) scores[i] = -static_cast<float>(i);
  return {gguf_entry("general.architecture", a),
          gguf_entry("general.name", "tiny"),
          gguf_entry<std::uint32_t>("general.file_type", 0),
          gguf_entry<std::uint32_t>(a + ".embedding_length", kHidden),
          gguf_entry<std::uint32_t>(a + ".feed_forward_length", kFf),
          gguf_entry<std::uint32_t>(a + ".block_count", kLayers),
          gguf_entry<std::uint32_t>(a + ".attention.head_count", kHeads),
          gguf_entry<std::uint32_t>(a + ".attention.head_count_kv", kKvHeads),
          gguf_entry<std::uint32_t>(a + ".attention.key_length", kHeadDim),
          gguf_entry<std::uint32_t>(a + ".attention.sliding_window", 8),
          gguf_entry<std::uint32_t>(a + ".context_length", 256),
          gguf_entry<float>(a + ".attention.layer_norm_rms_epsilon", 1e-6F),
          gguf_entry<float>(a + ".rope.freq_base", 500000.0F),
          gguf_entry("tokenizer.ggml.model", "llama"),
          gguf_entry("tokenizer.ggml.tokens", tokens),
          gguf_entry("tokenizer.ggml.scores", scores),
          gguf_entry("tokenizer.ggml.token_type", types),
          gguf_entry<std::uint32_t>("tokenizer.ggml.bos_token_id", 2),
          gguf_entry<std::uint32_t>("tokenizer.ggml.eos_token_id", 1),
          gguf_entry<std::uint32_t>("tokenizer.ggml.unknown_token_id", 3),
          gguf_entry<std::uint32_t>("tokenizer.ggml.padding_token_id", 0),
          gguf_entry("tokenizer.ggml.add_space_prefix", false),
          gguf_entry("tokenizer.chat_template", "{{ messages }}")};
}

/// A GGUF file of architecture `a` with random weights, matrices of `type`.
fs::path write_tiny(const fs::path& path, const std::string& a, DType type = DType::kF32) {
  std::vector<std::pair<formats::TensorToWrite, std::vector<float>>> tensors;
  const auto add = [&](std::string name, std::vector<std::int64_t> shape) {
    const bool is_vector = shape.size() == 1;
    const std::int64_t count = is_vector ? shape[0] : shape[0] * shape[1];
    auto values =
        random_values(tensors.size() + 1, count, is_vector ? 0.2F : 0.15F, name.ends_with("norm.weight") ? 1.0F : 0.0F);
    tensors.push_back({{.name = std::move(name),
                        .type = is_vector ? DType::kF32 : type,
                        .shape = std::move(shape),
                        .data = {},
                        .read_rows = {}},
                       std::move(values)});
  };
  constexpr std::int64_t q = kHeads * kHeadDim, kv = kKvHeads * kHeadDim;
  const bool has_qk_norm = a == "gemma3" || a == "qwen3";
  add("token_embd.weight", {kVocab, kHidden});
  for (int i = 0; i < kLayers; ++i) {
    const std::string p = "blk." + std::to_string(i) + ".";
    add(p + "attn_norm.weight", {kHidden});
    add(p + "attn_q.weight", {q, kHidden});
    add(p + "attn_k.weight", {kv, kHidden});
    add(p + "attn_v.weight", {kv, kHidden});
    for (const char* name : {"attn_q_norm.weight", "attn_k_norm.weight"}) {
      if (has_qk_norm) add(p + name, {kHeadDim});
    }
    if (a == "qwen2") {
      add(p + "attn_q.bias", {q});
      add(p + "attn_k.bias", {kv});
      add(p + "attn_v.bias", {kv});
    }
    add(p + "attn_output.weight", {kHidden, q});
    add(p + "ffn_norm.weight", {kHidden});
    add(p + "ffn_gate.weight", {kFf, kHidden});
    add(p + "ffn_up.weight", {kFf, kHidden});
    add(p + "ffn_down.weight", {kHidden, kFf});
    if (a != "gemma3") continue;
    add(p + "post_attention_norm.weight", {kHidden});
    add(p + "post_ffw_norm.weight", {kHidden});
  }
  add("output_norm.weight", {kHidden});
  if (a == "llama") add("output.weight", {kVocab, kHidden});
  std::vector<formats::TensorToWrite> to_write;
  for (auto& [tensor, values] : tensors) {
    const std::int64_t width = tensor.shape.back();
    tensor.read_rows = [&values = values, width](std::int64_t first, std::int64_t count, float* out) {
      std::copy_n(values.data() + first * width, count * width, out);
    };
    to_write.push_back(tensor);
  }
  formats::write_gguf(path, tiny_entries(a), to_write);
  return path;
}

struct Model {
  explicit Model(const fs::path& path) : pool(2), context(pool) {
    checkpoint = formats::open_checkpoint(path);
    decoder = models::Decoder::load(checkpoint, context, models::Compute::kF32);
  }

  /// An adapter that changes something: make_lora's B is zero.
  nn::Adapter adapter(const LoraOptions& options) {
    nn::Adapter out = make_lora(context, *decoder, options, 3);
    for (std::size_t i = 0; i < out.linears.size(); ++i) {
      if (!out.linears[i]) continue;
      auto& lora = *out.linears[i];
      lora.b.value = random_values(1000 + i, static_cast<std::int64_t>(lora.b.value.size()), 0.3F);
      if (lora.magnitude) {
        for (std::size_t n = 0; n < lora.magnitude->value.size(); ++n)
          lora.magnitude->value[n] *= 0.8F + 0.4F * uniform_float(9, i, n);
      }
    }
    decoder->pack_adapter(context, out);
    return out;
  }

  std::vector<float> logits(const nn::Adapter* adapter = nullptr) {
    models::Batch batch;
    for (int i = 0; i < 24; ++i) batch.tokens.push_back((5 + 37 * i) % kVocab);
    nn::KvSequence sequence(decoder->kv_shape());
    batch.rows.push_back({&sequence, 0, static_cast<int>(batch.tokens.size())});
    nn::FloatBuffer h;
    decoder->forward(context, batch, adapter, h);
    std::vector<std::int64_t> tokens(batch.tokens.size());
    std::iota(tokens.begin(), tokens.end(), 0);
    nn::FloatBuffer out;
    models::Head(*decoder).logits(context, h, tokens, nullptr, out);
    return {out.data(), out.data() + static_cast<std::ptrdiff_t>(tokens.size()) * decoder->config().vocab_size};
  }

  MergeSummary merge(const nn::Adapter& adapter, MergeOptions options) {
    return merge_adapter(
        {.context = context, .decoder = *decoder, .adapter = adapter, .origin = {{"base", "tiny"}}, .write = {}},
        options);
  }

  ThreadPool pool;
  nn::Context context;
  std::shared_ptr<const formats::Checkpoint> checkpoint;
  std::unique_ptr<models::Decoder> decoder;
};

double relative_to_largest(std::span<const float> got, std::span<const float> want) {
  double worst = 0.0, largest = 0.0;
  for (std::size_t i = 0; i < want.size(); ++i) {
    worst = std::max(worst, std::abs(static_cast<double>(got[i]) - want[i]));
    largest = std::max(largest, std::abs(static_cast<double>(want[i])));
  }
  return worst / largest;
}

std::vector<float> values_of(const formats::TensorView& t) {
  std::vector<float> out(static_cast<std::size_t>(t.num_elements()));
  quant::decode(t.type, t.data.data(), t.num_elements(), out.data());
  return out;
}

class MergeOf : public ::testing::TestWithParam<std::tuple<const char*, bool>> {
 protected:
  std::string architecture() const { return std::get<0>(GetParam()); }
  LoraOptions lora() const { return {.rank = 4, .alpha = 8.0F, .dora = std::get<1>(GetParam())}; }
};
INSTANTIATE_TEST_SUITE_P(Tiny, MergeOf,
                         ::testing::Combine(::testing::Values("gemma3", "llama", "qwen2", "qwen3"), ::testing::Bool()),
                         [](const auto& info) {
                           return std::string(std::get<0>(info.param)) + (std::get<1>(info.param) ? "Dora" : "Lora");
                         });

TEST_P(MergeOf, GgufHasTheLogitsOfBaseAndAdapter) {
  const TemporaryFolder folder;
  Model base(write_tiny(folder / "base.gguf", architecture()));
  const auto adapter = base.adapter(lora());
  const auto want = base.logits(&adapter);
  EXPECT_GT(relative_to_largest(base.logits(), want), 1e-2) << "the adapter changes nothing";
  const auto summary = base.merge(adapter, {.output = folder / "merged.gguf"});
  EXPECT_EQ(summary.num_merged, kLayers * models::kNumSlots);
  Model merged(folder / "merged.gguf");
  EXPECT_LT(relative_to_largest(merged.logits(), want), 1e-5);
  for (const auto& tensor : merged.checkpoint->tensors()) EXPECT_EQ(tensor.type, DType::kF32) << tensor.name;
}

TEST_P(MergeOf, FolderFromGgufHasTheLogitsOfBaseAndAdapter) {
  const TemporaryFolder folder;
  Model base(write_tiny(folder / "base.gguf", architecture()));
  const auto adapter = base.adapter(lora());
  const auto want = base.logits(&adapter);
  base.merge(adapter, {.output = folder / "merged"});
  Model merged(folder / "merged");
  EXPECT_LT(relative_to_largest(merged.logits(), want), 1e-5);
  EXPECT_EQ(merged.decoder->config().norm_epsilon, base.decoder->config().norm_epsilon);
  EXPECT_EQ(merged.decoder->config().attention_scale, base.decoder->config().attention_scale);
  for (int i = 0; i < kLayers; ++i) {
    const auto& a = base.decoder->config().layers[static_cast<std::size_t>(i)];
    const auto& b = merged.decoder->config().layers[static_cast<std::size_t>(i)];
    EXPECT_EQ(a.window, b.window);
    EXPECT_EQ(a.rope, b.rope);
  }

  // And from that folder to another one, in several files.
  const auto again = merged.adapter(lora());
  merged.merge(again, {.output = folder / "twice", .shard_mb = 1});
  EXPECT_TRUE(fs::exists(folder / "twice" / "model.safetensors.index.json"));
  Model twice(folder / "twice");
  EXPECT_EQ(twice.checkpoint->tensors().size(), merged.checkpoint->tensors().size());
  EXPECT_LT(relative_to_largest(twice.logits(), merged.logits(&again)), 1e-5);
  EXPECT_EQ(read_file(folder / "twice" / "config.json"), read_file(folder / "merged" / "config.json"));
}

TEST(Merge, GgufKeepsEveryKeyAndUntouchedBlocks) {
  const TemporaryFolder folder;
  Model base(write_tiny(folder / "base.gguf", "gemma3", DType::kQ4_0));
  const auto adapter = base.adapter({.rank = 4, .targets = {"q_proj", "down_proj"}});
  const auto summary = base.merge(adapter, {.output = folder / "merged.gguf"});
  EXPECT_EQ(summary.num_merged, 2 * kLayers);
  const auto merged = formats::open_checkpoint(folder / "merged.gguf");
  const auto before = formats::gguf_entries(*base.checkpoint);
  auto after = formats::gguf_entries(*merged);
  ASSERT_EQ(after.size(), before.size() + 1);
  EXPECT_EQ(after.back().key, "onggi.origin");
  for (std::size_t i = 0; i < before.size(); ++i) {
    EXPECT_EQ(after[i].key, before[i].key);
    const auto want =
        before[i].key == "general.file_type" ? formats::gguf_entry<std::uint32_t>(before[i].key, 7) : before[i];
    EXPECT_EQ(after[i].value, want.value) << before[i].key;
  }
  ASSERT_EQ(merged->tensors().size(), base.checkpoint->tensors().size());
  for (std::size_t i = 0; i < merged->tensors().size(); ++i) {
    const auto& got = merged->tensors()[i];
    const auto& want = base.checkpoint->tensors()[i];
    EXPECT_EQ(got.name, want.name);
    EXPECT_EQ(got.shape, want.shape);
    if (got.name.ends_with("attn_q.weight") || got.name.ends_with("ffn_down.weight")) {
      EXPECT_EQ(got.type, DType::kQ8_0) << got.name;
    } else {
      EXPECT_EQ(got.type, want.type) << got.name;
      EXPECT_TRUE(std::ranges::equal(got.data, want.data)) << got.name;
    }
  }
}

TEST(Merge, Q8IsWithinTheStepOfItsBlocks) {
  const TemporaryFolder folder;
  Model base(write_tiny(folder / "base.gguf", "llama"));
  const auto adapter = base.adapter({.rank = 4, .alpha = 8.0F, .dora = true});
  base.merge(adapter, {.output = folder / "exact.gguf", .type = "F32"});
  base.merge(adapter, {.output = folder / "small.gguf", .type = "q8_0"});
  const auto exact = formats::open_checkpoint(folder / "exact.gguf");
  const auto small = formats::open_checkpoint(folder / "small.gguf");
  int compared = 0;
  for (const auto& tensor : small->tensors()) {
    if (tensor.type != DType::kQ8_0) continue;
    ++compared;
    const auto got = values_of(tensor), want = values_of(*exact->find(tensor.name));
    for (std::size_t block = 0; block < want.size(); block += 32) {
      const auto most = std::abs(*std::max_element(want.begin() + static_cast<std::ptrdiff_t>(block),
                                                   want.begin() + static_cast<std::ptrdiff_t>(block) + 32,
                                                   [](float a, float b) { return std::abs(a) < std::abs(b); }));
      // Half a step, and what F16 rounds off the step.
      for (std::size_t i = block; i < block + 32; ++i)
        ASSERT_LE(std::abs(got[i] - want[i]), 0.6F * most / 127.0F) << tensor.name << " " << i;
    }
  }
  EXPECT_EQ(compared, kLayers * models::kNumSlots);
}

TEST(Merge, FolderFromAQuantisedFileIsBf16ThroughoutAndHasItsTokenizer) {
  const TemporaryFolder folder;
  Model base(write_tiny(folder / "base.gguf", "gemma3", DType::kQ8_0));
  base.merge(base.adapter({.rank = 2}), {.output = folder / "merged"});
  const auto merged = formats::open_checkpoint(folder / "merged");
  for (const auto& tensor : merged->tensors()) EXPECT_EQ(tensor.type, DType::kBF16) << tensor.name;
  EXPECT_EQ(merged->metadata()["torch_dtype"], "bfloat16");
  const auto before = text::open_tokenizer(*base.checkpoint);
  const auto after = text::open_tokenizer(*merged);
  EXPECT_EQ(after->content_hash(), before->content_hash());
  EXPECT_EQ(after->chat_template(), before->chat_template());
  EXPECT_EQ(after->adds_bos(), before->adds_bos());
}

TEST(Merge, TypeConvertsAWholeFolderAndItsConfig) {
  const TemporaryFolder folder;
  Model base(write_tiny(folder / "base.gguf", "qwen2"));
  base.merge(base.adapter({.rank = 2}), {.output = folder / "f32"});
  Model first(folder / "f32");
  first.merge(first.adapter({.rank = 2}), {.output = folder / "bf16", .type = "bf16"});
  const auto converted = formats::open_checkpoint(folder / "bf16");
  for (const auto& tensor : converted->tensors()) EXPECT_EQ(tensor.type, DType::kBF16) << tensor.name;
  EXPECT_EQ(converted->metadata()["torch_dtype"], "bfloat16");
}

TEST(Merge, RefusesWhatItCannotOrMustNotWrite) {
  const TemporaryFolder folder;
  Model base(write_tiny(folder / "base.gguf", "qwen3"));
  const auto adapter = base.adapter({.rank = 2});
  const auto refused = [&](Model& model, MergeOptions options, const std::vector<std::string>& parts) {
    expect_error(ErrorCode::kInvalidArgument, parts, [&] { model.merge(adapter, options); });
  };
  refused(base, {.output = folder / "a", .type = "Q8_0"}, {"Q8_0", "folder", "GGUF"});
  refused(base, {.output = folder / "a.gguf", .type = "Q5_K"}, {"Q5_K", "Q4_0"});
  refused(base, {.output = folder / "base.gguf", .force = true}, {"base itself"});
  refused(base, {.output = folder.path(), .force = true}, {"base itself"});
  folder.put("taken.gguf", "something");
  refused(base, {.output = folder / "taken.gguf"}, {"taken.gguf", "--force"});
  EXPECT_EQ(read_file(folder / "taken.gguf"), "something");
  base.merge(adapter, {.output = folder / "taken.gguf", .force = true});
  base.merge(adapter, {.output = folder / "model"});
  refused(base, {.output = folder / "model"}, {"--force"});
  base.merge(adapter, {.output = folder / "model", .force = true});
  fs::create_directory(folder / "photos");
  folder.put("photos/one", "picture");
  refused(base, {.output = folder / "photos", .force = true}, {"no model"});
  Model from_folder(folder / "model");
  refused(from_folder, {.output = folder / "b.gguf"}, {"GGUF base"});
}

TEST(Merge, LeavesNothingBehindWhereItFails) {
  const TemporaryFolder folder;
  Model base(write_tiny(folder / "base.gguf", "llama"));
  auto adapter = base.adapter({.rank = 2});
  adapter.linears.back()->b.value[5] = INFINITY;
  for (const char* name : {"bad.gguf", "bad"}) {
    expect_error(ErrorCode::kInvalidArgument, {"can't write tensor"},
                 [&] { base.merge(adapter, {.output = folder / name}); });
  }
  EXPECT_EQ(folder.num_files(), 1U);
}

class MergePeft : public ::testing::TestWithParam<std::tuple<const char*, const char*>> {};
INSTANTIATE_TEST_SUITE_P(Tiny, MergePeft,
                         ::testing::Combine(::testing::Values("gemma3", "llama", "qwen2", "qwen3"),
                                            ::testing::Values("lora", "rslora", "dora", "patterns")),
                         [](const auto& info) {
                           return std::string(std::get<0>(info.param)) + "_" + std::get<1>(info.param);
                         });

TEST_P(MergePeft, FolderHasTheLogitsOfBaseAndAdapter) {
  ONGGI_NEED_SHARED("fixtures/tiny");
  const fs::path source = onggi::testing::shared_folder() / "fixtures/tiny" / std::get<0>(GetParam());
  const fs::path adapter_folder = source / (std::string("adapter-") + std::get<1>(GetParam()));
  const TemporaryFolder folder;
  Model base(source);
  const auto adapter = models::adapter_from_files(base.context, *base.decoder, nn::read_adapter(adapter_folder),
                                                  adapter_folder.string());
  base.merge(adapter, {.output = folder / "merged", .type = "F32"});
  Model merged(folder / "merged");
  EXPECT_LT(relative_to_largest(merged.logits(), base.logits(&adapter)), 1e-4);
}

}  // namespace
}  // namespace onggi::tasks
