#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "onggi/cluster/points.h"

namespace onggi::cluster {

struct TreeEdge {
  std::int32_t from = 0, to = 0;
  double distance = 0;  ///< Mutual reachability.
  double length = 0;    ///< Euclidean distance.
};

/// Nearer ones first; of equal reachability, as around a point whose core distance is the greatest, the shorter.
inline bool is_nearer(const TreeEdge& a, const TreeEdge& b) {
  return a.distance < b.distance || (a.distance == b.distance && a.length < b.length);
}

/// Minimum spanning tree of the complete graph whose edges are the mutual reachability distances max(core_a, core_b,
/// d(a, b)), by Prim's walk from point 0 (Campello et al. 2013). Edges in the order of the walk. Of equal
/// reachabilities the shorter edge is taken, so that the tree does not depend on the order of the points. No matrix of
/// all pairs: rows of f32 distances are made in blocks for those points that the walk will reach soon, and a distance
/// is measured in double where it could change the tree. `core` has one value a point, 0 for plain distances.
std::vector<TreeEdge> spanning_tree(const Points& points, std::span<const double> core, ThreadPool& pool,
                                    const Report& report = {});

}  // namespace onggi::cluster
