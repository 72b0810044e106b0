#include "onggi/recommend/score_table.h"

#include <cmath>
#include <numeric>

#include <gtest/gtest.h>

#include "onggi/core/error.h"
#include "onggi/recommend/random_stream.h"

namespace onggi::recommend {
namespace {

Score of(double a, double b) { return {std::make_shared<const ScoreTable>(ScoreTable::of_beta({a, b}))}; }

TEST(Beta, ProbabilityOfBeingGreaterIsAsComputedByHand) {
  EXPECT_NEAR(probability_greater({3, 2}, {2, 3}), 53.0 / 70.0, 1e-12);
  EXPECT_NEAR(probability_greater({7, 95}, {4, 98}), 0.834371346, 1e-9);
}

TEST(Beta, CdfIsThatOfKnownCases) {
  // Of (1, b) it is 1 - (1 - x)^b, of (a, 1) x^a.
  for (const double logit : {-40.0, -9.0, -1.0, 0.0, 2.0, 20.0}) {
    const double log_x = -std::log1p(std::exp(-logit)), log_rest = -std::log1p(std::exp(logit));
    EXPECT_NEAR(log_survival({1, 350}, logit), 350 * log_rest, 1e-12 * std::abs(350 * log_rest) + 1e-300) << logit;
    EXPECT_NEAR(log_cdf({0.25, 1}, logit), 0.25 * log_x, 1e-12 * std::abs(log_x)) << logit;
  }
  EXPECT_NEAR(std::exp(log_cdf({2, 3}, 0.0)), 0.6875, 1e-14);
  EXPECT_NEAR(quantile({2, 3}, 0.6875), 0.5, 1e-12);
}

TEST(ScoreTable, AgreesWithTheFunctionBetweenItsKnots) {
  for (const Beta beta : {Beta{1, 1}, Beta{0.5, 24.5}, Beta{3, 900}, Beta{1013, 222255}, Beta{0.01, 0.01},
                          Beta{0.06, 20}, Beta{1e-3, 1e3}, Beta{40'000, 1e6}}) {
    const ScoreTable table = ScoreTable::of_beta(beta);
    for (int i = 1; i < 1000; ++i) {
      const double t = table.low() + (table.high() - table.low()) * i / 1000.0;
      EXPECT_NEAR(table.log_cdf(t), log_cdf(beta, t), beta.b < 0.1 ? 1e-6 : 2e-8)
          << beta.a << " " << beta.b << " " << i;
      // The slope is the density's over F: a difference of the function itself.
      const double h = 1e-4 * (table.high() - table.low());
      const double difference = (log_cdf(beta, t + h) - log_cdf(beta, t - h)) / (2 * h);
      EXPECT_NEAR(table.slope(t), difference, 1e-4 * (1 + std::abs(difference))) << beta.a << " " << beta.b << " " << i;
    }
  }
}

TEST(BestProbability, OfTwoArmsIsTheClosedForm) {
  const std::vector<Score> small = {of(2, 3), of(3, 2)}, large = {of(4, 98), of(7, 95)};
  EXPECT_NEAR(best_probability(small, 1), 53.0 / 70.0, 1e-8);
  EXPECT_NEAR(best_probability(small, 0), 17.0 / 70.0, 1e-8);
  EXPECT_NEAR(best_probability(large, 1), probability_greater({7, 95}, {4, 98}), 1e-8);
}

TEST(BestProbability, OfEqualArmsIsTheSameForEach) {
  for (const std::size_t n : {1U, 2U, 7U, 300U}) {
    const std::vector<Score> scores(n, of(0.5, 24.5));
    EXPECT_NEAR(best_probability(scores, n / 2), 1.0 / static_cast<double>(n), 1e-8);
  }
}

TEST(BestProbability, SumsToOneAndAgreesWithDraws) {
  const std::vector<Beta> arms = {{1, 1},     {3, 40},         {200, 4000}, {12, 260},
                                  {0.5, 9.5}, {5000, 100'000}, {1, 3000},   {2, 31}};
  std::vector<Score> scores;
  for (const Beta& arm : arms) scores.push_back(of(arm.a, arm.b));
  const auto all = best_probabilities(scores);
  EXPECT_NEAR(std::accumulate(all.begin(), all.end(), 0.0), 1.0, 1e-6);
  std::vector<double> counts(arms.size(), 0.0);
  RandomStream draws(1, 2);
  constexpr int kDraws = 200'000;
  for (int i = 0; i < kDraws; ++i) {
    std::size_t best = 0;
    double highest = -INFINITY;
    for (std::size_t k = 0; k < arms.size(); ++k) {
      const double draw = draws.beta_logit(arms[k].a, arms[k].b);
      if (draw > highest) {
        highest = draw;
        best = k;
      }
    }
    counts[best] += 1.0 / kDraws;
  }
  for (std::size_t k = 0; k < arms.size(); ++k) {
    const double alone = best_probability(scores, k);
    EXPECT_NEAR(alone, all[k], 1e-6 + 1e-6 * all[k]) << k;
    EXPECT_NEAR(counts[k], all[k], 5.0 * std::sqrt(all[k] / kDraws) + 1e-5) << k;
  }
}

TEST(RankProbabilities, AreADistributionOverRanksAndArms) {
  const std::vector<Score> scores = {of(1, 1), of(3, 40), of(200, 4000), of(2, 31)};
  const auto ranks = rank_probabilities(scores, 4);
  for (std::size_t r = 0; r < 4; ++r) {
    double over_arms = 0.0, over_ranks = 0.0;
    for (std::size_t k = 0; k < 4; ++k) {
      over_arms += ranks[k][r];
      over_ranks += ranks[r][k];
    }
    EXPECT_NEAR(over_arms, 1.0, 1e-6);
    EXPECT_NEAR(over_ranks, 1.0, 1e-6);
  }
  EXPECT_NEAR(ranks[1][0], best_probability(scores, 1), 1e-7);
}

TEST(BestProbability, OfNormalsIsTheClosedForm) {
  // P(N(1, 2^2) > N(0, 1)) = Phi(1 / sqrt 5).
  const std::vector<Score> scores = {{ScoreTable::normal(), 1.0, 2.0}, {ScoreTable::normal(), 0.0, 1.0}};
  EXPECT_NEAR(best_probability(scores, 0), 0.5 * std::erfc(-1.0 / std::sqrt(5.0) / std::sqrt(2.0)), 1e-8);
}

TEST(RandomStream, DrawsHaveTheirMoments) {
  RandomStream draws(3, 4);
  constexpr int kDraws = 200'000;
  double sum = 0, squares = 0, beta_sum = 0;
  for (int i = 0; i < kDraws; ++i) {
    const double x = draws.normal();
    sum += x;
    squares += x * x;
    beta_sum += 1.0 / (1.0 + std::exp(-draws.beta_logit(0.3, 1.2)));
  }
  EXPECT_NEAR(sum / kDraws, 0.0, 0.012);
  EXPECT_NEAR(squares / kDraws, 1.0, 0.02);
  EXPECT_NEAR(beta_sum / kDraws, 0.2, 0.003);
}

}  // namespace
}  // namespace onggi::recommend
