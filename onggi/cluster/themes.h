#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "onggi/cluster/points.h"

namespace onggi::cluster {

struct ThemeOptions {
  int num_best = 5;        ///< Expressions that show what the theme is.
  double diversity = 0.5;  ///< 0: those nearest to the medoid; towards 1: those unlike each other.
};

/// A cluster in words: which of its members to show. Members are indices of points.
struct Theme {
  std::int32_t cluster = 0;
  std::int32_t num_members = 0;    ///< Points.
  std::int64_t num_texts = 0;      ///< Sum of their weights.
  std::int32_t medoid = 0;         ///< The member with the least weighted sum of distances to the others: its name.
  std::int32_t most_frequent = 0;  ///< The member with the greatest weight; of equal ones the nearest to the medoid.
  std::vector<std::int32_t>
      best;           ///< The medoid first, then by maximal marginal relevance (Carbonell and Goldstein 1998).
  double spread = 0;  ///< Mean distance of its texts to the medoid.
};

/// One theme for each label from 0, in their order; labels without points are left out. `weights` says how many texts a
/// point stands for. Of clusters with more than 1,000 members, those 256 nearest to the centroid may be the medoid.
/// `may_show` (empty = all) says which points may be a name or a best expression, where a cluster has any such.
std::vector<Theme> describe_clusters(const Points& points, std::span<const std::int32_t> labels,
                                     std::span<const std::int32_t> weights, const std::vector<bool>& may_show,
                                     const ThemeOptions& options, ThreadPool& pool);

}  // namespace onggi::cluster
