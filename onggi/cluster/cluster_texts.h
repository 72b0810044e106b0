#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "onggi/cluster/duplicates.h"
#include "onggi/cluster/kmeans.h"
#include "onggi/cluster/projection.h"
#include "onggi/cluster/themes.h"

namespace onggi::cluster {

/// Choices by name are checked by `cluster_texts`.
struct ClusterOptions {
  std::string method = "hdbscan";
  int min_cluster_size = 10;
  int min_samples = 5;
  int k = 0;
  int max_k = 30;
  int restarts = 10;
  std::int64_t seed = 0;
  bool centre = true;
  int remove_components = 1;
  std::string duplicates = "expressions";
  double duplicate_similarity = 0;
  std::string outliers = "lof";
  double cut = 0;
  double outlier_share = 0;
  int neighbours = 20;
  int num_best = 5;
  double diversity = 0.5;

  template <class V>
  void visit(V&& field) {
    field("method", method, "hdbscan: dense regions, the rest is noise; kmeans: every text in a cluster.");
    field("min_cluster_size", min_cluster_size, "hdbscan: the fewest texts of a cluster.");
    field("min_samples", min_samples, "hdbscan: neighbours that a dense place has.");
    field("k", k, "kmeans: how many clusters; 0 = by the best silhouette on a sample.");
    field("max_k", max_k, "kmeans: the most that --k 0 tries.");
    field("restarts", restarts, "kmeans: beginnings, of which the best counts.");
    field("seed", seed, "Of the random numbers of kmeans and MinHash.");
    field("centre", centre, "Subtract the mean of all vectors first; --no-centre leaves it.");
    field("remove_components", remove_components,
          "Then take out this many principal components: states of decoders share directions.");
    field("duplicates", duplicates,
          "Near-duplicates: expressions (3-grams, none missed), reviews (5-grams, MinHash) or keep.");
    field("duplicate_similarity", duplicate_similarity,
          "Jaccard similarity of near-duplicates; 0 = 0.9 for expressions, 0.8 for reviews.");
    field("outliers", outliers, "What marks an outlier: lof, robust-z, glosh or none.");
    field("cut", cut, "Score above which a text is one; 0 = 1.5 for lof, 3.5 for robust-z, 0.9 for glosh.");
    field("outlier_share", outlier_share,
          "In place of a cut: mark this share of the distinct texts, those with the highest scores.");
    field("neighbours", neighbours, "lof: neighbours.");
    field("best", num_best, "Expressions shown for a theme.");
    field("diversity", diversity, "0: the best are those nearest to the medoid; towards 1: those unlike each other.");
  }
};

/// Scores of one text. NaN where a score was not computed.
struct TextScores {
  double probability = 0;  ///< HDBSCAN: how firmly it belongs to its cluster. 1 for k-means.
  double robust_z = 0;     ///< Of its distance to its cluster's centroid (noise: to the nearest).
  double lof = 0;
  double glosh = 0;
};

/// Everything by text: a duplicate has what the text that stands for it has.
struct TextClusters {
  Duplicates duplicates;
  std::int32_t num_clusters = 0;
  std::vector<std::int32_t> labels;  ///< -1 is noise.
  std::vector<TextScores> scores;
  std::vector<bool> is_outlier;  ///< By the chosen detector and cut.
  double cut = 0;
  std::vector<Theme> themes;        ///< Members are texts.
  std::vector<ClusterCount> tried;  ///< k-means by silhouette.
  double silhouette = 0;            ///< Mean over a sample of at most 2,000 texts in a cluster.
  Vectors prepared;                 ///< Of the texts that stand for themselves, by place in duplicates.kept.
};

/// Throws kInvalidArgument naming the flag for choices that do not exist or are out of their range.
void require_cluster_options(const ClusterOptions& options);

/// Leaves near-duplicates out, prepares the vectors, clusters, scores, names. `keys` are what duplicates are found by,
/// `vectors` has a row a text. HDBSCAN takes at most 50,000 texts that stand for themselves (minutes), k-means any
/// number. The same bits with any number of threads.
TextClusters cluster_texts(std::span<const std::string> keys, Vectors vectors, const ClusterOptions& options,
                           ThreadPool& pool, const Report& report = {});

/// Two-dimensional places of some of result.duplicates.kept (by place in it).
struct MapPlaces {
  std::vector<std::int32_t> shown;
  std::vector<Place> places;
};
/// `layout`: tsne or pca; at most `most` points, the themes' medoids always among them.
MapPlaces map_places(const TextClusters& clusters, std::string_view layout, std::int64_t most, ThreadPool& pool,
                     const Report& report = {});

}  // namespace onggi::cluster
