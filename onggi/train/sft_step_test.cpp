// Options of a training step on tiny models: recomputation, dropout.
#include "onggi/train/sft_step.h"

#include <gtest/gtest.h>

#include <cmath>

#include "onggi/core/error.h"
#include "onggi/models/adapter_io.h"
#include "tests/support/shared.h"

namespace onggi::train {
namespace {

struct Fixture {
  explicit Fixture(const std::string& name, int threads = 2) : pool(threads), context(pool) {
    folder = onggi::testing::shared_folder() / "fixtures/tiny" / name;
    decoder = models::Decoder::load(formats::open_checkpoint(folder), context, models::Compute::kF32);
    for (int i = 0; i < 21; ++i) set.prefix.push_back(3 + i * 13 % 300);
    for (int r = 0; r < 4; ++r) {
      Example e;
      for (int i = 0; i < 4 + 7 * r; ++i) e.prompt.push_back(3 + (r * 31 + i * 17) % 300);
      for (int i = 0; i < 3 + 2 * r; ++i) e.answer.push_back(3 + (r * 29 + i * 11) % 300);
      set.examples.push_back(std::move(e));
      rows.push_back(static_cast<std::size_t>(r));
    }
  }

  nn::Adapter adapter(const std::string& kind) {
    const auto path = folder / ("adapter-" + kind);
    auto adapter = models::adapter_from_files(context, *decoder, nn::read_adapter(path), path.string());
    adapter.zero_gradients();
    return adapter;
  }

