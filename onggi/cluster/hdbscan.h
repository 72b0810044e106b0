#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "onggi/cluster/points.h"

namespace onggi::cluster {

struct HdbscanOptions {
  int min_cluster_size = 10;
  int min_samples = 5;        ///< The core distance is that to the min_samples-th other point.
  bool allow_single = false;  ///< All points may be one cluster.
};

struct Hdbscan {
  std::int32_t num_clusters = 0;
  std::vector<std::int32_t> labels;    ///< A point: its cluster from 0, in the order of the tree; -1 is noise.
  std::vector<double> probabilities;   ///< How firmly a point belongs to its cluster, 0 to 1; 0 for noise.
  std::vector<double> outlier_scores;  ///< GLOSH, see condensed_tree.h.
  std::vector<double> persistence;     ///< A cluster: its stability over size times the highest lambda of all, 0 to 1.
};

/// HDBSCAN (Campello et al. 2013, 2015; McInnes et al. 2017) with the choice by excess of mass. Exact; time grows with
/// the square of the points, memory does not. Throws kInvalidArgument for options out of their range.
Hdbscan hdbscan(const Points& points, const HdbscanOptions& options, ThreadPool& pool, const Report& report = {});

}  // namespace onggi::cluster
