#pragma once

#include <span>
#include <vector>

#include "onggi/cluster/vectors.h"
#include "onggi/core/thread_pool.h"

namespace onggi::cluster {

/// The directions along which rows vary most.
struct Components {
  std::vector<double> mean;  ///< [dimensions]
  std::vector<double> axes;  ///< [count, dimensions], orthonormal, most variance first; the greatest value above 0.
  std::vector<double> variances;  ///< [count], over all rows, divisor rows - 1.
  std::span<const double> axis(std::size_t i) const { return std::span(axes).subspan(i * mean.size(), mean.size()); }
};

/// Principal components, at most `count` (fewer where there are fewer dimensions), from at most 20,000 rows evenly
/// spread.
Components principal_components(const Vectors& vectors, int count, ThreadPool& pool);

/// What decoder states need before distances mean much: they share a direction.
struct PrepareOptions {
  bool centre = true;         ///< Subtract the mean of all rows.
  int remove_components = 0;  ///< Then take out this many principal components.
  bool normalize = true;      ///< Then bring rows to length 1; a row of zeros stays.
};

/// Throws kInvalidArgument for a number of components that is negative, or not below the dimensions.
Vectors prepare(Vectors vectors, const PrepareOptions& options, ThreadPool& pool);

}  // namespace onggi::cluster
