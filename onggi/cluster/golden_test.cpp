// scikit-learn's and hdbscan's own results on small data: the same partitions, the same scores.

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include "onggi/cluster/hdbscan.h"
#include "onggi/cluster/kmeans.h"
#include "onggi/cluster/neighbours.h"
#include "onggi/cluster/outliers.h"
#include "onggi/cluster/prepare.h"
#include "onggi/cluster/silhouette.h"
#include "onggi/cluster/test_support.h"

namespace onggi::cluster {
namespace {

void expect_near(const std::vector<double>& values, const Json& wanted, const std::string& what) {
  ASSERT_EQ(values.size(), wanted.size()) << what;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double want = wanted[i].get<double>();
    ASSERT_NEAR(values[i], want, 1e-6 * std::max(std::abs(want), 1e-3)) << what << " of point " << i;
  }
}

TEST(Golden, HdbscanIsThatOfItsLibrary) {
  ThreadPool pool(2);
  for (const auto& c : golden("clusters.json")) {
    const std::string name = c["name"];
    const auto& want = c["hdbscan"];
    const auto found =
        hdbscan(Points(vectors_of(c["x"])),
                {.min_cluster_size = want["min_cluster_size"], .min_samples = want["min_samples"]}, pool);
    const auto labels = want["labels"].get<std::vector<std::int32_t>>();
    EXPECT_EQ(in_order_of_appearance(found.labels), in_order_of_appearance(labels)) << name;
    expect_near(found.probabilities, want["probabilities"], name + ": probability");
    expect_near(found.outlier_scores, want["outlier_scores"], name + ": GLOSH");
    auto persistence = found.persistence;
    auto wanted = want["persistence"].get<std::vector<double>>();
    std::ranges::sort(persistence);
    std::ranges::sort(wanted);
    expect_near(persistence, Json(wanted), name + ": persistence");
  }
}

TEST(Golden, KMeansFromGivenCentresIsThatOfScikitLearn) {
  ThreadPool pool(2);
  for (const auto& c : golden("clusters.json")) {
    const std::string name = c["name"];
    const auto& want = c["kmeans"];
    const Points points(vectors_of(c["x"]));
    const auto first = vectors_of(want["first"]);
    const auto found = kmeans(
        points, {.num_clusters = static_cast<int>(first.num_rows), .tolerance = 0, .first_centroids = first.values},
        pool);
    const auto labels = want["labels"].get<std::vector<std::int32_t>>();
    EXPECT_EQ(found.labels, labels) << name;
    EXPECT_NEAR(found.inertia / want["inertia"].get<double>(), 1, 1e-9) << name;
    expect_near(silhouettes(DistanceTable(points, pool), labels), want["silhouettes"], name + ": silhouette");
  }
}

TEST(Golden, LocalOutlierFactorsAreThoseOfScikitLearn) {
  ThreadPool pool(2);
  for (const auto& c : golden("clusters.json")) {
    const Points points(vectors_of(c["x"]));
    expect_near(local_outlier_factors(nearest_neighbours(points, c["lof"]["neighbours"].get<int>(), pool)),
                c["lof"]["factors"], c["name"].get<std::string>() + ": LOF");
  }
}

TEST(Golden, ComponentsAreThoseOfScikitLearn) {
  ThreadPool pool(2);
  for (const auto& c : golden("clusters.json")) {
    const auto found = principal_components(vectors_of(c["x"]), 2, pool);
    expect_near(found.variances, c["pca"]["variances"], c["name"].get<std::string>() + ": variance");
    for (std::size_t a = 0; a < 2; ++a) {
      double along = 0;
      for (std::size_t d = 0; d < found.mean.size(); ++d)
        along += found.axis(a)[d] * c["pca"]["axes"][a][d].get<double>();
      EXPECT_NEAR(std::abs(along), 1, 1e-6);
    }
  }
}

}  // namespace
}  // namespace onggi::cluster
