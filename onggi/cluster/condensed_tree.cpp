#include "onggi/cluster/condensed_tree.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "onggi/core/error.h"

namespace onggi::cluster {
namespace {

/// The single-linkage tree: node n of [points, 2 * points - 1) joins two nodes at a distance.
struct Join {
  std::int32_t left = 0, right = 0;
  double distance = 0;
  std::int32_t size = 0;
};

std::vector<Join> single_linkage(std::span<const TreeEdge> edges, std::int32_t num_points) {
  std::vector<TreeEdge> sorted(edges.begin(), edges.end());
  std::ranges::stable_sort(sorted, is_nearer);
  std::vector<std::int32_t> parent(static_cast<std::size_t>(2 * num_points - 1));
  std::iota(parent.begin(), parent.end(), 0);
  const auto top = [&](std::int32_t node) {
    while (parent[static_cast<std::size_t>(node)] != node) {
      auto& up = parent[static_cast<std::size_t>(node)];
      up = parent[static_cast<std::size_t>(up)];
      node = up;
    }
    return node;
  };
  std::vector<Join> joins;
  const auto size_of = [&](std::int32_t node) {
    return node < num_points ? 1 : joins[static_cast<std::size_t>(node - num_points)].size;
  };
  for (const auto& edge : sorted) {
    const std::int32_t left = top(edge.from), right = top(edge.to);
    const auto node = num_points + static_cast<std::int32_t>(joins.size());
    parent[static_cast<std::size_t>(left)] = parent[static_cast<std::size_t>(right)] = node;
    joins.push_back({left, right, edge.distance, size_of(left) + size_of(right)});
  }
  return joins;
}

class Condenser {
 public:
  Condenser(std::vector<Join> joins, std::int32_t num_points, std::int32_t min_cluster_size)
      : joins_(std::move(joins)), num_points_(num_points), min_cluster_size_(min_cluster_size) {}

  CondensedTree condense() {
    CondensedTree tree{.num_points = num_points_, .num_clusters = 1, .rows = {}};
    // Nodes that still are a cluster, from the top; the queue grows while it is walked.
    std::vector<std::pair<std::int32_t, std::int32_t>> open = {{2 * num_points_ - 2, 0}};
    for (std::size_t at = 0; at < open.size(); ++at) {
      const auto [node, cluster] = open[at];
      if (node < num_points_) continue;  // min_cluster_size is above 1: only where there is one point in all.
      const Join& join = joins_[static_cast<std::size_t>(node - num_points_)];
      const double lambda = join.distance > 0 ? 1 / join.distance : std::numeric_limits<double>::infinity();
      const bool both = is_large(join.left) && is_large(join.right);
      for (const auto child : {join.left, join.right}) {
        if (!is_large(child)) {
          drop(child, cluster, lambda, tree);
        } else if (both) {
          tree.rows.push_back({cluster, tree.num_clusters, true, lambda, size_of(child)});
          open.emplace_back(child, tree.num_clusters++);
        } else {
          open.emplace_back(child, cluster);
        }
      }
    }
    return tree;
  }

 private:
  std::int32_t size_of(std::int32_t node) const {
    return node < num_points_ ? 1 : joins_[static_cast<std::size_t>(node - num_points_)].size;
  }
  bool is_large(std::int32_t node) const { return size_of(node) >= min_cluster_size_; }

  /// All points below `top` leave the cluster.
  void drop(std::int32_t top, std::int32_t cluster, double lambda, CondensedTree& tree) {
    pending_.assign(1, top);
    while (!pending_.empty()) {
      const std::int32_t node = pending_.back();
      pending_.pop_back();
      if (node < num_points_) {
        tree.rows.push_back({cluster, node, false, lambda, 1});
        continue;
      }
      const Join& join = joins_[static_cast<std::size_t>(node - num_points_)];
      pending_.push_back(join.right);
      pending_.push_back(join.left);
    }
  }

