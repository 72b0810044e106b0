#include "onggi/recommend/estimators.h"

#include <cmath>
#include <filesystem>
#include <map>

#include <gtest/gtest.h>

#include "onggi/core/error.h"
#include "onggi/core/files.h"
#include "onggi/recommend/off_policy.h"

namespace onggi::recommend {
namespace {

std::map<std::string, double> values(std::span<const Term> terms, double clip = 10.0) {
  ThreadPool pool(1);
  std::map<std::string, double> by_id;
  for (const auto& e : estimate(terms, {.clip = clip, .num_resamples = 1}, pool).all) by_id[e.id] = e.value;
  return by_id;
}

const std::vector<Term> kHandComputed = {
    {1, .8 / .5, .6, .55, 0}, {0, .2 / .5, .3, .35, 1}, {1, .1 / .25, .5, .45, 2}, {0, .2 / .25, .2, .25, 3}};

TEST(Estimators, AreAsComputedByHand) {
  auto v = values(kHandComputed);
  EXPECT_NEAR(v["ipw"], 0.5, 1e-12);
  EXPECT_NEAR(v["snipw"], 0.625, 1e-12);
  EXPECT_NEAR(v["dm"], 0.4, 1e-12);
  EXPECT_NEAR(v["dr"], 0.54, 1e-12);
  ThreadPool pool(1);
  EXPECT_NEAR(estimate(kHandComputed, {.num_resamples = 1}, pool).effective_sample, 2.909090909, 1e-9);
  v = values(kHandComputed, 1.0);
  EXPECT_NEAR(v["ipw_clipped"], (1.0 + 0.4) / 4, 1e-12);
  // Without the first row's correction, whose weight is over the limit.
  EXPECT_NEAR(v["switch_dr"], 0.4 + (0.4 * -0.3 + 0.4 * 0.5 + 0.8 * -0.2) / 4, 1e-12);
}

TEST(Estimators, OfTheLogsOwnPolicyAreItsMean) {
  std::vector<Term> terms;
  for (int i = 0; i < 50; ++i) terms.push_back({i % 3 == 0 ? 1.0 : 0.0, 1.0, 0.0, 0.0, i / 2});
  const auto v = values(terms);
  for (const char* id : {"ipw", "snipw", "dr", "sndr"}) EXPECT_NEAR(v.at(id), 17.0 / 50.0, 1e-12) << id;
}

TEST(Estimators, DrWithoutAModelIsIpw) {
  std::vector<Term> terms = kHandComputed;
  for (auto& term : terms) term.expected = term.policy_expected = 0.0;
  const auto v = values(terms);
  EXPECT_EQ(v.at("dr"), v.at("ipw"));
}

/// A log of three arms under a known policy, and what another policy would earn.
struct Simulated {
  static constexpr double kRates[] = {0.1, 0.3, 0.6}, kLogging[] = {0.6, 0.3, 0.1}, kTarget[] = {0.2, 0.3, 0.5};
  static constexpr double kTruth = 0.2 * 0.1 + 0.3 * 0.3 + 0.5 * 0.6;

