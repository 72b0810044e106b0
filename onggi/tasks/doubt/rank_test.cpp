#include "onggi/tasks/doubt/rank.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "onggi/core/error.h"
#include "onggi/tasks/doubt/doubt_file.h"
#include "onggi/tasks/doubt/noise_study.h"

namespace onggi::tasks {
namespace {

/// The example's rows of food and living.
std::vector<DoubtRow> some_rows() {
  const auto all =
      datasets::read_rows(std::string(ONGGI_SOURCE_DIR) + "/examples/review-themes/data/authored-food-living.jsonl");
  std::vector<std::size_t> kept;
  return doubt_rows(all, "product", kept);
}

std::size_t num_changed(const std::vector<DoubtRow>& a, const std::vector<DoubtRow>& b) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < a.size(); ++i) count += a[i].row.gold == b[i].row.gold ? 0 : 1;
  return count;
}

TEST(Noise, SpoilsAsManyRowsAsAskedByEveryKindAndSaysWhich) {
  const auto rows = some_rows();
  auto spoilt = rows;
  const auto planted = plant_noise(spoilt, 0.2, kNoiseKinds, 7);
  const auto wanted = static_cast<std::size_t>(0.2 * static_cast<double>(rows.size()) + 0.5);
  std::array<std::size_t, kNoiseKinds.size()> counts{};
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(planted[i].has_value(), !(rows[i].row.gold == spoilt[i].row.gold)) << rows[i].row.id;
    if (planted[i]) ++counts[static_cast<std::size_t>(*planted[i])];
  }
  EXPECT_EQ(num_changed(rows, spoilt), wanted);
  for (const auto count : counts) EXPECT_GE(count + 1, wanted / kNoiseKinds.size());
  auto again = rows;
  EXPECT_EQ(plant_noise(again, 0.2, kNoiseKinds, 7), planted);
  EXPECT_EQ(num_changed(again, spoilt), 0U);
  auto other = rows;
  EXPECT_NE(plant_noise(other, 0.2, kNoiseKinds, 8), planted);
}

TEST(Rank, HoldsEveryRowOnceAndIsTheSameWithAnyNumberOfThreads) {
  const auto rows = some_rows();
  ThreadPool one(1), two(2);
  const RankOptions options{.method = "plain", .folds = 3};
  const auto ranked = rank_rows(rows, options, one), again = rank_rows(rows, options, two);
  std::set<std::size_t> seen;
  for (std::size_t i = 0; i < ranked.size(); ++i) {
    seen.insert(ranked[i].row);
    EXPECT_EQ(ranked[i].row, again[i].row);
    EXPECT_EQ(ranked[i].suspicion, again[i].suspicion);
    EXPECT_LE(ranked[i].suspicion, ranked[i == 0 ? 0 : i - 1].suspicion);
    EXPECT_LE(ranked[i].reasons.size(), 3U);
  }
  EXPECT_EQ(seen.size(), rows.size());
}

/// The whole study is `onggi experiment noise`; this is its smaller brother, on a fifth of the rows.
TEST(Rank, PlantedNoiseStandsFirst) {
  ThreadPool pool(2);
  const auto study = study_noise(some_rows(), {.shares = {0.1}, .methods = {"once"}, .num_seeds = 1},
                                 {.folds = 3, .rounds = 1}, pool, {});
  ASSERT_EQ(study.cells.size(), 1U);
  const auto& cell = study.cells.front();
  EXPECT_GT(cell.found.value, 0.45) << study.to_text();  // of few rows little is learnt; at random 0.3
  EXPECT_LT(cell.found.low, cell.found.value);
  EXPECT_GT(cell.by_kind[static_cast<std::size_t>(NoiseKind::kInvented)], 0.7);
}

TEST(Rank, WhatATeacherDoubtsItselfMovesUp) {
  auto rows = some_rows();
  ThreadPool pool(2);
  const RankOptions options{.method = "plain", .folds = 3};
  const auto before = rank_rows(rows, options, pool);
  const auto last = before.back().row;
  rows[last].disagreement = 1.0;
  rows[last].confidence = 0.2;
  const auto after = rank_rows(rows, options, pool);
  const auto place = std::ranges::find(after, last, &Ranked::row) - after.begin();
  EXPECT_LT(place, static_cast<std::ptrdiff_t>(rows.size() - 30));
  EXPECT_EQ(after[static_cast<std::size_t>(place)].reasons.front().signal, "disagreement");
}

TEST(Rank, RowsThatCanTeachNothingAreRefused) {
  auto rows = some_rows();
  ThreadPool pool(1);
  EXPECT_THROW((void)rank_rows(rows, {.method = "best"}, pool), Error);
  for (auto& row : rows) row.row.gold.clear();
  EXPECT_THROW((void)rank_rows(rows, {.method = "plain"}, pool), Error);
}

}  // namespace
}  // namespace onggi::tasks
