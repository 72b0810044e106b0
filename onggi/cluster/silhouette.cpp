#include "onggi/cluster/silhouette.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "onggi/core/error.h"

namespace onggi::cluster {

DistanceTable::DistanceTable(const Points& points, ThreadPool& pool) : size_(points.size()) {
  constexpr std::int64_t kMost = 20000;
  require(size_ <= kMost, [&] {
    return "a table of all distances between " + std::to_string(size_) + " points is too large, at most " +
           std::to_string(kMost);
  });
  values_.resize(static_cast<std::size_t>(size_ * size_));
  // Both halves are computed: tasks write their own rows only.
  pool.run(size_, [&](std::int64_t i, int) {
    double* out = values_.data() + i * size_;
    for (std::int64_t j = 0; j < size_; ++j) out[j] = i == j ? 0 : std::sqrt(points.squared_distance(i, j));
  });
}

std::vector<double> silhouettes(const DistanceTable& distances, std::span<const std::int32_t> labels) {
  require(static_cast<std::int64_t>(labels.size()) == distances.size(), "silhouette: one label a point");
  std::vector<double> sizes;
  for (const auto label : labels) {
    if (label < 0) continue;
    if (static_cast<std::size_t>(label) >= sizes.size()) sizes.resize(static_cast<std::size_t>(label) + 1, 0.0);
    sizes[static_cast<std::size_t>(label)] += 1;
  }
  std::vector<double> result(labels.size(), 0.0), sums(sizes.size());
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] < 0) continue;
    const auto own = static_cast<std::size_t>(labels[i]);
    if (sizes[own] < 2) continue;
    std::ranges::fill(sums, 0.0);
    const auto row = distances.row(static_cast<std::int64_t>(i));
    for (std::size_t j = 0; j < labels.size(); ++j) {
      if (labels[j] >= 0) sums[static_cast<std::size_t>(labels[j])] += row[j];
    }
    const double within = sums[own] / (sizes[own] - 1);
    double nearest = std::numeric_limits<double>::infinity();
    for (std::size_t c = 0; c < sizes.size(); ++c) {
      if (c != own && sizes[c] > 0) nearest = std::min(nearest, sums[c] / sizes[c]);
    }
    const double greater = std::max(within, nearest);
    if (std::isfinite(nearest) && greater > 0) result[i] = (nearest - within) / greater;
  }
  return result;
}

double mean_silhouette(const DistanceTable& distances, std::span<const std::int32_t> labels) {
  const auto values = silhouettes(distances, labels);
  double sum = 0, count = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (labels[i] < 0) continue;
    sum += values[i];
    count += 1;
  }
  return count > 0 ? sum / count : 0;
}

}  // namespace onggi::cluster
