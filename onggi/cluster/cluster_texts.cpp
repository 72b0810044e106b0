#include "onggi/cluster/cluster_texts.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <utility>

#include "onggi/cluster/hdbscan.h"
#include "onggi/cluster/outliers.h"
#include "onggi/cluster/prepare.h"
#include "onggi/cluster/silhouette.h"
#include "onggi/core/error.h"

namespace onggi::cluster {
namespace {

constexpr std::int64_t kMostForHdbscan = 50000;
constexpr std::int64_t kMostForUnaskedLof = 20000;
constexpr std::int64_t kSilhouetteSample = 2000;
constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

template <std::size_t kCount>
void require_one_of(std::string_view flag, std::string_view value, const std::array<std::string_view, kCount>& names) {
  if (std::ranges::find(names, value) != names.end()) return;
  std::string list;
  for (const auto name : names) list += (list.empty() ? "" : ", ") + std::string(name);
  throw Error(ErrorCode::kInvalidArgument,
              "--" + std::string(flag) + " is \"" + std::string(value) + "\", expected one of " + list);
}

void require_at_least(std::string_view flag, double value, double least) {
  require(value >= least, [&] {
    return "--" + std::string(flag) + " is " + std::to_string(value) + ", expected " +
           std::to_string(static_cast<int>(least)) + " or more";
  });
}

Duplicates leave_out(std::span<const std::string> keys, const ClusterOptions& options, ThreadPool& pool,
                     const Report& report) {
  if (options.duplicates == "keep") {
    Duplicates all;
    all.canonical.resize(keys.size());
    std::iota(all.canonical.begin(), all.canonical.end(), 0);
    all.kept = all.canonical;
    all.counts.assign(keys.size(), 1);
    return all;
  }
  auto found = options.duplicates == "expressions" ? expression_duplicates() : DuplicateOptions();
  if (options.duplicate_similarity > 0) found.threshold = options.duplicate_similarity;
  found.seed = static_cast<std::uint64_t>(options.seed);
  return find_duplicates(keys, found, pool, report);
}

/// Labels and scores of the points that stand for themselves.
struct Found {
  std::int32_t num_clusters = 0;
  std::vector<std::int32_t> labels;
  std::vector<TextScores> scores;
  std::vector<ClusterCount> tried;
};

void add_hdbscan(const Points& points, const ClusterOptions& options, ThreadPool& pool, const Report& report,
                 bool takes_labels, Found& found) {
  auto result =
      hdbscan(points, {.min_cluster_size = options.min_cluster_size, .min_samples = options.min_samples}, pool, report);
  for (std::size_t i = 0; i < found.scores.size(); ++i) {
    found.scores[i].glosh = result.outlier_scores[i];
    if (takes_labels) found.scores[i].probability = result.probabilities[i];
  }
  if (!takes_labels) return;
  found.num_clusters = result.num_clusters;
  found.labels = std::move(result.labels);
}

void add_kmeans(const Points& points, const ClusterOptions& options, ThreadPool& pool, const Report& report,
                Found& found) {
  KMeansOptions means{.num_restarts = options.restarts, .seed = static_cast<std::uint64_t>(options.seed)};
  means.num_clusters = static_cast<int>(std::min<std::int64_t>(options.k, points.size()));
  if (options.k == 0) {
    found.tried = try_cluster_counts(points, options.max_k, kSilhouetteSample, means, pool, report);
    const auto best = std::ranges::max_element(found.tried, {}, &ClusterCount::silhouette);
    means.num_clusters = best == found.tried.end() ? 1 : best->num_clusters;
  }
  auto result = kmeans(points, means, pool, report);
  found.num_clusters = means.num_clusters;
  found.labels = std::move(result.labels);
  for (auto& score : found.scores) score.probability = 1;
}

void add_scores(const Points& points, const ClusterOptions& options, ThreadPool& pool, const Report& report,
                Found& found) {
  if (found.num_clusters > 0) {
    const auto centroids = centroids_of(points, found.labels, found.num_clusters, pool);
    const auto distances = centroid_distances(points, centroids, found.labels, pool);
    const auto z = robust_z(distances, found.labels);
    for (std::size_t i = 0; i < z.size(); ++i) found.scores[i].robust_z = z[i];
  }
  if (points.size() > 1 && (options.outliers == "lof" || points.size() <= kMostForUnaskedLof)) {
    const auto factors = local_outlier_factors(nearest_neighbours(points, options.neighbours, pool, report));
    for (std::size_t i = 0; i < factors.size(); ++i) found.scores[i].lof = factors[i];
  }
}

double sampled_silhouette(const Points& points, std::span<const std::int32_t> labels, ThreadPool& pool) {
  std::vector<std::int32_t> in_cluster;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] >= 0) in_cluster.push_back(static_cast<std::int32_t>(i));
  }
  std::vector<std::int32_t> rows, own;
  for (const auto i : sample_rows(static_cast<std::int64_t>(in_cluster.size()), kSilhouetteSample)) {
    rows.push_back(in_cluster[static_cast<std::size_t>(i)]);
    own.push_back(labels[static_cast<std::size_t>(rows.back())]);
  }
  return mean_silhouette(DistanceTable(Points(take_rows(points.vectors(), rows)), pool), own);
}

