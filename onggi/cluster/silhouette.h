#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "onggi/cluster/points.h"

namespace onggi::cluster {

/// Distances between all pairs of some points: memory grows with their square.
class DistanceTable {
 public:
  /// Throws kInvalidArgument past 20,000 points.
  DistanceTable(const Points& points, ThreadPool& pool);
  std::int64_t size() const { return size_; }
  std::span<const double> row(std::int64_t i) const {
    return std::span(values_).subspan(static_cast<std::size_t>(i * size_), static_cast<std::size_t>(size_));
  }

 private:
  std::int64_t size_ = 0;
  std::vector<double> values_;
};

/// Silhouette of each point, (b - a) / max(a, b) (Rousseeuw 1987): a is the mean distance to the others of its cluster,
/// b the least mean distance to another cluster. 0 for a cluster of one. Labels from 0; points below 0 count nowhere
/// and get 0.
std::vector<double> silhouettes(const DistanceTable& distances, std::span<const std::int32_t> labels);

/// Mean over the points with a label; 0 where there are fewer than two clusters.
double mean_silhouette(const DistanceTable& distances, std::span<const std::int32_t> labels);

}  // namespace onggi::cluster
