// A trained Llama of 260 thousand parameters (llama2.c's stories260K) against its documented story and an f64 reference.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <numeric>

#include "onggi/core/files.h"
#include "onggi/core/json.h"
#include "onggi/formats/gguf_writer.h"
#include "onggi/models/decoder.h"
#include "onggi/models/head.h"
#include "tests/support/shared.h"
#include "tests/support/tolerance.h"

namespace onggi::models {
namespace {

constexpr std::int64_t kWidth = 64, kMlp = 172, kLayers = 5, kKeys = 32, kVocab = 512;

/// llama2.c's file as a GGUF: its rotation of neighbouring pairs is GGUF's for this architecture.
void write_stories(const std::filesystem::path& source, const std::filesystem::path& target, const std::vector<float>& rope_factors = {}) {
  const std::string bytes = read_file(source);
  const char* at = bytes.data() + 7 * sizeof(std::int32_t);
  std::vector<formats::TensorToWrite> tensors;
  const auto take = [&](const std::string& name, std::vector<std::int64_t> shape) {
    const auto count = std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
    const std::span data(reinterpret_cast<const std::byte*>(at), static_cast<std::size_t>(count) * sizeof(float));
    tensors.push_back({.name = name, .type = quant::DType::kF32, .shape = std::move(shape), .data = data, .read_rows = {}});
    at += data.size();
  };
  const auto take_layers = [&](const std::string& name, const std::vector<std::int64_t>& shape) {
    for (int l = 0; l < kLayers; ++l) take("blk." + std::to_string(l) + "." + name + ".weight", shape);
  };
  take("token_embd.weight", {kVocab, kWidth});
  take_layers("attn_norm", {kWidth});
  take_layers("attn_q", {kWidth, kWidth});
  take_layers("attn_k", {kKeys, kWidth});
  take_layers("attn_v", {kKeys, kWidth});
  take_layers("attn_output", {kWidth, kWidth});
  take_layers("ffn_norm", {kWidth});
  take_layers("ffn_gate", {kMlp, kWidth});
  take_layers("ffn_down", {kWidth, kMlp});
  take_layers("ffn_up", {kMlp, kWidth});
  take("output_norm.weight", {kWidth});
  if (!rope_factors.empty()) {
    tensors.push_back({.name = "rope_freqs.weight", .type = quant::DType::kF32, .shape = {static_cast<std::int64_t>(rope_factors.size())},
                       .data = std::as_bytes(std::span(rope_factors)), .read_rows = {}});
  }
  using formats::gguf_entry;
  const std::vector<formats::GgufEntry> entries = {
      gguf_entry("general.architecture", "llama"), gguf_entry<std::uint32_t>("llama.context_length", 512),
      gguf_entry<std::uint32_t>("llama.embedding_length", kWidth), gguf_entry<std::uint32_t>("llama.block_count", kLayers),
      gguf_entry<std::uint32_t>("llama.feed_forward_length", kMlp), gguf_entry<std::uint32_t>("llama.attention.head_count", 8),
      gguf_entry<std::uint32_t>("llama.attention.head_count_kv", 4), gguf_entry<std::uint32_t>("llama.vocab_size", kVocab),
      gguf_entry<float>("llama.attention.layer_norm_rms_epsilon", 1e-5F), gguf_entry<float>("llama.rope.freq_base", 10000.0F)};
  formats::write_gguf(target, entries, tensors);
}

class Stories : public ::testing::Test {
 protected:
  void SetUp() override {
    ONGGI_NEED_SHARED("data/stories260k");
    const auto folder = testing::shared_folder() / "data/stories260k";
    golden_ = parse_json(read_file(folder / "greedy.json"), "greedy.json");
    file_ = std::filesystem::path(::testing::TempDir()) / ("stories-" + std::string(::testing::UnitTest::GetInstance()->current_test_info()->name()) + ".gguf");
    write_stories(folder / "stories260K.bin", file_);
  }
  void TearDown() override { std::filesystem::remove(file_); }

