#include "onggi/cluster/kmeans.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "onggi/cluster/silhouette.h"
#include "onggi/core/error.h"
#include "onggi/core/random.h"

namespace onggi::cluster {
namespace {

constexpr std::int64_t kRowsPerTask = 192;
constexpr std::uint64_t kSeedStream = 0x6B2B2B;  // "k++"

std::int64_t num_tasks(const Points& points) { return (points.size() + kRowsPerTask - 1) / kRowsPerTask; }

double length_of(std::span<const double> v) {
  double sum = 0;
  for (const double x : v) sum += x * x;
  return std::sqrt(sum);
}

std::span<const double> centroid(std::span<const double> centroids, std::int64_t c, std::int64_t dimensions) {
  return centroids.subspan(static_cast<std::size_t>(c * dimensions), static_cast<std::size_t>(dimensions));
}

/// The nearest of k centroids for every point: by f32 kernels, and in double where those can't tell.
std::vector<std::int32_t> assign(const Points& points, std::span<const double> centroids, ThreadPool& pool) {
  const std::int64_t dimensions = points.dimensions();
  const auto count = static_cast<std::int64_t>(centroids.size()) / dimensions;
  const std::vector<float> rounded(centroids.begin(), centroids.end());
  const Panels panels(rounded, count, dimensions);
  std::vector<float> squares;
  double longest = 0;
  for (std::int64_t c = 0; c < count; ++c) {
    const double length = length_of(centroid(centroids, c, dimensions));
    squares.push_back(static_cast<float>(length * length));
    longest = std::max(longest, length);
  }
  const std::int64_t stride = panels.num_panels() * Panels::kWidth;
  std::vector<std::int32_t> labels(static_cast<std::size_t>(points.size()));
  pool.run(num_tasks(points), [&](std::int64_t task, int) {
    const std::int64_t first = task * kRowsPerTask, rows = std::min(kRowsPerTask, points.size() - first);
    std::vector<float> dots(static_cast<std::size_t>(rows * stride));
    panels.dots(points.row(first).data(), rows, 0, panels.num_panels(), dots.data(), stride);
    for (std::int64_t r = 0; r < rows; ++r) {
      float* near = dots.data() + r * stride;
      float least = std::numeric_limits<float>::infinity();
      for (std::int64_t c = 0; c < count; ++c) {
        near[c] = squares[static_cast<std::size_t>(c)] - 2 * near[c];
        least = std::min(least, near[c]);
      }
      // Rounding a centroid to f32 moves it by 2^-24 of its length: as much as one more step of each product.
      const double limit =
          static_cast<double>(least) + 4 * Points::slack_of(points.length(first + r), longest, dimensions + 2);
      std::int32_t best = -1;
      double best_distance = 0;
      std::int64_t num_near = 0, only = 0;
      for (std::int64_t c = 0; c < count; ++c) {
        if (near[c] <= limit) ++num_near, only = c;
      }
      for (std::int64_t c = 0; num_near > 1 && c < count; ++c) {
        if (near[c] > limit) continue;
        const double distance = squared_distance(points.row(first + r), centroid(centroids, c, dimensions));
        if (best < 0 || distance < best_distance) best = static_cast<std::int32_t>(c), best_distance = distance;
      }
      labels[static_cast<std::size_t>(first + r)] = num_near == 1 ? static_cast<std::int32_t>(only) : best;
    }
  });
  return labels;
}

/// Squared distances to the centroid of each point's label.
std::vector<double> own_distances(const Points& points, std::span<const double> centroids,
                                  std::span<const std::int32_t> labels, ThreadPool& pool) {
  std::vector<double> distances(static_cast<std::size_t>(points.size()));
  pool.run(num_tasks(points), [&](std::int64_t task, int) {
    for (std::int64_t i = task * kRowsPerTask; i < std::min(points.size(), (task + 1) * kRowsPerTask); ++i) {
      const auto at = static_cast<std::size_t>(i);
      distances[at] = squared_distance(points.row(i), centroid(centroids, labels[at], points.dimensions()));
    }
  });
  return distances;
}

/// Gives each empty cluster the point that is farthest from its centroid; false if there was none to give.
bool fill_empty(const Points& points, std::span<const double> centroids, std::vector<std::int32_t>& labels,
                std::int64_t count, ThreadPool& pool) {
  std::vector<std::int64_t> sizes(static_cast<std::size_t>(count), 0);
  for (const auto label : labels) ++sizes[static_cast<std::size_t>(label)];
  if (std::ranges::find(sizes, 0) == sizes.end()) return false;
  auto distances = own_distances(points, centroids, labels, pool);
  bool gave = false;
  for (std::int64_t c = 0; c < count; ++c) {
    if (sizes[static_cast<std::size_t>(c)] > 0) continue;
    const auto farthest = static_cast<std::size_t>(std::ranges::max_element(distances) - distances.begin());
    if (distances[farthest] <= 0) return gave;  // Fewer distinct points than clusters.
    --sizes[static_cast<std::size_t>(labels[farthest])];
    labels[farthest] = static_cast<std::int32_t>(c);
    ++sizes[static_cast<std::size_t>(c)];
    distances[farthest] = 0;
    gave = true;
  }
  return gave;
}

/// k-means++: each next centre is drawn by squared distance to those there are, from a few candidates the best.
std::vector<float> first_centroids(const Points& points, int count, std::uint64_t seed, std::uint64_t restart,
                                   ThreadPool& pool) {
  const std::int64_t dimensions = points.dimensions(), size = points.size();
  const int candidates = std::min(Panels::kWidth, std::int64_t{2} + static_cast<std::int64_t>(std::log(count)));
  std::uint64_t draw = restart << 32U;
  const auto add = [&](std::vector<float>& out, std::int64_t point) {
    const auto row = points.row(point);
    out.insert(out.end(), row.begin(), row.end());
  };
  std::vector<float> chosen;
  add(chosen, static_cast<std::int64_t>(uniform_int(seed, kSeedStream, draw++, static_cast<std::uint64_t>(size))));
  std::vector<float> near;  // Of each point to each candidate, f32: this only steers a draw.
  const auto measure = [&](const std::vector<float>& centres) {
    const auto num = static_cast<std::int64_t>(centres.size()) / dimensions;
    const Panels panels(centres, num, dimensions);
    near.resize(static_cast<std::size_t>(size * Panels::kWidth));
    pool.run(num_tasks(points), [&](std::int64_t task, int) {
      const std::int64_t first = task * kRowsPerTask, rows = std::min(kRowsPerTask, size - first);
      panels.dots(points.row(first).data(), rows, 0, 1, near.data() + first * Panels::kWidth, Panels::kWidth);
    });
    for (std::int64_t c = 0; c < num; ++c) {
      float square = 0;
      for (std::int64_t d = 0; d < dimensions; ++d) {
        square += centres[static_cast<std::size_t>(c * dimensions + d)] *
                  centres[static_cast<std::size_t>(c * dimensions + d)];
      }
      for (std::int64_t i = 0; i < size; ++i) {
        float& value = near[static_cast<std::size_t>(i * Panels::kWidth + c)];
        const auto own = static_cast<float>(points.length(i) * points.length(i));
        value = std::max(0.0F, own + square - 2 * value);
      }
    }
  };
  measure(chosen);
  std::vector<double> distances(static_cast<std::size_t>(size));
  for (std::int64_t i = 0; i < size; ++i)
    distances[static_cast<std::size_t>(i)] = static_cast<double>(near[static_cast<std::size_t>(i * Panels::kWidth)]);
  for (int c = 1; c < count; ++c) {
    std::vector<double> up_to(distances.size());
    double sum = 0;
    for (std::size_t i = 0; i < distances.size(); ++i) up_to[i] = sum += distances[i];
    std::vector<float> tried;
    std::vector<std::int64_t> tried_points;
    for (int t = 0; t < candidates; ++t) {
      const double at = static_cast<double>(uniform_float(seed, kSeedStream, draw++)) * sum;
      const auto found = std::ranges::upper_bound(up_to, at) - up_to.begin();
      tried_points.push_back(std::min<std::int64_t>(found, size - 1));
      add(tried, tried_points.back());
    }
    measure(tried);
    std::vector<double> sums(static_cast<std::size_t>(candidates), 0.0);
    for (std::size_t i = 0; i < distances.size(); ++i) {
      for (std::size_t t = 0; t < sums.size(); ++t) {
        sums[t] += std::min(distances[i], static_cast<double>(near[i * Panels::kWidth + t]));
      }
    }
    const auto best = static_cast<std::size_t>(std::ranges::min_element(sums) - sums.begin());
    add(chosen, tried_points[best]);
    for (std::size_t i = 0; i < distances.size(); ++i) {
      distances[i] = std::min(distances[i], static_cast<double>(near[i * Panels::kWidth + best]));
    }
  }
  return chosen;
}

double mean_variance(const Points& points) {
  const auto dimensions = static_cast<std::size_t>(points.dimensions());
  std::vector<double> sums(dimensions, 0.0), squares(dimensions, 0.0);
  for (std::int64_t i = 0; i < points.size(); ++i) {
    const auto row = points.row(i);
    for (std::size_t d = 0; d < dimensions; ++d) {
      sums[d] += static_cast<double>(row[d]);
      squares[d] += static_cast<double>(row[d]) * static_cast<double>(row[d]);
    }
  }
  const auto n = static_cast<double>(points.size());
  double variance = 0;
  for (std::size_t d = 0; d < dimensions; ++d) variance += std::max(0.0, squares[d] / n - sums[d] / n * (sums[d] / n));
  return variance / static_cast<double>(dimensions);
}

KMeans lloyd(const Points& points, std::vector<double> centroids, const KMeansOptions& options, double tolerance,
             ThreadPool& pool) {
  KMeans result;
  const auto count = static_cast<std::int64_t>(centroids.size()) / points.dimensions();
  for (result.num_iterations = 1; result.num_iterations <= options.max_iterations; ++result.num_iterations) {
    auto labels = assign(points, centroids, pool);
    const bool moved = fill_empty(points, centroids, labels, count, pool);
    if (!moved && labels == result.labels) break;
    auto next = centroids_of(points, labels, static_cast<std::int32_t>(count), pool);
    double shift = 0;
    for (std::size_t i = 0; i < next.size(); ++i) shift += (next[i] - centroids[i]) * (next[i] - centroids[i]);
    result.labels = std::move(labels);
    centroids = std::move(next);
    if (shift <= tolerance) break;
  }
  result.num_iterations = std::min(result.num_iterations, options.max_iterations);
  result.labels = assign(points, centroids, pool);
  result.centroids = std::move(centroids);
  for (const double d : own_distances(points, result.centroids, result.labels, pool)) result.inertia += d;
  return result;
}

std::vector<double> widened(const std::vector<float>& values) { return {values.begin(), values.end()}; }

}  // namespace

std::vector<double> centroids_of(const Points& points, std::span<const std::int32_t> labels, std::int32_t num_clusters,
                                 ThreadPool& pool) {
  const std::int64_t dimensions = points.dimensions();
  std::vector<double> sums(static_cast<std::size_t>(num_clusters) * static_cast<std::size_t>(dimensions), 0.0);
  std::vector<double> sizes(static_cast<std::size_t>(num_clusters), 0.0);
  for (const auto label : labels) {
    if (label >= 0) sizes[static_cast<std::size_t>(label)] += 1;
  }
  // Split by dimensions, so that each sum runs over the points in their order.
  constexpr std::int64_t kPerTask = 32;
  pool.run((dimensions + kPerTask - 1) / kPerTask, [&](std::int64_t task, int) {
    const std::int64_t first = task * kPerTask, last = std::min(dimensions, first + kPerTask);
    for (std::int64_t i = 0; i < points.size(); ++i) {
      const auto label = labels[static_cast<std::size_t>(i)];
      if (label < 0) continue;
      const auto row = points.row(i);
      double* out = sums.data() + label * dimensions;
      for (std::int64_t d = first; d < last; ++d) out[d] += static_cast<double>(row[static_cast<std::size_t>(d)]);
    }
  });
  for (std::size_t i = 0; i < sums.size(); ++i) {
    const double size = sizes[i / static_cast<std::size_t>(dimensions)];
    if (size > 0) sums[i] /= size;
  }
  return sums;
}

KMeans kmeans(const Points& points, const KMeansOptions& options, ThreadPool& pool, const Report& report) {
  require(options.num_clusters >= 1 && options.num_restarts >= 1 && options.max_iterations >= 1,
          "k-means: clusters, restarts and iterations must be 1 or more");
  require(points.size() >= options.num_clusters, [&] {
    return "k-means: " + std::to_string(options.num_clusters) + " clusters of " + std::to_string(points.size()) +
           " points";
  });
  const double tolerance = options.tolerance * mean_variance(points);
  if (!options.first_centroids.empty()) {
    require(static_cast<std::int64_t>(options.first_centroids.size()) == options.num_clusters * points.dimensions(),
            "k-means: first_centroids must hold num_clusters vectors");
    return lloyd(points, widened(options.first_centroids), options, tolerance, pool);
  }
  if (points.size() > options.restart_rows) {
    KMeansOptions sampled = options;
    const Points part(
        take_rows(points.vectors(),
                  sample_rows(points.size(), std::max<std::int64_t>(options.restart_rows, options.num_clusters))));
    sampled.restart_rows = part.size();
    return lloyd(points, kmeans(part, sampled, pool, report).centroids, options, tolerance, pool);
  }
  KMeans best;
  for (int restart = 0; restart < options.num_restarts; ++restart) {
    const auto first =
        first_centroids(points, options.num_clusters, options.seed, static_cast<std::uint64_t>(restart), pool);
    auto found = lloyd(points, widened(first), options, tolerance, pool);
    if (restart == 0 || found.inertia < best.inertia) best = std::move(found);
    if (report) report("k-means", restart + 1, options.num_restarts);
  }
  return best;
}

std::vector<ClusterCount> try_cluster_counts(const Points& points, int most, std::int64_t sample,
                                             const KMeansOptions& options, ThreadPool& pool, const Report& report) {
  std::vector<ClusterCount> counts;
  if (points.size() < 3) return counts;
  const Points part(take_rows(points.vectors(), sample_rows(points.size(), sample)));
  const int limit = static_cast<int>(std::min<std::int64_t>(most, part.size() - 1));
  constexpr int kAllUpTo = 16;
  for (int k = 2; k <= limit; k += k < kAllUpTo ? 1 : k / 8) counts.push_back({k, 0});
  const DistanceTable distances(part, pool);
  for (std::size_t i = 0; i < counts.size(); ++i) {
    KMeansOptions tried = options;
    tried.num_clusters = counts[i].num_clusters;
    tried.first_centroids.clear();
    counts[i].silhouette = mean_silhouette(distances, kmeans(part, tried, pool).labels);
    if (report)
      report("number of clusters", static_cast<std::int64_t>(i) + 1, static_cast<std::int64_t>(counts.size()));
  }
  return counts;
}

std::vector<double> centroid_distances(const Points& points, std::span<const double> centroids,
                                       std::span<const std::int32_t> labels, ThreadPool& pool) {
  std::vector<std::int32_t> own(labels.begin(), labels.end());
  if (std::ranges::any_of(own, [](auto label) { return label < 0; })) {
    const auto nearest = assign(points, centroids, pool);
    for (std::size_t i = 0; i < own.size(); ++i) {
      if (own[i] < 0) own[i] = nearest[i];
    }
  }
  auto distances = own_distances(points, centroids, own, pool);
  for (auto& distance : distances) distance = std::sqrt(distance);
  return distances;
}

}  // namespace onggi::cluster
