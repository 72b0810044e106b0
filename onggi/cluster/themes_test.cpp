#include "onggi/cluster/themes.h"

#include <cmath>

#include <gtest/gtest.h>

#include "onggi/cluster/test_support.h"
#include "onggi/core/error.h"

namespace onggi::cluster {
namespace {

const std::vector<std::int32_t> kOnes(7, 1);

TEST(Themes, TheMedoidIsTheMemberNearestToAllOthers) {
  ThreadPool pool(2);
  // Sums of distances within {0, 1, 2, 7}: 10, 8, 8, 18; the first of equal ones.
  const std::vector<std::int32_t> labels = {0, 0, 0, 0, 1, 1, -1};
  const auto themes = describe_clusters(line({0, 1, 2, 7, 20, 21, 100}), labels, kOnes, {}, {}, pool);
  ASSERT_EQ(themes.size(), 2U);
  EXPECT_EQ(themes[0].medoid, 1);
  EXPECT_EQ(themes[0].num_members, 4);
  EXPECT_DOUBLE_EQ(themes[0].spread, 2);
  EXPECT_EQ(themes[1].medoid, 4);
}

TEST(Themes, WeightsDrawTheMedoidAndChooseTheMostFrequent) {
  ThreadPool pool(1);
  const std::vector<std::int32_t> labels = {0, 0, 0, 0}, weights = {1, 1, 9, 1};
  const auto theme = describe_clusters(line({0, 1, 2, 7}), labels, weights, {}, {}, pool)[0];
  EXPECT_EQ(theme.medoid, 2);
  EXPECT_EQ(theme.most_frequent, 2);
  EXPECT_EQ(theme.num_texts, 12);
}

TEST(Themes, WhatMayNotBeShownIsNoNameUnlessAllMayNot) {
  ThreadPool pool(1);
  const std::vector<std::int32_t> labels = {0, 0, 0, 1};
  const auto themes = describe_clusters(line({0, 1, 2, 9}), labels, std::vector<std::int32_t>(4, 1),
                                        {true, false, true, false}, {}, pool);
  EXPECT_EQ(themes[0].medoid, 0);
  EXPECT_EQ(themes[0].best, (std::vector<std::int32_t>{0, 2}));
  EXPECT_EQ(themes[1].medoid, 3);
}

TEST(Themes, TheBestAreNearOrUnlikeEachOther) {
  ThreadPool pool(1);
  const std::vector<std::int32_t> labels(7, 0);
  const Points points = line({0, 0.01F, 0.02F, 1, -1, 1.01F, 0.03F});
  const auto near = describe_clusters(points, labels, kOnes, {}, {.num_best = 3, .diversity = 0}, pool)[0];
  const auto diverse = describe_clusters(points, labels, kOnes, {}, {.num_best = 3, .diversity = 0.9}, pool)[0];
  EXPECT_EQ(near.best, (std::vector<std::int32_t>{near.medoid, 1, 6}));
  EXPECT_EQ(diverse.best[0], diverse.medoid);
  for (std::size_t i = 1; i < 3; ++i) EXPECT_GT(std::abs(points.row(diverse.best[i])[0]), 0.9F);
}

TEST(Themes, ALargeClusterHasTheMedoidOfBruteForceAmongItsMiddle) {
  const auto [vectors, truth] = scattered(1500, 3, 1, 1.0F, 4);
  ThreadPool pool(2);
  const Points points(vectors);
  const std::vector<std::int32_t> labels(1500, 0), weights(1500, 1);
  const auto theme = describe_clusters(points, labels, weights, {}, {}, pool)[0];
  double least = 1e300;
  std::int32_t medoid = -1;
  for (std::int32_t i = 0; i < 1500; ++i) {
    double sum = 0;
    for (std::int32_t j = 0; j < 1500; ++j) sum += std::sqrt(points.squared_distance(i, j));
    if (sum < least) least = sum, medoid = i;
  }
  EXPECT_EQ(theme.medoid, medoid);
  EXPECT_EQ(theme.best.size(), 5U);
}

TEST(Themes, OptionsAreInTheirRange) {
  ThreadPool pool(1);
  const std::vector<std::int32_t> one = {0};
  EXPECT_THROW(describe_clusters(line({1}), one, one, {}, {}, pool), Error);  // A weight of 0.
  EXPECT_THROW(describe_clusters(line({1}), one, kOnes, {}, {}, pool), Error);
  EXPECT_THROW(describe_clusters(line({1}), one, std::vector<std::int32_t>{1}, {}, {.num_best = 0}, pool), Error);
}

}  // namespace
}  // namespace onggi::cluster
