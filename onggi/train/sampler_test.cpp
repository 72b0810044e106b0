#include "onggi/train/sampler.h"

#include <algorithm>
#include <set>

#include <gtest/gtest.h>

#include "onggi/core/error.h"
#include "onggi/core/random.h"

namespace onggi::train {
namespace {

std::vector<RowSize> random_rows(std::size_t n, std::uint64_t seed = 5) {
  std::vector<RowSize> rows;
  for (std::size_t i = 0; i < n; ++i) {
    const auto supervised = static_cast<std::int64_t>(1 + uniform_int(seed, 1, i, 40));
    rows.push_back({supervised + static_cast<std::int64_t>(uniform_int(seed, 2, i, 200)), supervised});
  }
  return rows;
}

TEST(EpochOrder, IsAPermutationThatDependsOnSeedAndEpoch) {
  for (const std::int64_t n : {0, 1, 2, 3, 100, 1000}) {
    auto order = epoch_order(11, 2, n);
    EXPECT_EQ(order, epoch_order(11, 2, n));
    if (n >= 100) {
      EXPECT_NE(order, epoch_order(11, 3, n));
      EXPECT_NE(order, epoch_order(12, 2, n));
    }
    std::sort(order.begin(), order.end());
    for (std::int64_t i = 0; i < n; ++i) EXPECT_EQ(order[static_cast<std::size_t>(i)], i);
  }
}

TEST(EpochOrder, EveryPlaceIsAboutEquallyLikely) {
  constexpr int kRows = 8;
  constexpr int kEpochs = 4000;
  int count[kRows][kRows] = {};
  for (int epoch = 0; epoch < kEpochs; ++epoch) {
    const auto order = epoch_order(1, epoch, kRows);
    for (int i = 0; i < kRows; ++i) ++count[i][order[static_cast<std::size_t>(i)]];
  }
  for (const auto& row : count) {
    for (const int n : row) EXPECT_NEAR(n, kEpochs / kRows, 120);  // 5 standard deviations are 105
  }
}

TEST(MakePlan, EveryEpochVisitsEveryRowOnce) {
  for (const bool grouped : {false, true}) {
    for (const bool shuffled : {false, true}) {
      for (const std::size_t n : {std::size_t{1}, std::size_t{7}, std::size_t{8}, std::size_t{1003}}) {
        const auto rows = random_rows(n);
        const auto plan =
            make_plan(rows, {.seed = 3, .batch_rows = 8, .shuffle = shuffled, .group_by_length = grouped, .epochs = 3});
        ASSERT_EQ(plan.steps.size(), static_cast<std::size_t>(3 * plan.steps_per_epoch));
        std::vector<std::multiset<std::int64_t>> seen(3);
        for (const PlanStep& step : plan.steps) {
          std::int64_t supervised = 0;
          for (const auto row : step.rows) {
            seen[static_cast<std::size_t>(step.epoch)].insert(row);
            supervised += rows[static_cast<std::size_t>(row)].supervised;
          }
          EXPECT_EQ(step.supervised, supervised);
          EXPECT_EQ(step.index % 8, 0);
        }
        for (const auto& epoch : seen) {
          EXPECT_EQ(epoch.size(), n);
          EXPECT_EQ(std::set<std::int64_t>(epoch.begin(), epoch.end()).size(), n);
        }
      }
    }
  }
}

TEST(MakePlan, GroupingPutsLikeLengthsTogether) {
  const auto rows = random_rows(2000);
  const auto padding = [&](bool grouped) {
    std::int64_t waste = 0;
    for (const PlanStep& step : make_plan(rows, {.batch_rows = 8, .group_by_length = grouped}).steps) {
      std::int64_t longest = 0;
      for (const auto row : step.rows) longest = std::max(longest, rows[static_cast<std::size_t>(row)].tokens);
      waste += longest * static_cast<std::int64_t>(step.rows.size()) - step.tokens;
    }
    return waste;
  };
  EXPECT_LT(padding(true) * 8, padding(false));
}

TEST(MakePlan, MaxStepsCutsAndTheRestIsAPrefix) {
  const auto rows = random_rows(50);
  const auto whole = make_plan(rows, {.seed = 9, .batch_rows = 4, .epochs = 4});
  const auto cut = make_plan(rows, {.seed = 9, .batch_rows = 4, .epochs = 4, .max_steps = 17});
  ASSERT_EQ(cut.steps.size(), 17U);
  for (std::size_t i = 0; i < 17; ++i) EXPECT_EQ(cut.steps[i].rows, whole.steps[i].rows);
  EXPECT_EQ(cut.steps[13].epoch, 1);
  EXPECT_EQ(cut.steps[13].index, 0);
  EXPECT_NE(cut.hash, whole.hash);
}

TEST(MakePlan, HashFollowsOrderAndSizes) {
  auto rows = random_rows(50);
  const SamplerOptions options{.seed = 9, .batch_rows = 4};
  const auto hash = make_plan(rows, options).hash;
  EXPECT_EQ(hash, make_plan(rows, options).hash);
  EXPECT_NE(hash, make_plan(rows, {.seed = 10, .batch_rows = 4}).hash);
  EXPECT_NE(hash, make_plan(rows, {.seed = 9, .batch_rows = 4, .micro_batch_rows = 2}).hash);
  ++rows[3].tokens;
  EXPECT_NE(hash, make_plan(rows, options).hash);
}

TEST(MakePlan, RefusesARowThatTeachesNothingAndNamesIt) {
  auto rows = random_rows(5);
  rows[2].supervised = 0;
  try {
    make_plan(rows, {});
    FAIL();
  } catch (const Error& e) {
    EXPECT_NE(e.message().find("row 3"), std::string::npos) << e.message();
  }
  EXPECT_THROW(make_plan({}, {}), Error);
  EXPECT_THROW(make_plan(random_rows(5), {.batch_rows = 0}), Error);
  EXPECT_THROW(make_plan(random_rows(5), {.epochs = 0}), Error);
  EXPECT_THROW(make_plan(random_rows(1000), {.epochs = 1'000'000}), Error);
}

TEST(MicroBatches, CoverTheRowsInOrder) {
  PlanStep step;
  step.rows = {4, 2, 9, 7, 1};
  const auto pieces = micro_batches(step, 2);
  ASSERT_EQ(pieces.size(), 3U);
  EXPECT_EQ(pieces[1][0], 9);
  EXPECT_EQ(pieces[2].size(), 1U);
  EXPECT_EQ(micro_batches(step, 0).size(), 1U);
  EXPECT_EQ(micro_batches(step, 9).size(), 1U);
}

}  // namespace
}  // namespace onggi::train
