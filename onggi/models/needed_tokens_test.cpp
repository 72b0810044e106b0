// Leaving out what the last layer computes for tokens that nobody reads changes no bit of what is read.
#include <gtest/gtest.h>

#include <cstring>

#include "onggi/models/adapter_io.h"
#include "onggi/models/decoder_rows.h"
#include "onggi/models/head.h"
#include "tests/support/shared.h"

namespace onggi::models {
namespace {

struct Result {
  double loss = 0.0;
  double loss_without_trace = 0.0;
  std::vector<std::vector<float>> gradients;
  bool operator==(const Result&) const = default;
};

struct Case {
  std::string kind;  ///< Adapter, or "full".
  bool recompute = false;
  float dropout = 0.0F;
};

Result run(const std::string& model, const Case& c, bool is_pruned) {
  ThreadPool pool(2);
  nn::Context context(pool);
  const auto folder = testing::shared_folder() / "fixtures/tiny" / model;
  const auto decoder = Decoder::load(formats::open_checkpoint(folder), context, Compute::kF32);
  nn::Adapter adapter;
  const bool is_full = c.kind == "full";
  if (is_full) {
    decoder->make_trainable(context);
  } else {
    const auto path = folder / ("adapter-" + c.kind);
    adapter = adapter_from_files(context, *decoder, nn::read_adapter(path), path.string());
    adapter.zero_gradients();
  }
  nn::Adapter* used = is_full ? nullptr : &adapter;

  // A prefix of 21 tokens that nothing scores, and three rows: one scored with gaps, one at its end, one not at all.
  std::vector<std::unique_ptr<nn::KvSequence>> sequences;
  Batch batch;
  std::vector<ScoredPosition> scored;
  const auto add = [&](int count, int prefix_row) {
    sequences.push_back(std::make_unique<nn::KvSequence>(decoder->kv_shape()));
    batch.rows.push_back({sequences.back().get(), batch.num_tokens(), count, prefix_row});
    for (int i = 0; i < count; ++i) batch.tokens.push_back(static_cast<int>(3 + (batch.num_tokens() * 17) % 300));
  };
  add(21, -1);
  for (const int count : {19, 30, 7}) add(count, 0);
  for (const std::int64_t t : {25, 26, 27, 30, 33, 34, 39, 40, 68, 69}) scored.push_back({t, static_cast<int>(5 + t), {}});
  nn::AdapterDropout dropout{.probability = c.dropout, .seed = 3, .update = 1, .token_keys = {}};
  for (std::size_t t = 0; t < batch.tokens.size(); ++t) dropout.token_keys.push_back(t);
  if (c.dropout > 0.0F) batch.dropout = &dropout;
  if (is_pruned) {
    for (const auto& p : scored) batch.needed.push_back(p.token);
  }

  Result result;
  nn::FloatBuffer h;
  nn::FloatBuffer dh;
  Head head(*decoder);
  Trace trace;
  trace.recompute = c.recompute;
  decoder->forward(context, batch, used, h, &trace);
  const std::int64_t size = batch.num_tokens() * decoder->config().hidden_size;
  std::memset(dh.resize(size), 0, static_cast<std::size_t>(size) * sizeof(float));
  result.loss = head.loss(context, h, scored, nullptr, 0.1F, &dh);
  decoder->backward(context, batch, trace, used, dh);
  for (const auto* p : is_full ? decoder->parameters() : adapter.parameters()) result.gradients.push_back(p->grad);
  for (auto& sequence : sequences) *sequence = nn::KvSequence(decoder->kv_shape());
  decoder->forward(context, batch, used, h);
  result.loss_without_trace = head.loss(context, h, scored, nullptr, 0.0F, nullptr);
  return result;
}

class NeededTokens : public ::testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Tiny, NeededTokens, ::testing::Values("gemma3", "llama", "qwen2", "qwen3"),
                         [](const auto& info) { return std::string(info.param); });

TEST_P(NeededTokens, HaveTheSameBitsAlone) {
  ONGGI_NEED_SHARED("fixtures/tiny");
  for (const Case& c : {Case{"lora"}, Case{"dora"}, Case{"full"}, Case{"lora", true}, Case{"full", true}, Case{"lora", false, 0.3F}, Case{"lora", true, 0.3F}}) {
    EXPECT_EQ(run(GetParam(), c, true), run(GetParam(), c, false)) << c.kind << " recompute " << c.recompute << " dropout " << c.dropout;
  }
}

TEST(DecoderRows, GatherAndScatterAreInverse) {
  const std::vector<float> x = {0, 1, 10, 11, 20, 21};
  const std::vector<std::int64_t> tokens = {0, 2};
  nn::FloatBuffer rows;
  const float* gathered = gather_rows(x.data(), tokens, 2, rows);
  EXPECT_EQ((std::vector<float>(gathered, gathered + 4)), (std::vector<float>{0, 1, 20, 21}));
  std::vector<float> y(6, 7.0F);
  scatter_rows(gathered, tokens, 2, y.data());
  EXPECT_EQ(y, (std::vector<float>{0, 1, 7, 7, 20, 21}));
}

}  // namespace
}  // namespace onggi::models