  ThreadPool pool;
  nn::Context context;
  std::filesystem::path folder;
  std::unique_ptr<models::Decoder> decoder;
  ExampleSet set;
  std::vector<std::size_t> rows;
};

struct Outcome {
  double loss = 0.0;
  std::vector<std::vector<float>> gradients;
  bool operator==(const Outcome&) const = default;
};

/// One step of an adapter of `kind`, or of all weights for "full".
Outcome step(Fixture& f, const std::string& kind, const StepOptions& options, std::int64_t update = 0) {
  nn::Adapter adapter;
  std::vector<nn::Parameter*> parameters;
  const bool is_full = kind == "full";
  if (is_full) {
    f.decoder->make_trainable(f.context);
    parameters = f.decoder->parameters();
  } else {
    adapter = f.adapter(kind);
    parameters = adapter.parameters();
  }
  SupervisedStep supervised(f.context, *f.decoder, is_full ? nullptr : &adapter, nullptr, options);
  Outcome out;
  // Twice, so that buffers of an earlier pass are in use.
  for (int i = 0; i < 2; ++i) out.loss = supervised.accumulate(f.set, f.rows, f.set.num_scored(), update);
  for (const auto* p : parameters) out.gradients.push_back(p->grad);
  return out;
}

class Steps : public ::testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Tiny, Steps, ::testing::Values("gemma3", "llama", "qwen2", "qwen3"),
                         [](const auto& info) { return std::string(info.param); });

TEST_P(Steps, RecomputationChangesNoBit) {
  ONGGI_NEED_SHARED("fixtures/tiny");
  for (const char* kind : {"lora", "dora", "full"}) {
    for (const float dropout : {0.0F, 0.3F}) {
      if (dropout > 0.0F && std::string(kind) != "lora") continue;
      for (const std::int64_t pass_tokens : {60, 1024}) {
        Fixture plain(GetParam()), recomputed(GetParam());
        StepOptions options{.max_pass_tokens = pass_tokens, .lora_dropout = dropout, .seed = 3};
        const Outcome want = step(plain, kind, options);
        options.recompute = true;
        const Outcome got = step(recomputed, kind, options);
        EXPECT_EQ(got, want) << kind << " dropout " << dropout << " pass " << pass_tokens;
      }
    }
  }
}

TEST_P(Steps, DropoutHasTheGradientOfItsMask) {
  ONGGI_NEED_SHARED("fixtures/tiny");
  Fixture f(GetParam());
  nn::Adapter adapter = f.adapter("lora");
  SupervisedStep supervised(f.context, *f.decoder, &adapter, nullptr, {.lora_dropout = 0.25F, .seed = 5});
  const auto loss = [&] {
    f.decoder->pack_adapter(f.context, adapter);
    return supervised.accumulate(f.set, f.rows, 1, 9);
  };
  loss();
  std::vector<std::vector<float>> gradients;
  for (const auto* p : adapter.parameters()) gradients.push_back(p->grad);
  for (std::size_t i = 0; i < gradients.size(); ++i) {
    nn::Parameter& p = *adapter.parameters()[i];
    double norm = 0.0;
    for (const float g : gradients[i]) norm += static_cast<double>(g) * g;
    norm = std::sqrt(norm);
    ASSERT_GT(norm, 0.0) << p.name;
    // Along the gradient the loss rises by its length.
    const std::vector<float> middle = p.value;
    const double size = 4e-3;
    double sides[2];
    for (const int side : {0, 1}) {
      for (std::size_t j = 0; j < middle.size(); ++j) {
        p.value[j] = middle[j] + static_cast<float>((side == 0 ? -size : size) * gradients[i][j] / norm);
      }
      sides[side] = loss();
    }
    p.value = middle;
    EXPECT_NEAR((sides[1] - sides[0]) / (2.0 * size), norm, 0.02 * norm + 0.01) << p.name;
  }
}

TEST_P(Steps, DropoutDependsOnSeedAndUpdateAlone) {
  ONGGI_NEED_SHARED("fixtures/tiny");
  const StepOptions options{.lora_dropout = 0.3F, .seed = 1};
  Fixture one(GetParam(), 1), two(GetParam(), 2), cut(GetParam()), later(GetParam()), other(GetParam());
  const Outcome want = step(one, "lora", options, 4);
  EXPECT_EQ(step(two, "lora", options, 4), want) << "threads";
  StepOptions small = options;
  small.max_pass_tokens = 60;
  EXPECT_EQ(step(cut, "lora", small, 4).loss, want.loss) << "rows keep their mask in another pass";
  EXPECT_NE(step(later, "lora", options, 5).loss, want.loss);
  StepOptions seed = options;
  seed.seed = 2;
  EXPECT_NE(step(other, "lora", seed, 4).loss, want.loss);
}

TEST(Dropout, KeepsTheShareAndTheMean) {
  ThreadPool pool(2);
  nn::Context context(pool);
  nn::AdapterDropout dropout{.probability = 0.2F, .seed = 1, .update = 3, .token_keys = {}};
  const std::int64_t tokens = 200, width = 101;
  for (std::uint64_t t = 0; t < 200; ++t) dropout.token_keys.push_back(nn::dropout_key(t / 50, t % 50));
  std::vector<float> ones(static_cast<std::size_t>(tokens * width), 1.0F), y(ones.size());
  nn::apply_dropout(context, dropout, 4, ones.data(), tokens, width, y.data(), false);
  std::int64_t kept = 0;
  for (const float v : y) {
    EXPECT_TRUE(v == 0.0F || v == 1.25F);
    kept += v != 0.0F;
  }
  EXPECT_NEAR(static_cast<double>(kept) / static_cast<double>(y.size()), 0.8, 0.01);
  std::vector<float> other(y.size());
  nn::apply_dropout(context, dropout, 5, ones.data(), tokens, width, other.data(), false);
  EXPECT_NE(other, y) << "each layer has its own mask";
  nn::apply_dropout(context, dropout, 4, ones.data(), tokens, width, ones.data(), true);
  for (std::size_t i = 0; i < y.size(); ++i) ASSERT_EQ(ones[i], 1.0F + y[i]);
}

TEST_P(Steps, EvaluationDropsNothing) {
  ONGGI_NEED_SHARED("fixtures/tiny");
  Fixture f(GetParam());
  nn::Adapter adapter = f.adapter("lora");
  SupervisedStep plain(f.context, *f.decoder, &adapter, nullptr);
  SupervisedStep dropping(f.context, *f.decoder, &adapter, nullptr, {.recompute = true, .lora_dropout = 0.5F});
  dropping.accumulate(f.set, f.rows, 1);
  EXPECT_EQ(dropping.evaluate(f.set, f.rows), plain.evaluate(f.set, f.rows));
  EXPECT_THROW(SupervisedStep(f.context, *f.decoder, &adapter, nullptr, {.lora_dropout = 1.0F}), Error);
}

}  // namespace
}  // namespace onggi::train
