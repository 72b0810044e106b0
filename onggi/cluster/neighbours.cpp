#include "onggi/cluster/neighbours.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "onggi/core/error.h"

namespace onggi::cluster {
namespace {

/// The count-th smallest of `values` but the one at `self`.
float smallest_at(const float* values, std::int64_t num_values, std::int64_t self, std::int64_t count,
                  std::vector<float>& heap) {
  heap.clear();
  for (std::int64_t j = 0; j < num_values; ++j) {
    if (j == self) continue;
    if (static_cast<std::int64_t>(heap.size()) < count) {
      heap.push_back(values[j]);
      std::push_heap(heap.begin(), heap.end());
    } else if (values[j] < heap.front()) {
      std::pop_heap(heap.begin(), heap.end());
      heap.back() = values[j];
      std::push_heap(heap.begin(), heap.end());
    }
  }
  return heap.front();
}

struct Scratch {
  std::vector<float> near, heap;
  std::vector<std::pair<double, std::int32_t>> found;
};

void find(const Points& points, std::int64_t point, const float* near, Scratch& scratch, Neighbours& out) {
  const double slack = points.slack(point);
  const double limit = smallest_at(near, points.size(), point, out.count, scratch.heap) + 2 * slack;
  scratch.found.clear();
  for (std::int64_t j = 0; j < points.size(); ++j) {
    if (j == point || near[j] > limit) continue;
    scratch.found.emplace_back(points.squared_distance(point, j), static_cast<std::int32_t>(j));
  }
  const auto cut = scratch.found.begin() + out.count;
  std::partial_sort(scratch.found.begin(), cut, scratch.found.end());
  for (std::int64_t n = 0; n < out.count; ++n) {
    const auto at = static_cast<std::size_t>(point * out.count + n);
    out.distances[at] = std::sqrt(scratch.found[static_cast<std::size_t>(n)].first);
    out.indices[at] = scratch.found[static_cast<std::size_t>(n)].second;
  }
}

}  // namespace

Neighbours nearest_neighbours(const Points& points, std::int64_t count, ThreadPool& pool, const Report& report) {
  require(count >= 1, "neighbours: the count must be 1 or more");
  Neighbours result;
  const std::int64_t size = points.size();
  result.count = std::min(count, size - 1);
  if (result.count < 1) return {};
  result.indices.resize(static_cast<std::size_t>(size * result.count));
  result.distances.resize(result.indices.size());
  std::vector<Scratch> scratch(static_cast<std::size_t>(pool.num_threads()));
  const std::int64_t blocks = (size + Points::kMaxQueries - 1) / Points::kMaxQueries;
  // In groups, so that the caller's thread can report between them.
  constexpr std::int64_t kBlocksPerGroup = 32;
  for (std::int64_t group = 0; group < blocks; group += kBlocksPerGroup) {
    pool.run(std::min(kBlocksPerGroup, blocks - group), [&](std::int64_t task, int worker) {
      Scratch& mine = scratch[static_cast<std::size_t>(worker)];
      const std::int64_t first = (group + task) * Points::kMaxQueries;
      const std::int64_t rows = std::min(Points::kMaxQueries, size - first);
      points.near_distances(first, rows, mine.near);
      for (std::int64_t r = 0; r < rows; ++r) {
        find(points, first + r, mine.near.data() + r * points.stride(), mine, result);
      }
    });
    if (report) report("neighbours", std::min(size, (group + kBlocksPerGroup) * Points::kMaxQueries), size);
  }
  return result;
}

}  // namespace onggi::cluster
