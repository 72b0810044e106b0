#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "onggi/cluster/spanning_tree.h"

namespace onggi::cluster {

/// One thing that leaves its cluster: a point that falls out, or a part that lives on as a cluster of its own. Lambda
/// is 1 / distance; infinite where points lie on each other.
struct CondensedRow {
  std::int32_t parent = 0;  ///< A cluster, from 0 (all points).
  std::int32_t child = 0;   ///< A point, or a cluster: see `is_cluster`.
  bool is_cluster = false;
  double lambda = 0;
  std::int32_t size = 1;  ///< Points in it.
};

/// The hierarchy of clusters with at least `min_cluster_size` points (McInnes et al. 2017). Clusters are numbered from
/// the root down, so a parent has a lower number than its children; every point has one row.
struct CondensedTree {
  std::int32_t num_points = 0;
  std::int32_t num_clusters = 0;
  std::vector<CondensedRow> rows;
};

/// `edges` is a spanning tree of num_points points. Throws kInvalidArgument for a min_cluster_size below 2.
CondensedTree condense(std::span<const TreeEdge> edges, std::int32_t num_points, std::int32_t min_cluster_size);

/// For each cluster: sum over what leaves it of (lambda - lambda at its birth) * size.
std::vector<double> stabilities(const CondensedTree& tree);

/// The clusters, none within another, whose stabilities sum to the most (excess of mass); ascending. All points as one
/// cluster only if `allow_single`.
std::vector<std::int32_t> most_stable(const CondensedTree& tree, bool allow_single);

/// GLOSH (Campello et al. 2015): for each point 1 - eps_min / eps, where eps is the distance at which it leaves its
/// last cluster and eps_min the smallest at which anything leaves that cluster's subtree. 0 to 1, 1 is farthest out.
std::vector<double> glosh_scores(const CondensedTree& tree);

}  // namespace onggi::cluster
