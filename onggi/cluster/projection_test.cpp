#include "onggi/cluster/projection.h"

#include <cmath>

#include <gtest/gtest.h>

#include "onggi/cluster/test_support.h"
#include "onggi/core/error.h"

namespace onggi::cluster {
namespace {

double distance(const Place& a, const Place& b) { return std::hypot(a[0] - b[0], a[1] - b[1]); }

/// Share of points whose nearest other place belongs to the same group.
double neighbours_kept(const std::vector<Place>& places, const std::vector<std::int32_t>& truth) {
  double kept = 0;
  for (std::size_t i = 0; i < places.size(); ++i) {
    std::size_t nearest = i == 0 ? 1 : 0;
    for (std::size_t j = 0; j < places.size(); ++j) {
      if (j != i && distance(places[i], places[j]) < distance(places[i], places[nearest])) nearest = j;
    }
    kept += truth[i] == truth[nearest] ? 1 : 0;
  }
  return kept / static_cast<double>(places.size());
}

TEST(Projection, PcaKeepsTheWidestDirections) {
  ThreadPool pool(1);
  Vectors vectors{.num_rows = 4, .dimensions = 3, .values = {10, 0, 1, -10, 0, 1, 0, 3, 1, 0, -3, 1}};
  const auto places = project_pca(vectors, pool);
  EXPECT_NEAR(std::abs(places[0][0]), 10, 1e-5);
  EXPECT_NEAR(places[0][1], 0, 1e-5);
  EXPECT_NEAR(std::abs(places[2][1]), 3, 1e-5);
  EXPECT_NEAR(distance(places[0], places[1]), 20, 1e-5);
}

TEST(Projection, TsneKeepsGroupsTogetherAndIsTheSameForAnyThreads) {
  const auto [vectors, truth] = scattered(240, 30, 8, 0.5F, 6);
  ThreadPool one(1), three(3);
  const Points points(vectors);
  const auto places = project_tsne(points, {.perplexity = 10, .num_iterations = 300}, one);
  EXPECT_GT(neighbours_kept(places, truth), 0.99);
  EXPECT_EQ(places, project_tsne(points, {.perplexity = 10, .num_iterations = 300}, three));
}

TEST(Projection, FewPointsAndEqualOnesHaveFinitePlaces) {
  ThreadPool pool(1);
  for (const std::int64_t count : {1, 2, 3, 4, 5, 40}) {
    const auto places = project_tsne(
        Points(
            {.num_rows = count, .dimensions = 2, .values = std::vector<float>(static_cast<std::size_t>(2 * count), 1)}),
        {}, pool);
    ASSERT_EQ(places.size(), static_cast<std::size_t>(count));
    for (const auto& place : places) EXPECT_TRUE(std::isfinite(place[0]) && std::isfinite(place[1]));
  }
  EXPECT_THROW(project_tsne(line({1, 2, 3}), {.perplexity = 0}, pool), Error);
}

}  // namespace
}  // namespace onggi::cluster
