#include "onggi/recommend/simulation.h"

#include <gtest/gtest.h>

namespace onggi::recommend {
namespace {

World ten_arms(double best) {
  World world{.num_steps = 50'000};
  world.rates.assign(10, 0.04);
  world.rates[3] = best;
  return world;
}

double mean_regret(const PolicySpec& spec, const World& world, int num_runs) {
  std::vector<double> regrets;
  for (int run = 0; run < num_runs; ++run)
    regrets.push_back(simulate(*make_policy(spec), world, static_cast<std::uint64_t>(run)).regret);
  return spread_of(regrets).mean;
}

PolicySpec kind(const std::string& name) {
  PolicySpec spec;
  spec.kind = name;
  return spec;
}

// The whole tables are `onggi display simulate`: 20 runs of each.
TEST(Simulation, ThompsonSamplingLosesLeast) {
  const World world = ten_arms(0.08);
  const double thompson = mean_regret(kind("thompson"), world, 2);
  World batched = world;
  batched.batch = 1000;
  EXPECT_LT(mean_regret(kind("thompson"), batched, 2), 1.5 * thompson);
  EXPECT_LT(thompson, mean_regret(kind("epsilon_greedy"), world, 2));
  const double uniform = mean_regret(kind("uniform"), world, 2);
  EXPECT_NEAR(uniform, 1800.0, 40.0);
  EXPECT_LT(thompson, uniform / 3);
}

TEST(Simulation, CountingWhenTheWindowClosesBeatsCountingAtOnceWhereCardsAreFresh) {
  World world;
  world.num_steps = 30'000;
  for (int arm = 0; arm < 10; ++arm) world.rates.push_back(0.03 + 0.01 * arm);
  world.arm_every = 2'500;
  world.batch = 200;
  world.mean_delay = 1'000.0;
  World closed = world;
  closed.window = 4'000;
  EXPECT_LT(mean_regret(kind("thompson"), closed, 3), mean_regret(kind("thompson"), world, 3));
}

TEST(Simulation, ForgettingPaysWhereRatesMove) {
  World world = ten_arms(0.2);
  world.num_steps = 20'000;
  world.batch = 100;
  world.rotates_every = 4'000;
  PolicySpec discounted = kind("thompson"), window = kind("thompson");
  discounted.discount = 0.95;
  window.window_batches = 20;
  const double remembers = mean_regret(kind("thompson"), world, 2);
  EXPECT_LT(mean_regret(discounted, world, 2), remembers);
  EXPECT_LT(mean_regret(window, world, 2), remembers);
}

TEST(Simulation, LinearPoliciesUseTheContext) {
  World world;
  world.num_steps = 6'000;
  world.weights = {{0.9, 0, 0}, {0, 0.9, 0}, {-0.6, -0.6, 0}};
  PolicySpec ucb = kind("lin_ucb"), thompson = kind("lin_thompson");
  ucb.features = thompson.features = 3;
  ucb.width = 0.6;
  thompson.width = 0.3;
  const double blind = mean_regret(kind("thompson"), world, 2);
  EXPECT_LT(mean_regret(ucb, world, 2), blind / 3);
  EXPECT_LT(mean_regret(thompson, world, 2), blind / 3);
}

}  // namespace
}  // namespace onggi::recommend
