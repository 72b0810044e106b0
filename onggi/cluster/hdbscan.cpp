#include "onggi/cluster/hdbscan.h"

#include <algorithm>
#include <cmath>

#include "onggi/cluster/condensed_tree.h"
#include "onggi/cluster/neighbours.h"
#include "onggi/cluster/spanning_tree.h"
#include "onggi/core/error.h"

namespace onggi::cluster {
namespace {

std::vector<double> core_distances(const Points& points, int min_samples, ThreadPool& pool, const Report& report) {
  std::vector<double> core(static_cast<std::size_t>(points.size()), 0.0);
  if (points.size() < 2) return core;
  const auto neighbours = nearest_neighbours(points, min_samples, pool, report);
  for (std::int64_t i = 0; i < points.size(); ++i)
    core[static_cast<std::size_t>(i)] = neighbours.distances_of(i).back();
  return core;
}

/// For each cluster of the tree the label of the chosen one around it; -1 where there is none.
std::vector<std::int32_t> labels_of(const CondensedTree& tree, std::span<const std::int32_t> chosen) {
  std::vector<std::int32_t> label(static_cast<std::size_t>(tree.num_clusters), -1);
  for (std::size_t i = 0; i < chosen.size(); ++i)
    label[static_cast<std::size_t>(chosen[i])] = static_cast<std::int32_t>(i);
  for (const auto& row : tree.rows) {  // Parents come first.
    if (!row.is_cluster) continue;
    auto& own = label[static_cast<std::size_t>(row.child)];
    if (own < 0) own = label[static_cast<std::size_t>(row.parent)];
  }
  return label;
}

/// The highest lambda at which anything leaves each chosen cluster itself.
std::vector<double> highest_lambdas(const CondensedTree& tree, std::span<const std::int32_t> chosen) {
  std::vector<double> all(static_cast<std::size_t>(tree.num_clusters), 0.0);
  for (const auto& row : tree.rows) {
    auto& highest = all[static_cast<std::size_t>(row.parent)];
    highest = std::max(highest, row.lambda);
  }
  std::vector<double> result;
  for (const auto cluster : chosen) result.push_back(all[static_cast<std::size_t>(cluster)]);
  return result;
}

double share_of(double part, double whole) {
  return whole > 0 && std::isfinite(whole) ? std::min(part, whole) / whole : 1.0;
}

}  // namespace

Hdbscan hdbscan(const Points& points, const HdbscanOptions& options, ThreadPool& pool, const Report& report) {
  require(options.min_cluster_size >= 2, "min_cluster_size must be 2 or more");
  require(options.min_samples >= 1, "min_samples must be 1 or more");
  Hdbscan result;
  const auto size = static_cast<std::size_t>(points.size());
  if (size == 0) return result;
  const auto core = core_distances(points, options.min_samples, pool, report);
  const auto tree =
      condense(spanning_tree(points, core, pool, report), static_cast<std::int32_t>(size), options.min_cluster_size);
  const auto chosen = most_stable(tree, options.allow_single);
  const auto label = labels_of(tree, chosen);
  const auto highest = highest_lambdas(tree, chosen);
  result.num_clusters = static_cast<std::int32_t>(chosen.size());
  result.labels.assign(size, -1);
  result.probabilities.assign(size, 0.0);
  std::vector<double> sizes(chosen.size(), 0.0);
  // Where all points are one cluster, what left it before its first split is noise.
  double noise_below = 0;
  if (chosen.size() == 1 && chosen[0] == 0) {
    for (const auto& row : tree.rows) {
      if (row.is_cluster) noise_below = std::max(noise_below, row.lambda);
    }
  }
  for (const auto& row : tree.rows) {
    if (row.is_cluster) continue;
    const std::int32_t own = label[static_cast<std::size_t>(row.parent)];
    if (own < 0 || row.lambda < noise_below) continue;
    const auto point = static_cast<std::size_t>(row.child);
    result.labels[point] = own;
    result.probabilities[point] = share_of(row.lambda, highest[static_cast<std::size_t>(own)]);
    sizes[static_cast<std::size_t>(own)] += 1;
  }
  const auto stability = stabilities(tree);
  const double highest_of_all = std::ranges::max_element(tree.rows, {}, &CondensedRow::lambda)->lambda;
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    const double whole = sizes[i] * highest_of_all;
    const double own = stability[static_cast<std::size_t>(chosen[i])];
    result.persistence.push_back(whole > 0 && std::isfinite(whole) ? own / whole : 1.0);
  }
  result.outlier_scores = glosh_scores(tree);
  return result;
}

}  // namespace onggi::cluster
