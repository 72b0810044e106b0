#include "onggi/decode/sampler.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>
#include <vector>

#include "onggi/core/error.h"

namespace onggi::decode {
namespace {

const std::vector<int> kIds = {3, 5, 8, 9, 20};
/// Logits of the probabilities 0.4, 0.3, 0.2, 0.1 and 0.
const std::vector<float> kLogits = {std::log(0.2F), std::log(0.4F), std::log(0.1F), std::log(0.3F), -std::numeric_limits<float>::infinity()};

std::map<int, double> shares(const SamplingOptions& options, int draws = 20'000) {
  std::map<int, double> counts;
  for (int i = 0; i < draws; ++i) counts[sample(kIds, kLogits, options, 1, 2, static_cast<std::uint64_t>(i)).id] += 1.0 / draws;
  return counts;
}

void expect_shares(const SamplingOptions& options, const std::map<int, double>& expected) {
  const auto found = shares(options);
  EXPECT_EQ(found.size(), expected.size());
  for (const auto& [id, p] : expected) {
    const double sigma = std::sqrt(p * (1 - p) / 20'000);
    EXPECT_NEAR(found.contains(id) ? found.at(id) : 0.0, p, 4 * sigma + 1e-9) << "token " << id;
  }
}

TEST(Sampler, GreedyTakesTheBestAndTheLowestIdOfEquals) {
  EXPECT_EQ(sample(kIds, kLogits, {}, 1, 2, 3).id, 5);
  const std::vector<float> equal(5, 1.5F);
  const Choice choice = sample(kIds, equal, {}, 1, 2, 3);
  EXPECT_EQ(choice.id, 3);
  EXPECT_FLOAT_EQ(choice.log_probability, std::log(0.2F));
}

TEST(Sampler, LogProbabilityIsBeforeTemperatureAndCuts) {
  for (int step = 0; step < 50; ++step) {
    const Choice choice = sample(kIds, kLogits, {.temperature = 3.0F, .top_k = 3}, 9, 0, static_cast<std::uint64_t>(step));
    const float p = choice.id == 5 ? 0.4F : choice.id == 9 ? 0.3F : 0.2F;
    EXPECT_NEAR(choice.log_probability, std::log(p), 1e-6);
  }
  std::vector<float> shifted = kLogits;
  for (float& z : shifted) z += 90.0F;
  EXPECT_NEAR(sample(kIds, shifted, {}, 1, 2, 3).log_probability, std::log(0.4F), 1e-5);
}

TEST(Sampler, DrawsFollowTheDistribution) {
  expect_shares({.temperature = 1.0F}, {{3, 0.2}, {5, 0.4}, {8, 0.1}, {9, 0.3}});
  // Squared and scaled at temperature 1/2: 4, 16, 1, 9 of 30.
  expect_shares({.temperature = 0.5F}, {{3, 4 / 30.0}, {5, 16 / 30.0}, {8, 1 / 30.0}, {9, 9 / 30.0}});
}

TEST(Sampler, CutsKeepTheMostLikely) {
  expect_shares({.temperature = 1.0F, .top_k = 2}, {{5, 4 / 7.0}, {9, 3 / 7.0}});
  expect_shares({.temperature = 1.0F, .top_p = 0.69F}, {{5, 4 / 7.0}, {9, 3 / 7.0}});
  expect_shares({.temperature = 1.0F, .top_p = 0.71F}, {{5, 4 / 9.0}, {9, 3 / 9.0}, {3, 2 / 9.0}});
  expect_shares({.temperature = 1.0F, .min_p = 0.45F}, {{5, 4 / 9.0}, {9, 3 / 9.0}, {3, 2 / 9.0}});
  expect_shares({.temperature = 1.0F, .top_k = 3, .top_p = 0.4F}, {{5, 1.0}});
  expect_shares({.temperature = 1.0F, .top_k = 1}, {{5, 1.0}});
  expect_shares({.temperature = 1.0F, .min_p = 1.0F}, {{5, 1.0}});
}

TEST(Sampler, ADrawDependsOnSeedRowAndStepAlone) {
  const SamplingOptions options{.temperature = 1.0F};
  int differ = 0;
  for (std::uint64_t i = 0; i < 100; ++i) {
    EXPECT_EQ(sample(kIds, kLogits, options, 4, i, 7).id, sample(kIds, kLogits, options, 4, i, 7).id);
    differ += sample(kIds, kLogits, options, 4, i, 7).id != sample(kIds, kLogits, options, 5, i, 7).id ? 1 : 0;
    differ += sample(kIds, kLogits, options, 4, i, 7).id != sample(kIds, kLogits, options, 4, i, 8).id ? 1 : 0;
  }
  EXPECT_GT(differ, 80);
}

TEST(Sampler, WrongInputIsRefused) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float inf = std::numeric_limits<float>::infinity();
  const auto refused = [](const std::vector<int>& ids, const std::vector<float>& logits, const SamplingOptions& options) {
    try {
      sample(ids, logits, options, 0, 0, 0);
      return false;
    } catch (const Error& e) {
      return e.code() == ErrorCode::kInvalidArgument;
    }
  };
  EXPECT_TRUE(refused({}, {}, {}));
  EXPECT_TRUE(refused({1, 2}, {1.0F}, {}));
  EXPECT_TRUE(refused({1, 2}, {1.0F, nan}, {}));
  EXPECT_TRUE(refused({1, 2}, {nan, 1.0F}, {}));
  EXPECT_TRUE(refused({1, 2}, {1.0F, inf}, {}));
  EXPECT_TRUE(refused({1, 2}, {-inf, -inf}, {}));
  for (const SamplingOptions& options : {SamplingOptions{.temperature = -1.0F}, SamplingOptions{.temperature = nan}, SamplingOptions{.top_k = -1},
                                         SamplingOptions{.top_p = 0.0F}, SamplingOptions{.top_p = 1.1F}, SamplingOptions{.min_p = -0.1F},
                                         SamplingOptions{.min_p = nan}}) {
    EXPECT_TRUE(refused({1}, {1.0F}, options));
  }
}

}  // namespace
}  // namespace onggi::decode