  std::vector<Join> joins_;
  std::int32_t num_points_, min_cluster_size_;
  std::vector<std::int32_t> pending_;
};

std::vector<double> births(const CondensedTree& tree) {
  std::vector<double> birth(static_cast<std::size_t>(tree.num_clusters), 0.0);
  for (const auto& row : tree.rows) {
    if (row.is_cluster) birth[static_cast<std::size_t>(row.child)] = row.lambda;
  }
  return birth;
}

}  // namespace

CondensedTree condense(std::span<const TreeEdge> edges, std::int32_t num_points, std::int32_t min_cluster_size) {
  require(min_cluster_size >= 2, "the least size of a cluster must be 2 or more");
  require(num_points >= 1 && static_cast<std::int32_t>(edges.size()) == num_points - 1,
          "a spanning tree has one edge less than points");
  if (num_points == 1) return {.num_points = 1, .num_clusters = 1, .rows = {{0, 0, false, 0.0, 1}}};
  return Condenser(single_linkage(edges, num_points), num_points, min_cluster_size).condense();
}

std::vector<double> stabilities(const CondensedTree& tree) {
  const auto birth = births(tree);
  std::vector<double> sums(birth.size(), 0.0);
  for (const auto& row : tree.rows) {
    const auto parent = static_cast<std::size_t>(row.parent);
    // Born and left where all points lie on each other: infinity less infinity adds nothing.
    if (row.lambda > birth[parent]) sums[parent] += (row.lambda - birth[parent]) * row.size;
  }
  return sums;
}

std::vector<std::int32_t> most_stable(const CondensedTree& tree, bool allow_single) {
  auto best = stabilities(tree);
  const auto count = static_cast<std::size_t>(tree.num_clusters);
  std::vector<std::vector<std::int32_t>> children(count);
  for (const auto& row : tree.rows) {
    if (row.is_cluster) children[static_cast<std::size_t>(row.parent)].push_back(row.child);
  }
  std::vector<bool> is_best(count, false);
  for (std::size_t c = count; c-- > (allow_single ? 0U : 1U);) {
    double below = 0;
    for (const auto child : children[c]) below += best[static_cast<std::size_t>(child)];
    is_best[c] = children[c].empty() || below <= best[c];
    if (!is_best[c]) best[c] = below;
  }
  // What lies within a chosen cluster is not chosen. Parents come first.
  std::vector<bool> is_within(count, false);
  std::vector<std::int32_t> chosen;
  for (std::size_t c = 0; c < count; ++c) {
    const bool takes = is_best[c] && !is_within[c];
    if (takes) chosen.push_back(static_cast<std::int32_t>(c));
    for (const auto child : children[c]) is_within[static_cast<std::size_t>(child)] = takes || is_within[c];
  }
  return chosen;
}

std::vector<double> glosh_scores(const CondensedTree& tree) {
  std::vector<double> last(static_cast<std::size_t>(tree.num_clusters), 0.0);
  for (const auto& row : tree.rows) {
    auto& lambda = last[static_cast<std::size_t>(row.parent)];
    lambda = std::max(lambda, row.lambda);
  }
  for (auto row = tree.rows.rbegin(); row != tree.rows.rend(); ++row) {  // Children before their parents.
    if (!row->is_cluster) continue;
    auto& lambda = last[static_cast<std::size_t>(row->parent)];
    lambda = std::max(lambda, last[static_cast<std::size_t>(row->child)]);
  }
  std::vector<double> scores(static_cast<std::size_t>(tree.num_points), 0.0);
  for (const auto& row : tree.rows) {
    if (row.is_cluster || !std::isfinite(row.lambda)) continue;
    const double highest = last[static_cast<std::size_t>(row.parent)];
    const double share = std::isfinite(highest) && highest > 0 ? row.lambda / highest : std::isfinite(highest) ? 1 : 0;
    scores[static_cast<std::size_t>(row.child)] = 1 - share;
  }
  return scores;
}

}  // namespace onggi::cluster