  Json golden_;
  std::filesystem::path file_;
};

/// Feeds ids[0 .. n-1] in one batch, or one by one; logits [n, vocab].
std::vector<float> logits_of(nn::Context& context, Decoder& decoder, std::span<const int> ids, bool one_by_one) {
  nn::KvSequence sequence(decoder.kv_shape());
  Head head(decoder);
  std::vector<float> all;
  for (std::size_t at = 0; at < ids.size();) {
    const std::size_t count = one_by_one ? 1 : ids.size();
    Batch batch;
    batch.tokens.assign(ids.begin() + static_cast<std::ptrdiff_t>(at), ids.begin() + static_cast<std::ptrdiff_t>(at + count));
    batch.rows.push_back({&sequence, 0, static_cast<int>(count)});
    nn::FloatBuffer h, out;
    decoder.forward(context, batch, nullptr, h);
    std::vector<std::int64_t> tokens(count);
    std::iota(tokens.begin(), tokens.end(), 0);
    head.logits(context, h, tokens, nullptr, out);
    all.insert(all.end(), out.data(), out.data() + static_cast<std::ptrdiff_t>(count) * decoder.config().vocab_size);
    at += count;
  }
  return all;
}

TEST_F(Stories, TellsTheDocumentedStoryOnEveryInstructionSet) {
  const auto greedy = golden_["greedy_ids"].get<std::vector<int>>();
  std::vector<int> ids = {golden_["bos"].get<int>()};
  ids.insert(ids.end(), greedy.begin(), greedy.end());
  for (const auto* table : kernels::available_kernels()) {
    ThreadPool pool(2);
    nn::Context context(pool, *table);
    const std::shared_ptr<const formats::Checkpoint> checkpoint = formats::open_checkpoint(file_);
    const auto decoder = Decoder::load(checkpoint, context, Compute::kF32);
    const auto logits = logits_of(context, *decoder, std::span(ids).first(greedy.size()), true);
    EXPECT_EQ(logits, logits_of(context, *decoder, std::span(ids).first(greedy.size()), false)) << table->isa;
    double nll = 0;  // of the predictions inside the first 64 tokens
    for (std::size_t i = 0; i < greedy.size(); ++i) {
      const std::span row(logits.data() + i * kVocab, kVocab);
      EXPECT_EQ(std::ranges::max_element(row) - row.begin(), greedy[i]) << table->isa << " at " << i;
      double sum = 0;
      for (const float x : row) sum += std::exp(static_cast<double>(x));
      if (i < 63) nll += std::log(sum) - row[static_cast<std::size_t>(greedy[i])];
    }
    EXPECT_NEAR(nll / 63, golden_["mean_nll_first_64"].get<double>(), 1e-5) << table->isa;
    for (std::size_t i = 0; i < 3; ++i) {
      const auto want = golden_["logits_first"][i].get<std::vector<double>>();
      testing::expect_close(std::span<const float>(logits).subspan(i * kVocab, kVocab), std::span<const double>(want), testing::kLongSum,
                            std::string(table->isa).c_str());
    }
  }
}

TEST_F(Stories, RopeFactorsSlowTheRotation) {
  ThreadPool pool(1);
  nn::Context context(pool);
  const std::vector<int> ids = {1, 403, 407, 261, 378, 432};
  const auto run = [&](float factor) {
    const auto path = file_.string() + ".factors";
    write_stories(testing::shared_folder() / "data/stories260k/stories260K.bin", path, std::vector<float>(4, factor));
    const std::shared_ptr<const formats::Checkpoint> checkpoint = formats::open_checkpoint(path);
    auto logits = logits_of(context, *Decoder::load(checkpoint, context, Compute::kF32), ids, false);
    std::filesystem::remove(path);
    return logits;
  };
  const std::shared_ptr<const formats::Checkpoint> plain = formats::open_checkpoint(file_);
  const auto without = logits_of(context, *Decoder::load(plain, context, Compute::kF32), ids, false);
  EXPECT_EQ(run(1.0F), without);
  const auto slowed = run(4.0F);
  EXPECT_TRUE(std::equal(slowed.begin(), slowed.begin() + kVocab, without.begin()));  // position 0 does not turn
  EXPECT_NE(slowed, without);
}

}  // namespace
}  // namespace onggi::models
