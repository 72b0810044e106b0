#include "onggi/recommend/policy.h"

#include <cmath>
#include <numeric>

#include <gtest/gtest.h>

#include "onggi/core/error.h"
#include "onggi/recommend/linear_arm.h"
#include "onggi/recommend/simulation.h"

namespace onggi::recommend {
namespace {

TEST(Beliefs, DiscountingIsAsComputedByHand) {
  Beliefs beliefs({.prior = {1, 1}, .discount = 0.9});
  const double clicks[] = {1, 0, 1}, a[] = {2, 1.9, 2.81}, b[] = {1, 2, 1.9};
  for (int i = 0; i < 3; ++i) {
    beliefs.observe(0, 0, clicks[i], 1 - clicks[i]);
    beliefs.close_batch();
    EXPECT_NEAR(beliefs.posterior(0, 0).a, a[i], 1e-12);
    EXPECT_NEAR(beliefs.posterior(0, 0).b, b[i], 1e-12);
  }
  beliefs.close_batch();  // An arm that is not shown forgets as well.
  EXPECT_NEAR(beliefs.posterior(0, 0).a, 1 + 0.9 * 1.81, 1e-12);
}

TEST(Beliefs, AreFrozenUntilTheBatchIsClosedAndApartBySlot) {
  Beliefs beliefs({});
  beliefs.observe(3, 1, 1, 0);
  EXPECT_EQ(beliefs.posterior(3, 1), (Beta{1, 1}));
  beliefs.close_batch();
  EXPECT_EQ(beliefs.posterior(3, 1), (Beta{2, 1}));
  EXPECT_EQ(beliefs.posterior(3, 0), (Beta{1, 1}));
  Beliefs shared({.is_by_slot = false});
  shared.observe(3, 1, 1, 0);
  shared.close_batch();
  EXPECT_EQ(shared.posterior(3, 0), (Beta{2, 1}));
}

TEST(Beliefs, AWindowHoldsTheLastBatchesAlone) {
  Beliefs beliefs({.window_batches = 2});
  for (int i = 1; i <= 5; ++i) {
    beliefs.observe(0, 0, i, 10);
    beliefs.close_batch();
  }
  EXPECT_EQ(beliefs.posterior(0, 0), (Beta{1 + 4 + 5, 1 + 20}));
}

TEST(LinearArm, UpperBoundIsAsComputedByHand) {
  // A = [[3, 0], [0, 2]] and b = [1, 1], from ridge 1 and x = (1, 0) twice, (0, 1) once.
  LinearArm arm(2, 1.0);
  arm.observe(std::vector{1.0, 0.0}, 1.0);
  arm.observe(std::vector{1.0, 0.0}, 0.0);
  arm.observe(std::vector{0.0, 1.0}, 1.0);
  const std::vector x = {1.0, 1.0};
  EXPECT_NEAR(arm.mean(x), 0.833333333, 1e-9);
  EXPECT_NEAR(std::sqrt(arm.variance(x)), 0.912870929, 1e-9);
  EXPECT_NEAR(arm.mean(x) + std::sqrt(arm.variance(x)), 1.746204263, 1e-9);
}

TEST(LinearArm, KeepsTheInverseThroughManyUpdates) {
  constexpr std::size_t kSize = 12;
  LinearArm arm(kSize, 0.5);
  RandomStream draws(5, 6);
  std::vector<double> a(kSize * kSize, 0.0), b(kSize, 0.0), x(kSize);
  for (std::size_t i = 0; i < kSize; ++i) a[i * kSize + i] = 0.5;
  for (int row = 0; row < 10'000; ++row) {
    // Columns that are nearly the same and of very different sizes.
    for (std::size_t i = 0; i < kSize; ++i) x[i] = (i == 0 ? 100.0 : 1.0) * (1.0 + 0.01 * draws.normal());
    const double reward = draws.uniform() < 0.1 ? 1.0 : 0.0;
    arm.observe(x, reward);
    for (std::size_t i = 0; i < kSize; ++i) {
      b[i] += reward * x[i];
      for (std::size_t j = 0; j < kSize; ++j) a[i * kSize + j] += x[i] * x[j];
    }
    if (row % 997 != 0 && row != 9'999) continue;
    const auto weights = solve_positive(a, b), image = solve_positive(a, x);
    EXPECT_NEAR(arm.mean(x), std::inner_product(x.begin(), x.end(), weights.begin(), 0.0), 1e-7);
    EXPECT_NEAR(arm.variance(x), std::inner_product(x.begin(), x.end(), image.begin(), 0.0), 1e-7);
  }
}

TEST(LinearArm, RefusesWhatIsNoMatrixOrVectorOfIts) {
  LinearArm arm(2, 1.0);
  EXPECT_THROW(arm.observe(std::vector{1.0}, 1.0), Error);
  EXPECT_THROW(solve_positive({1.0, 2.0, 2.0, 1.0}, {1.0, 1.0}), Error);
}

PolicySpec spec_of(const std::string& kind) {
  PolicySpec spec;
  spec.kind = kind;
  if (kind.starts_with("lin_")) spec.features = 2;
  return spec;
}

/// A policy that has seen something of three arms in two slots.
std::unique_ptr<Policy> taught(const PolicySpec& spec) {
  auto policy = make_policy(spec);
  RandomStream draws(8, 9);
  for (int i = 0; i < 400; ++i) {
    const std::vector<double> x = {draws.uniform(), draws.normal()};
    const int arm = static_cast<int>(draws.whole(3));
    const double clicks = draws.uniform() < 0.1 + 0.05 * arm ? 1.0 : 0.0;
    policy->observe({.arm = arm,
                     .slot = i % 2,
                     .clicks = clicks,
                     .misses = 1 - clicks,
                     .features = spec.features > 0 ? std::span<const double>(x) : std::span<const double>()});
    if (i % 100 == 99) policy->close_batch();
  }
  return policy;
}

TEST(Policy, PropensitiesAreThoseOfItsDraws) {
  const std::vector<int> arms = {2, 0, 7, 1};
  const std::vector<double> x = {0.3, -0.2};
  for (const char* kind : {"thompson", "epsilon_greedy", "lin_ucb", "lin_thompson", "uniform"}) {
    for (const double floor : {0.0, 0.2}) {
      PolicySpec spec = spec_of(kind);
      spec.floor = floor;
      if (spec.kind == "lin_thompson") spec.width = 0.3;
      const auto frozen = taught(spec)->freeze();
      const Question question{.arms = arms,
                              .slot = 1,
                              .features = spec.features > 0 ? std::span<const double>(x) : std::span<const double>()};
      const auto all = frozen->probabilities(question);
      EXPECT_NEAR(std::accumulate(all.begin(), all.end(), 0.0), 1.0, 1e-6) << kind;
      std::vector<double> counts(arms.size(), 0.0);
      constexpr int kDraws = 20'000;
      for (int i = 0; i < kDraws; ++i) {
        RandomStream draws(1, static_cast<std::uint64_t>(i));
        counts[frozen->choose(question, draws)] += 1.0 / kDraws;
      }
      for (std::size_t i = 0; i < arms.size(); ++i) {
        EXPECT_NEAR(frozen->probability(question, i), all[i], 1e-6) << kind;
        EXPECT_NEAR(counts[i], all[i], 5 * std::sqrt(all[i] / kDraws) + 1e-4) << kind << " " << i;
        EXPECT_GE(all[i], floor / 4 - 1e-12) << kind;
      }
    }
  }
}

TEST(Policy, AFrozenCopyAnswersAsBeforeAndToTheBit) {
  for (const char* kind : {"thompson", "epsilon_greedy", "lin_ucb", "lin_thompson"}) {
    const PolicySpec spec = spec_of(kind);
    const auto policy = taught(spec);
    const auto frozen = policy->freeze();
    const std::vector<int> arms = {0, 1, 2, 3};
    const std::vector<double> x = {1.0, 0.5};
    const Question question{.arms = arms,
                            .features = spec.features > 0 ? std::span<const double>(x) : std::span<const double>()};
    const double before = frozen->probability(question, 1);
    EXPECT_EQ(policy->probability(question, 1), before) << kind;
    for (int i = 0; i < 50; ++i) policy->observe({.arm = 3, .misses = 1, .features = question.features});
    policy->close_batch();
    EXPECT_EQ(frozen->probability(question, 1), before) << kind;
    EXPECT_NE(policy->freeze()->probability(question, 3), frozen->probability(question, 3)) << kind;
    RandomStream one = draws_of(7, "request.1"), two = draws_of(7, "request.1");
    EXPECT_EQ(frozen->choose(question, one), frozen->choose(question, two)) << kind;
  }
}

TEST(Policy, FixedWeightsAreNormalisedOverTheQuestion) {
  const auto policy = make_fixed_policy({{1.0, 3.0}, {0.0, 1.0}});
  const std::vector<int> both = {1, 0}, unknown = {5, 6};
  EXPECT_EQ(policy->probabilities({.arms = both}), (std::vector{0.75, 0.25}));
  EXPECT_EQ(policy->probabilities({.arms = both, .slot = 1}), (std::vector{1.0, 0.0}));
  EXPECT_EQ(policy->probabilities({.arms = unknown}), (std::vector{0.5, 0.5}));
}

TEST(PolicySpec, IsReadBackAsWritten) {
  PolicySpec spec = spec_of("thompson");
  spec.floor = 0.05;
  spec.seed = 12;
  EXPECT_EQ(to_json(policy_spec(to_json(spec), "test")), to_json(spec));
}

TEST(PolicySpec, RefusesWhatCantBe) {
  const auto refused = [](const char* json) {
    try {
      policy_spec(parse_json(json, "test"), "test");
    } catch (const Error& e) {
      return e.code() == ErrorCode::kInvalidArgument;
    }
    return false;
  };
  EXPECT_TRUE(refused(R"({"kind": "thomson"})"));
  EXPECT_TRUE(refused(R"({"colour": 1})"));
  EXPECT_TRUE(refused(R"({"floor": 1.5})"));
  EXPECT_TRUE(refused(R"({"discount": 0})"));
  EXPECT_TRUE(refused(R"({"discount": 0.9, "window_batches": 3})"));
  EXPECT_TRUE(refused(R"({"kind": "lin_ucb", "intercept": false})"));
  EXPECT_TRUE(refused(R"({"kind": "lin_ucb", "features": 3, "discount": 0.9})"));
}

}  // namespace
}  // namespace onggi::recommend