  static std::vector<Term> log(std::uint64_t seed, int rows, double model_error, double propensity_error) {
    RandomStream draws(seed, 5);
    std::vector<Term> terms;
    const auto q = [&](int arm) { return kRates[arm] + model_error * (arm - 1); };
    for (int i = 0; i < rows; ++i) {
      const double u = draws.uniform();
      const int arm = u < kLogging[0] ? 0 : u < kLogging[0] + kLogging[1] ? 1 : 2;
      terms.push_back({draws.uniform() < kRates[arm] ? 1.0 : 0.0, kTarget[arm] / (kLogging[arm] + propensity_error),
                       q(arm), 0.2 * q(0) + 0.3 * q(1) + 0.5 * q(2), i});
    }
    return terms;
  }
};

TEST(Estimators, AreUnbiasedOverTenThousandLogs) {
  ThreadPool pool(1);
  double ipw = 0.0, dr_bad_model = 0.0, dr_bad_propensity = 0.0, ipw_bad_propensity = 0.0;
  constexpr int kLogs = 10'000;
  for (int i = 0; i < kLogs; ++i) {
    const auto seed = static_cast<std::uint64_t>(i);
    auto v = values(Simulated::log(seed, 40, 0.25, 0.0));
    ipw += v["ipw"] / kLogs;
    dr_bad_model += v["dr"] / kLogs;
    v = values(Simulated::log(seed, 40, 0.0, 0.15));
    dr_bad_propensity += v["dr"] / kLogs;
    ipw_bad_propensity += v["ipw"] / kLogs;
  }
  // Four standard errors of the mean of 400,000 rows.
  EXPECT_NEAR(ipw, Simulated::kTruth, 0.008);
  EXPECT_NEAR(dr_bad_model, Simulated::kTruth, 0.008);
  EXPECT_NEAR(dr_bad_propensity, Simulated::kTruth, 0.008);
  EXPECT_GT(std::abs(ipw_bad_propensity - Simulated::kTruth), 0.05);
}

TEST(Estimators, IntervalsHoldTheTruthAsOftenAsTheySay) {
  ThreadPool pool(1);
  int num_held = 0;
  constexpr int kLogs = 100;
  for (int i = 0; i < kLogs; ++i) {
    const auto terms = Simulated::log(static_cast<std::uint64_t>(i) + 77, 500, 0.1, 0.0);
    for (const auto& e : estimate(terms, {.num_resamples = 200}, pool).all)
      if (e.id == "dr" && e.low <= Simulated::kTruth && Simulated::kTruth <= e.high) ++num_held;
  }
  EXPECT_GE(num_held, 87);
}

TEST(Estimators, RowsOfOneUnitAreOneAndThreadsChangeNothing) {
  auto terms = Simulated::log(3, 300, 0.0, 0.0);
  ThreadPool one(1), two(2);
  const auto rows = estimate(terms, {.num_resamples = 300}, one);
  std::vector<Term> copies;  // Everybody tenfold, as one unit: the same estimate and no more certainty.
  for (const auto& term : terms) copies.insert(copies.end(), 10, term);
  const auto units = estimate(copies, {.num_resamples = 300}, two);
  for (std::size_t e = 0; e < rows.all.size(); ++e) {
    EXPECT_NEAR(units.all[e].value, rows.all[e].value, 1e-9);
    EXPECT_NEAR(units.all[e].low, rows.all[e].low, 1e-9);
    EXPECT_NEAR(units.all[e].high, rows.all[e].high, 1e-9);
  }
  EXPECT_EQ(units.num_units, 300U);
  EXPECT_THROW(estimate({}, {}, one), Error);
}

const OffPolicyOptions kFew = {.estimators = {.num_resamples = 50}};

LoggedData small_log() {
  LoggedData log;
  log.arms = {"a", "b", "c"};
  log.candidate_sets = {{0, 1, 2}};
  log.num_slots = 1;
  for (int i = 0; i < 2000; ++i)
    log.rows.push_back({.arm = i % 2, .reward = i % 10 == 1 ? 1.0 : 0.0, .propensity = 0.5, .unit = i});
  log.num_units = 2000;
  return log;
}

TEST(OffPolicy, RefusesWhatTheLogCantSay) {
  ThreadPool pool(1);
  const auto log = small_log();
  const auto uniform = make_fixed_policy({{1, 1, 1}});
  const auto result = evaluate_policy(log, *uniform, kFew, pool);
  EXPECT_NEAR(result.unsupported, 1.0 / 3.0, 1e-12);
  ASSERT_EQ(result.refusals.size(), 1U);
  EXPECT_NE(result.refusals[0].find("33.33 %"), std::string::npos) << result.refusals[0];
  const auto known = make_fixed_policy({{0.1, 0.9, 0}});
  EXPECT_TRUE(evaluate_policy(log, *known, kFew, pool).refusals.empty());
  EXPECT_EQ(evaluate_policy(log, *known, {.estimators = {.num_resamples = 50}, .min_effective_sample = 1900}, pool)
                .refusals.size(),
            1U);
}

TEST(OffPolicy, WarnsOfPropensitiesThatAreWrong) {
  ThreadPool pool(1);
  auto log = small_log();
  for (auto& row : log.rows) row.propensity = row.arm == 0 ? 0.9 : 0.3;
  const auto result = evaluate_policy(log, *make_fixed_policy({{0.5, 0.5, 0}}), kFew, pool);
  ASSERT_EQ(result.warnings.size(), 1U);
}

TEST(OffPolicy, WhatTeachesAPolicyDoesNotJudgeIt) {
  const auto path = std::filesystem::path(testing::TempDir()) / "spec.json";
  write_file_atomic(path, R"({"spec": {"kind": "epsilon_greedy", "epsilon": 0.2}})");
  auto log = small_log();
  EXPECT_THROW(take_lessons(log, 1.0), Error);
  const auto lessons = take_lessons(log, 0.25);
  EXPECT_EQ(lessons.size(), 500U);
  EXPECT_EQ(log.rows.size(), 1500U);
  const auto policy = read_policy(path, log, lessons);
  const std::vector<int> arms = {0, 1};
  EXPECT_EQ(policy->probabilities({.arms = arms}), (std::vector{0.1, 0.9}));  // Arm 1 is the one that is clicked.
  std::filesystem::remove(path);
}

TEST(OffPolicy, BothRewardModelsFindTheArmsRates) {
  const auto log = small_log();
  for (const char* kind : {"means", "logistic"}) {
    const RewardModel model(log, {.kind = kind, .penalty = 0.1});
    EXPECT_NEAR(model.reward(7, 0), 0.0, 0.02) << kind;
    EXPECT_NEAR(model.reward(7, 1), 0.2, 0.03) << kind;
  }
}

}  // namespace
}  // namespace onggi::recommend