double default_cut(std::string_view detector) { return detector == "lof" ? 1.5 : detector == "robust-z" ? 3.5 : 0.9; }

double chosen_score(const TextScores& scores, std::string_view detector) {
  return detector == "lof"        ? scores.lof
         : detector == "robust-z" ? scores.robust_z
         : detector == "glosh"    ? scores.glosh
                                  : kNone;
}

/// The score above which lies the wanted share of the texts, or fewer where scores are equal.
double cut_of_share(const std::vector<TextScores>& scores, std::string_view detector, double share) {
  std::vector<double> values;
  for (const auto& s : scores) {
    const double value = chosen_score(s, detector);
    values.push_back(std::isnan(value) ? -std::numeric_limits<double>::infinity() : value);
  }
  std::ranges::sort(values, std::greater());
  const auto count = static_cast<std::size_t>(share * static_cast<double>(values.size()));
  return values[std::min(count, values.size() - 1)];
}

}  // namespace

void require_cluster_options(const ClusterOptions& o) {
  require_one_of("method", o.method, std::array<std::string_view, 2>{"hdbscan", "kmeans"});
  require_one_of("duplicates", o.duplicates, std::array<std::string_view, 3>{"expressions", "reviews", "keep"});
  require_one_of("outliers", o.outliers, std::array<std::string_view, 4>{"lof", "robust-z", "glosh", "none"});
  require_at_least("min-cluster-size", o.min_cluster_size, 2);
  require_at_least("min-samples", o.min_samples, 1);
  require_at_least("k", o.k, 0);
  require_at_least("max-k", o.max_k, 2);
  require_at_least("restarts", o.restarts, 1);
  require_at_least("seed", static_cast<double>(o.seed), 0);
  require_at_least("remove-components", o.remove_components, 0);
  require_at_least("neighbours", o.neighbours, 1);
  require_at_least("best", o.num_best, 1);
  require(o.duplicate_similarity >= 0 && o.duplicate_similarity <= 1, "--duplicate-similarity must be 0 to 1");
  require(o.diversity >= 0 && o.diversity < 1, "--diversity must be at least 0 and below 1");
  require(o.outlier_share >= 0 && o.outlier_share < 1, "--outlier-share must be at least 0 and below 1");
  require(std::isfinite(o.cut), "--cut must be a number");
}

