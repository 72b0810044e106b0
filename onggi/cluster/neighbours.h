#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "onggi/cluster/points.h"

namespace onggi::cluster {

/// The nearest other points of each point, nearest first; of equal distances the lower index first.
struct Neighbours {
  std::int64_t count = 0;             ///< A point: min(asked for, points - 1).
  std::vector<std::int32_t> indices;  ///< [points, count]
  std::vector<double> distances;      ///< [points, count], Euclidean, exact to double.

  std::span<const std::int32_t> of(std::int64_t point) const {
    return std::span(indices).subspan(static_cast<std::size_t>(point * count), static_cast<std::size_t>(count));
  }
  std::span<const double> distances_of(std::int64_t point) const {
    return std::span(distances).subspan(static_cast<std::size_t>(point * count), static_cast<std::size_t>(count));
  }
};

/// Exact: f32 kernels look at all pairs, what comes near the cut is measured in double. Memory grows with points times
/// count, and a block of rows a thread. Throws kInvalidArgument for a count below 1.
Neighbours nearest_neighbours(const Points& points, std::int64_t count, ThreadPool& pool, const Report& report = {});

}  // namespace onggi::cluster
