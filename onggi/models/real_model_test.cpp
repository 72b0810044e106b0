// The real Gemma 3 270M and SmolLM2 135M against the reference in f32. They skip where the models are not in the cache.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "onggi/core/files.h"
#include "onggi/core/json.h"
#include "onggi/models/decoder.h"
#include "onggi/models/head.h"
#include "tests/support/shared.h"

namespace onggi::models {
namespace {

struct Case {
  const char* fixture;
  const char* file;
};

class RealModel : public ::testing::TestWithParam<Case> {};
INSTANTIATE_TEST_SUITE_P(All, RealModel,
                         ::testing::Values(Case{"gemma-3-270m", "gemma-3-270m-q4_k_m.gguf"},
                                           Case{"smollm2-135m-instruct", "SmolLM2-135M-Instruct.Q4_1.gguf"}),
                         [](const auto& info) { return std::string(info.index == 0 ? "Gemma" : "SmolLM2"); });

TEST_P(RealModel, LikelihoodsAndGreedyIdsAreTheReferences) {
  const auto golden_path = std::filesystem::path("fixtures") / GetParam().fixture / "golden.json";
  ONGGI_NEED_SHARED(golden_path);
  const auto model = onggi_home() / "models" / GetParam().file;
  if (!std::filesystem::exists(model)) GTEST_SKIP() << "needs " << model.string() << ", which is not here";
  const Json golden = parse_json(read_file(testing::shared_folder() / golden_path), "golden.json");
  ThreadPool pool(2);
  nn::Context context(pool);
  const std::shared_ptr<const formats::Checkpoint> checkpoint = formats::open_checkpoint(model);
  const auto decoder = Decoder::load(checkpoint, context, Compute::kF32);
  Head head(*decoder);
  const int vocab = decoder->config().vocab_size;
  for (const auto& record : golden["records"]) {
    const auto ids = record["input_ids"].get<std::vector<int>>();
    nn::KvSequence sequence(decoder->kv_shape());
    Batch batch;
    batch.tokens = ids;
    batch.rows.push_back({&sequence, 0, static_cast<int>(ids.size())});
    nn::FloatBuffer h;
    decoder->forward(context, batch, nullptr, h);
    std::vector<ScoredPosition> scored;
    for (std::size_t i = 0; i + 1 < ids.size(); ++i) scored.push_back({static_cast<std::int64_t>(i), ids[i + 1], {}});
    std::vector<float> nll(scored.size());
    head.loss(context, h, scored, nullptr, 0.0F, nullptr, nll);
    const auto want = record["nll"].get<std::vector<double>>();
    for (std::size_t i = 0; i < want.size(); ++i) EXPECT_NEAR(nll[i], want[i], 1e-3) << record["prompt"] << " position " << i;

    const auto greedy = record["greedy_ids"].get<std::vector<int>>();
    const auto margin = record["greedy_margin"].get<std::vector<double>>();
    std::int64_t last = static_cast<std::int64_t>(ids.size()) - 1;
    // Twelve steps of each are enough to see a wrong cache, window or rotation, and keep the test short.
    for (std::size_t step = 0; step < std::min<std::size_t>(12, greedy.size()) && margin[step] >= 1e-3; ++step) {
      nn::FloatBuffer logits;
      head.logits(context, h, {&last, 1}, nullptr, logits);
      const int got = static_cast<int>(std::max_element(logits.data(), logits.data() + vocab) - logits.data());
      ASSERT_EQ(got, greedy[step]) << record["prompt"] << " step " << step;
      Batch next;
      next.tokens = {got};
      next.rows.push_back({&sequence, 0, 1});
      decoder->forward(context, next, nullptr, h);
      last = 0;
    }
  }
}

}  // namespace
}  // namespace onggi::models
