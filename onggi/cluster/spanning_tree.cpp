#include "onggi/cluster/spanning_tree.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "onggi/core/error.h"

namespace onggi::cluster {
namespace {

constexpr std::int64_t kBlock = 24;  // Rows of distances made at once: enough to use what was loaded several times.
constexpr std::size_t kSlots = 240;  // Rows kept until the walk reaches their point.

/// Rows of f32 distances, made for several points that the walk will reach soon.
class RowCache {
 public:
  RowCache(const Points& points, ThreadPool& pool)
      : points_(points), pool_(pool), slot_of_(static_cast<std::size_t>(points.size()), -1) {}

  bool has(std::int32_t point) const { return slot_of_[static_cast<std::size_t>(point)] >= 0; }
  /// Makes the rows of these points, dropping all others if there is no room.
  void make(std::span<const std::int32_t> wanted) {
    if (kept_.size() + wanted.size() > kSlots) {
      for (const auto& kept : kept_) slot_of_[static_cast<std::size_t>(kept.point)] = -1;
      kept_.clear();
      free_.clear();
    }
    points_.near_distances(wanted, pool_, block_);
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      const float* row = block_.data() + static_cast<std::int64_t>(i) * points_.stride();
      std::int32_t slot = static_cast<std::int32_t>(kept_.size());
      if (free_.empty()) {
        kept_.emplace_back();
      } else {
        slot = free_.back();
        free_.pop_back();
      }
      Kept& kept = kept_[static_cast<std::size_t>(slot)];
      kept.point = wanted[i];
      kept.row.assign(row, row + points_.size());
      slot_of_[static_cast<std::size_t>(wanted[i])] = slot;
    }
  }
  const std::vector<float>& row(std::int32_t point) const {
    return kept_[static_cast<std::size_t>(slot_of_[static_cast<std::size_t>(point)])].row;
  }
  void drop(std::int32_t point) {
    free_.push_back(slot_of_[static_cast<std::size_t>(point)]);
    slot_of_[static_cast<std::size_t>(point)] = -1;
  }

 private:
  struct Kept {
    std::int32_t point = 0;
    std::vector<float> row;
  };
  const Points& points_;
  ThreadPool& pool_;
  std::vector<std::int32_t> slot_of_, free_;
  std::vector<Kept> kept_;
  std::vector<float> block_;
};

/// Points not yet in the tree, and the shortest way to it. Distances are squared until the end: the order is the same.
class Walk {
 public:
  Walk(const Points& points, std::span<const double> core, ThreadPool& pool)
      : points_(points), cache_(points, pool), squared_core_(core.size()) {
    std::ranges::transform(core, squared_core_.begin(), [](double c) { return c * c; });
    for (std::int32_t i = 1; i < points.size(); ++i) outside_.push_back({.point = i});
  }

  TreeEdge step() {
    if (!cache_.has(last_)) make_rows();
    const std::size_t best = reach_all();
    const Outside next = outside_[best];
    outside_[best] = outside_.back();
    outside_.pop_back();
    cache_.drop(last_);
    last_ = next.point;
    return {next.from, next.point, std::sqrt(next.squared), std::sqrt(next.length)};
  }

 private:
  struct Outside {
    std::int32_t point = 0;
    std::int32_t from = 0;
    double squared = std::numeric_limits<double>::infinity();  ///< Reachability.
    double length = std::numeric_limits<double>::infinity();   ///< Squared too.
  };
  static bool is_nearer(const Outside& a, const Outside& b) {
    return a.squared < b.squared || (a.squared == b.squared && a.length < b.length);
  }
  static bool is_before(const Outside& a, const Outside& b) {
    return is_nearer(a, b) || (a.squared == b.squared && a.length == b.length && a.point < b.point);
  }

  /// Those of the last point, and of the points that are nearest to the tree and have none.
  void make_rows() {
    wanted_.clear();
    nearest_.clear();
    for (const auto& o : outside_) {
      if (!cache_.has(o.point)) nearest_.push_back(o);
    }
    const auto count = std::min<std::size_t>(nearest_.size(), kBlock - 1);
    std::partial_sort(nearest_.begin(), nearest_.begin() + static_cast<std::ptrdiff_t>(count), nearest_.end(),
                      is_before);
    wanted_.push_back(last_);
    for (std::size_t i = 0; i < count; ++i) wanted_.push_back(nearest_[i].point);
    cache_.make(wanted_);
  }

  /// Shortens ways by the last point; the place of the point to go to next.
  std::size_t reach_all() {
    const auto& row = cache_.row(last_);
    const double slack = points_.slack(last_), core = squared_core_[static_cast<std::size_t>(last_)];
    std::size_t best = 0;
    for (std::size_t i = 0; i < outside_.size(); ++i) {
      Outside& o = outside_[i];
      const double cores = std::max(core, squared_core_[static_cast<std::size_t>(o.point)]);
      const double near = row[static_cast<std::size_t>(o.point)];
      const double least = std::max(cores, near - slack);
      if (least < o.squared || (least == o.squared && near - slack < o.length)) {
        const double length = points_.squared_distance(last_, o.point);
        const Outside by_last{.point = o.point, .from = last_, .squared = std::max(cores, length), .length = length};
        if (is_nearer(by_last, o)) o = by_last;
      }
      if (is_before(o, outside_[best])) best = i;
    }
    return best;
  }

  const Points& points_;
  RowCache cache_;
  std::vector<double> squared_core_;
  std::vector<Outside> outside_, nearest_;
  std::vector<std::int32_t> wanted_;
  std::int32_t last_ = 0;
};

}  // namespace

std::vector<TreeEdge> spanning_tree(const Points& points, std::span<const double> core, ThreadPool& pool,
                                    const Report& report) {
  require(static_cast<std::int64_t>(core.size()) == points.size(), "spanning tree: one core distance a point");
  std::vector<TreeEdge> edges;
  if (points.size() < 2) return edges;
  Walk walk(points, core, pool);
  constexpr std::int64_t kStepsPerReport = 256;
  for (std::int64_t i = 1; i < points.size(); ++i) {
    edges.push_back(walk.step());
    if (report && (i % kStepsPerReport == 0 || i + 1 == points.size())) report("spanning tree", i, points.size() - 1);
  }
  return edges;
}

}  // namespace onggi::cluster
