// The checks by hand of docs/how_to/cluster.md's methods, and what holds for any data.

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include <gtest/gtest.h>

#include "onggi/cluster/condensed_tree.h"
#include "onggi/cluster/hdbscan.h"
#include "onggi/cluster/kmeans.h"
#include "onggi/cluster/outliers.h"
#include "onggi/cluster/prepare.h"
#include "onggi/cluster/silhouette.h"
#include "onggi/cluster/spanning_tree.h"
#include "onggi/cluster/test_support.h"
#include "onggi/core/error.h"

namespace onggi::cluster {
namespace {

TEST(RobustZ, IsThatOfTheCheckByHand) {
  const std::vector<double> d = {1, 2, 2, 3, 14};
  const auto z = robust_z(d, std::vector<std::int32_t>(5, 0));
  EXPECT_NEAR(z[4], 8.094, 1e-12);
  EXPECT_NEAR(z[0], -0.6745, 1e-12);
  EXPECT_EQ(z[1], 0);
}

TEST(RobustZ, ScalesEachGroupByItself) {
  const std::vector<double> d = {1, 10, 2, 20, 3, 30, 1000};
  const auto z = robust_z(d, std::vector<std::int32_t>{0, 1, 0, 1, 0, 1, -1});
  EXPECT_EQ(z[0], z[1]);
  EXPECT_NEAR(z[0], -0.6745, 1e-12);
  EXPECT_GT(z[6], 50);  // Of no group: among all, median 10.
}

TEST(RobustZ, FallsBackToTheMeanDeviationAndToNone) {
  const auto z = robust_z(std::vector<double>{5, 5, 5, 5, 9}, std::vector<std::int32_t>(5, 0));
  EXPECT_EQ(z[0], 0);
  EXPECT_NEAR(z[4], 4 / (1.253314 * 0.8), 1e-12);
  EXPECT_EQ(robust_z(std::vector<double>{5, 5}, std::vector<std::int32_t>{0, 0}), (std::vector<double>{0, 0}));
}

TEST(LocalOutlierFactor, IsThatOfTheCheckByHand) {
  ThreadPool pool(1);
  const auto neighbours = nearest_neighbours(line({0, .1F, .2F, 1.0F}), 2, pool);
  const double kdist[] = {.2, .1, .2, .9}, wanted[] = {.875, 1.333333, .875, 4.958333};
  const auto factors = local_outlier_factors(neighbours);
  for (std::int64_t i = 0; i < 4; ++i) {
    EXPECT_NEAR(neighbours.distances_of(i)[1], kdist[i], 1e-7);
    EXPECT_NEAR(factors[static_cast<std::size_t>(i)], wanted[i], 1e-6);
  }
}

TEST(Silhouette, IsThatOfTheCheckByHand) {
  ThreadPool pool(1);
  const DistanceTable distances(line({0, .1F, .2F, 1, 1.1F}), pool);
  const std::vector<std::int32_t> labels = {0, 0, 0, 1, 1};
  const double wanted[] = {.857142857, .894736842, .823529412, .888888889, .9};
  const auto values = silhouettes(distances, labels);
  for (std::size_t i = 0; i < 5; ++i) EXPECT_NEAR(values[i], wanted[i], 2e-7);  // The points are f32.
  EXPECT_NEAR(mean_silhouette(distances, labels), .872859600, 1e-7);
}

TEST(Silhouette, LeavesNoiseOutAndIsZeroForLoneClusters) {
  ThreadPool pool(1);
  const DistanceTable distances(line({0, .1F, 5, 9}), pool);
  const auto values = silhouettes(distances, std::vector<std::int32_t>{0, 0, -1, 1});
  EXPECT_GT(values[0], 0.9);
  EXPECT_EQ(values[2], 0);
  EXPECT_EQ(values[3], 0);
  EXPECT_EQ(mean_silhouette(distances, std::vector<std::int32_t>{0, 0, 0, 0}), 0);
}

TEST(Neighbours, AreThoseOfBruteForceAmongNearTies) {
  const auto [vectors, truth] = scattered(300, 40, 6, 1e-4F, 7);  // The f32 kernels can't tell these apart.
  const Points points(vectors);
  ThreadPool one(1), three(3);
  const auto found = nearest_neighbours(points, 12, one);
  EXPECT_EQ(found.indices, nearest_neighbours(points, 12, three).indices);
  for (std::int64_t i = 0; i < points.size(); ++i) {
    std::vector<std::pair<double, std::int32_t>> all;
    for (std::int32_t j = 0; j < points.size(); ++j) {
      if (j != i) all.emplace_back(points.squared_distance(i, j), j);
    }
    std::ranges::sort(all);
    for (std::size_t n = 0; n < 12; ++n) {
      ASSERT_EQ(found.of(i)[n], all[n].second);
      ASSERT_EQ(found.distances_of(i)[n], std::sqrt(all[n].first));
    }
  }
}

TEST(Neighbours, AreAtMostAllOthers) {
  ThreadPool pool(1);
  EXPECT_EQ(nearest_neighbours(line({1, 2, 4}), 10, pool).count, 2);
  EXPECT_EQ(nearest_neighbours(line({1}), 10, pool).count, 0);
}

TEST(SpanningTree, IsThatOfBruteForce) {
  const auto [vectors, truth] = scattered(400, 24, 5, 0.02F, 3);
  const Points points(vectors);
  ThreadPool pool(2);
  std::vector<double> core;
  for (std::int64_t i = 0; i < points.size(); ++i)
    core.push_back(0.01 * uniform_float(1, 1, static_cast<std::uint64_t>(i)));
  // Prim by the book, in double.
  std::vector<double> best(400, std::numeric_limits<double>::infinity());
  std::vector<bool> is_in(400, false);
  double wanted = 0;
  for (std::size_t at = 0, steps = 0;; ++steps) {
    is_in[at] = true;
    if (steps == 399) break;
    std::size_t next = 400;
    for (std::size_t j = 0; j < 400; ++j) {
      if (is_in[j]) continue;
      best[j] = std::min(
          best[j],
          std::max({core[at], core[j],
                    std::sqrt(points.squared_distance(static_cast<std::int64_t>(at), static_cast<std::int64_t>(j)))}));
      if (next == 400 || best[j] < best[next]) next = j;
    }
    wanted += best[next];
    at = next;
  }
  double sum = 0;
  for (const auto& edge : spanning_tree(points, core, pool)) sum += edge.distance;
  EXPECT_NEAR(sum, wanted, 1e-12 * wanted);
}

TEST(CondensedTree, IsThatOfTheCheckByHand) {
  // Two triples at 0, 1, 2 and 10, 11, 12, and a lone point at 20; distances to the tree 1, 1, 8, 1, 1, 8.
  ThreadPool pool(1);
  const Points points = line({0, 1, 2, 10, 11, 12, 20});
  const auto tree = condense(spanning_tree(points, std::vector<double>(7, 0.0), pool), 7, 3);
  EXPECT_EQ(tree.num_clusters, 3);
  // The lone point leaves at 1/8 as the root splits; each triple is born at 1/8 and its points leave at 1.
  const auto stable = stabilities(tree);
  EXPECT_NEAR(stable[1], 3 * (1 - 0.125), 1e-12);
  EXPECT_NEAR(stable[2], 3 * (1 - 0.125), 1e-12);
  EXPECT_EQ(most_stable(tree, false), (std::vector<std::int32_t>{1, 2}));
  const auto scores = glosh_scores(tree);
  EXPECT_NEAR(scores[6], 1 - 0.125, 1e-12);
  EXPECT_EQ(scores[0], 0);
}

TEST(Hdbscan, FindsWhatIsThereAndIsTheSameForAnyThreads) {
  const auto [vectors, truth] = scattered(600, 48, 6, 0.2F, 11);
  const Points points(vectors);
  ThreadPool one(1), four(4);
  const auto found = hdbscan(points, {}, one), again = hdbscan(points, {}, four);
  EXPECT_EQ(in_order_of_appearance(found.labels), in_order_of_appearance(truth));
  EXPECT_EQ(found.labels, again.labels);
  EXPECT_EQ(found.outlier_scores, again.outlier_scores);
  EXPECT_EQ(found.probabilities, again.probabilities);
}

TEST(Hdbscan, TakesPointsThatLieOnEachOther) {
  std::vector<float> values(40, 1.0F);
  values.insert(values.end(), 40, 2.0F);
  values.push_back(50.0F);
  ThreadPool pool(2);
  const auto found = hdbscan(Points({.num_rows = 81, .dimensions = 1, .values = values}), {}, pool);
  EXPECT_EQ(found.num_clusters, 2);
  EXPECT_NE(found.labels[0], found.labels[79]);
  EXPECT_EQ(found.labels[80], -1);
  EXPECT_EQ(found.outlier_scores[80], 1);
  EXPECT_EQ(found.probabilities[0], 1);
}

TEST(Hdbscan, OfFewPointsIsNoise) {
  ThreadPool pool(1);
  EXPECT_EQ(hdbscan(line({1}), {}, pool).labels, std::vector<std::int32_t>{-1});
  EXPECT_EQ(hdbscan(line({1, 2}), {}, pool).labels, (std::vector<std::int32_t>{-1, -1}));
  EXPECT_THROW(hdbscan(line({1, 2}), {.min_cluster_size = 1}, pool), Error);
}

TEST(Hdbscan, AllPointsMayBeOneCluster) {
  const auto [vectors, truth] = scattered(60, 8, 1, 0.2F, 2);
  ThreadPool pool(1);
  EXPECT_EQ(hdbscan(Points(vectors), {.allow_single = true}, pool).num_clusters, 1);
  EXPECT_EQ(hdbscan(Points(vectors), {.min_cluster_size = 40}, pool).num_clusters, 0);
}

TEST(KMeans, FindsWhatIsThereAndIsTheSameForAnyThreads) {
  const auto [vectors, truth] = scattered(1000, 33, 7, 0.3F, 5);
  const Points points(vectors);
  ThreadPool one(1), three(3);
  const auto found = kmeans(points, {.num_clusters = 7}, one), again = kmeans(points, {.num_clusters = 7}, three);
  EXPECT_EQ(in_order_of_appearance(found.labels), in_order_of_appearance(truth));
  EXPECT_EQ(found.labels, again.labels);
  EXPECT_EQ(found.centroids, again.centroids);
  const auto sampled = kmeans(points, {.num_clusters = 7, .restart_rows = 100}, one);
  EXPECT_EQ(in_order_of_appearance(sampled.labels), in_order_of_appearance(truth));
}

TEST(KMeans, ChoosesTheNumberOfClustersBySilhouette) {
  const auto [vectors, truth] = scattered(500, 20, 5, 0.3F, 9);
  ThreadPool pool(2);
  const auto counts = try_cluster_counts(Points(vectors), 12, 300, {}, pool);
  const auto best = std::ranges::max_element(counts, {}, &ClusterCount::silhouette);
  EXPECT_EQ(best->num_clusters, 5);
  EXPECT_EQ(counts.size(), 11U);
}

TEST(KMeans, TakesFewerDistinctPointsThanClusters) {
  ThreadPool pool(1);
  const auto found = kmeans(line({1, 1, 1, 2, 2}), {.num_clusters = 4}, pool);
  EXPECT_EQ(found.inertia, 0);
  EXPECT_NE(found.labels[0], found.labels[4]);
  EXPECT_THROW(kmeans(line({1, 2}), {.num_clusters = 3}, pool), Error);
}

TEST(Prepare, CentresTakesComponentsOutAndNormalizes) {
  auto [vectors, truth] = scattered(200, 16, 4, 1.0F, 1);
  for (std::int64_t i = 0; i < 200; ++i)
    vectors.row(i)[3] = 100.0F * uniform_float(4, 4, static_cast<std::uint64_t>(i));
  ThreadPool pool(2);
  const auto ready = prepare(vectors, {.remove_components = 1}, pool);
  double along = 0;
  std::vector<double> lengths;
  for (std::int64_t i = 0; i < 200; ++i) {
    const auto row = ready.row(i);
    along = std::max(along, std::abs(static_cast<double>(row[3])));
    lengths.push_back(std::inner_product(row.begin(), row.end(), row.begin(), 0.0));
  }
  EXPECT_LT(along, 0.05);  // Nearly all of the variance was along this axis.
  for (const double length : lengths) EXPECT_NEAR(length, 1, 1e-6);
  const auto centred = prepare(vectors, {.normalize = false}, pool);
  double mean = 0;
  for (std::int64_t i = 0; i < 200; ++i) mean += static_cast<double>(centred.row(i)[3]) / 200;
  EXPECT_NEAR(mean, 0, 1e-5);
  EXPECT_THROW(prepare(vectors, {.remove_components = 16}, pool), Error);
}

TEST(Points, AreFinite) {
  EXPECT_THROW(line({1, std::numeric_limits<float>::quiet_NaN()}), Error);
  EXPECT_THROW(line({1, std::numeric_limits<float>::infinity()}), Error);
}

}  // namespace
}  // namespace onggi::cluster