TextClusters cluster_texts(std::span<const std::string> keys, Vectors vectors, const ClusterOptions& options,
                           ThreadPool& pool, const Report& report) {
  require_cluster_options(options);
  require(static_cast<std::int64_t>(keys.size()) == vectors.num_rows, [&] {
    return std::to_string(keys.size()) + " texts and " + std::to_string(vectors.num_rows) +
           " vectors, expected a vector a text";
  });
  TextClusters result;
  result.cut = options.cut != 0 ? options.cut : default_cut(options.outliers);
  result.scores.assign(keys.size(), {});
  result.labels.assign(keys.size(), -1);
  result.is_outlier.assign(keys.size(), false);
  if (keys.empty()) return result;
  result.duplicates = leave_out(keys, options, pool, report);
  const auto& kept = result.duplicates.kept;
  require(options.method != "hdbscan" || static_cast<std::int64_t>(kept.size()) <= kMostForHdbscan, [&] {
    return "HDBSCAN takes at most " + std::to_string(kMostForHdbscan) + " texts, here are " +
           std::to_string(kept.size()) + " after near-duplicates; --method kmeans takes any number";
  });
  Points points(prepare(take_rows(vectors, kept),
                        {.centre = options.centre, .remove_components = options.remove_components}, pool));
  vectors = {};
  Found found;
  found.scores.assign(kept.size(), {.probability = 0, .robust_z = kNone, .lof = kNone, .glosh = kNone});
  const bool is_hdbscan = options.method == "hdbscan";
  if (!is_hdbscan) add_kmeans(points, options, pool, report, found);
  if (is_hdbscan || options.outliers == "glosh") add_hdbscan(points, options, pool, report, is_hdbscan, found);
  add_scores(points, options, pool, report, found);
  if (options.outlier_share > 0) result.cut = cut_of_share(found.scores, options.outliers, options.outlier_share);
  std::vector<std::int32_t> place_of(keys.size(), -1);
  std::vector<bool> may_show;
  for (std::size_t i = 0; i < kept.size(); ++i) {
    place_of[static_cast<std::size_t>(kept[i])] = static_cast<std::int32_t>(i);
    may_show.push_back(!(chosen_score(found.scores[i], options.outliers) > result.cut));
  }
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const auto place = static_cast<std::size_t>(place_of[static_cast<std::size_t>(result.duplicates.canonical[i])]);
    result.labels[i] = found.labels[place];
    result.scores[i] = found.scores[place];
    result.is_outlier[i] = !may_show[place];
  }
  result.num_clusters = found.num_clusters;
  result.tried = std::move(found.tried);
  result.silhouette = sampled_silhouette(points, found.labels, pool);
  result.themes = describe_clusters(points, found.labels, result.duplicates.counts, may_show,
                                    {.num_best = options.num_best, .diversity = options.diversity}, pool);
  for (auto& theme : result.themes) {
    theme.medoid = kept[static_cast<std::size_t>(theme.medoid)];
    theme.most_frequent = kept[static_cast<std::size_t>(theme.most_frequent)];
    for (auto& best : theme.best) best = kept[static_cast<std::size_t>(best)];
  }
  result.prepared = points.vectors();
  return result;
}

MapPlaces map_places(const TextClusters& clusters, std::string_view layout, std::int64_t most, ThreadPool& pool,
                     const Report& report) {
  require_one_of("layout", layout, std::array<std::string_view, 2>{"tsne", "pca"});
  MapPlaces result;
  result.shown = sample_rows(clusters.prepared.num_rows, most);
  const auto& kept = clusters.duplicates.kept;
  for (const auto& theme : clusters.themes) {
    result.shown.push_back(static_cast<std::int32_t>(std::ranges::lower_bound(kept, theme.medoid) - kept.begin()));
  }
  std::ranges::sort(result.shown);
  result.shown.erase(std::unique(result.shown.begin(), result.shown.end()), result.shown.end());
  if (result.shown.empty()) return result;
  auto taken = take_rows(clusters.prepared, result.shown);
  result.places = layout == "pca" ? project_pca(taken, pool) : project_tsne(Points(std::move(taken)), {}, pool, report);
  return result;
}

}  // namespace onggi::cluster
