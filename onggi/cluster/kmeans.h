#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "onggi/cluster/points.h"

namespace onggi::cluster {

struct KMeansOptions {
  int num_clusters = 8;
  int num_restarts = 10;
  int max_iterations = 300;
  double tolerance = 1e-4;  ///< Ends where the centres' squared shift is below this part of the variance.
  std::uint64_t seed = 0;
  std::int64_t restart_rows = 20000;   ///< More points than this: restarts on a sample of as many; the best on all.
  std::vector<float> first_centroids;  ///< [num_clusters, dimensions] to begin with, in place of restarts.
};

struct KMeans {
  std::vector<std::int32_t> labels;  ///< A point: its nearest centroid, of equal ones the first.
  std::vector<double> centroids;     ///< [num_clusters, dimensions]
  double inertia = 0;                ///< Sum of squared distances to them.
  int num_iterations = 0;            ///< Of the best restart.
};

/// Lloyd's k-means from k-means++ beginnings (Arthur and Vassilvitskii 2007; several candidates a step). A cluster that
/// runs empty takes the point that is farthest from its own. The same seed gives the same bits with any number of
/// threads. Throws kInvalidArgument for fewer points than clusters.
KMeans kmeans(const Points& points, const KMeansOptions& options, ThreadPool& pool, const Report& report = {});

struct ClusterCount {
  int num_clusters = 0;
  double silhouette = 0;  ///< Mean over a sample.
};

/// The mean silhouette of each number of clusters that is tried, from 2 to `most` (all up to 16, then ever wider
/// steps), on a sample of at most `sample` points. Empty for fewer than 3 points.
std::vector<ClusterCount> try_cluster_counts(const Points& points, int most, std::int64_t sample,
                                             const KMeansOptions& options, ThreadPool& pool, const Report& report = {});

/// The distance of each point to the centroid of its label, or to the nearest where the label is below 0.
std::vector<double> centroid_distances(const Points& points, std::span<const double> centroids,
                                       std::span<const std::int32_t> labels, ThreadPool& pool);

/// [num_clusters, dimensions]: the mean of the points with each label from 0; zeros for a label without points.
std::vector<double> centroids_of(const Points& points, std::span<const std::int32_t> labels, std::int32_t num_clusters,
                                 ThreadPool& pool);

}  // namespace onggi::cluster
