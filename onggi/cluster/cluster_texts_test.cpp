#include "onggi/cluster/cluster_texts.h"

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include "onggi/cluster/ngram_vectors.h"
#include "onggi/cluster/test_support.h"
#include "onggi/core/error.h"

namespace onggi::cluster {
namespace {

std::vector<std::string> numbered(std::size_t count) {
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < count; ++i) texts.push_back("text " + std::to_string(i * 7919 % 10007));
  return texts;
}

TEST(ClusterTexts, DuplicatesHaveWhatTheirTextHas) {
  auto [vectors, truth] = scattered(200, 24, 4, 0.3F, 8);
  auto texts = numbered(200);
  texts[50] = texts[3];
  texts[51] = texts[3] + " ";
  ThreadPool pool(2);
  const auto found = cluster_texts(texts, vectors, {.remove_components = 0}, pool);
  EXPECT_EQ(found.num_clusters, 4);
  EXPECT_EQ(found.duplicates.canonical[51], 3);
  EXPECT_EQ(found.labels[50], found.labels[3]);
  EXPECT_EQ(found.scores[51].lof, found.scores[3].lof);
  EXPECT_GT(found.silhouette, 0.5);
  std::int64_t texts_in_themes = 0;
  for (const auto& theme : found.themes) {
    texts_in_themes += theme.num_texts;
    for (const auto member : theme.best) EXPECT_EQ(found.labels[static_cast<std::size_t>(member)], theme.cluster);
  }
  std::int64_t clustered = 0;
  for (const auto label : found.labels) clustered += label >= 0 ? 1 : 0;
  EXPECT_EQ(texts_in_themes, clustered);
}

TEST(ClusterTexts, OutliersAreMarkedAndNeverAName) {
  auto [vectors, truth] = scattered(120, 10, 3, 0.3F, 8);
  for (auto& value : vectors.row(7)) value = -value - 2;
  ThreadPool pool(1);
  for (const char* detector : {"lof", "robust-z", "glosh"}) {
    ClusterOptions options{.method = "kmeans", .k = 3, .remove_components = 0, .outliers = detector};
    if (options.outliers == "glosh") options.cut = 0.4;
    const auto found = cluster_texts(numbered(120), vectors, options, pool);
    EXPECT_TRUE(found.is_outlier[7]) << detector;
    EXPECT_EQ(std::isnan(found.scores[7].glosh), options.outliers != "glosh");
    for (const auto& theme : found.themes) EXPECT_NE(theme.medoid, 7);
  }
}

TEST(ClusterTexts, AShareMarksTheHighestScores) {
  const auto [vectors, truth] = scattered(200, 24, 4, 0.3F, 8);
  ThreadPool pool(1);
  const auto found = cluster_texts(numbered(200), vectors, {.outlier_share = 0.05}, pool);
  double least_marked = 1e9, highest_other = 0;
  int marked = 0;
  for (std::size_t i = 0; i < 200; ++i) {
    marked += found.is_outlier[i] ? 1 : 0;
    if (found.is_outlier[i]) least_marked = std::min(least_marked, found.scores[i].lof);
    if (!found.is_outlier[i]) highest_other = std::max(highest_other, found.scores[i].lof);
  }
  EXPECT_EQ(marked, 10);
  EXPECT_GE(least_marked, highest_other);
}

TEST(ClusterTexts, PlacesHoldTheMedoids) {
  const auto [vectors, truth] = scattered(300, 16, 5, 0.3F, 8);
  ThreadPool pool(1);
  const auto found = cluster_texts(numbered(300), vectors, {.remove_components = 0}, pool);
  const auto map = map_places(found, "pca", 40, pool);
  EXPECT_GE(map.shown.size(), 40U);
  EXPECT_LE(map.shown.size(), 45U);
  for (const auto& theme : found.themes) {
    bool is_there = false;
    for (const auto place : map.shown)
      is_there = is_there || found.duplicates.kept[static_cast<std::size_t>(place)] == theme.medoid;
    EXPECT_TRUE(is_there);
  }
  EXPECT_THROW(map_places(found, "umap", 40, pool), Error);
}

TEST(ClusterTexts, NeedAVectorEach) {
  ThreadPool pool(1);
  EXPECT_THROW(cluster_texts(numbered(3), Vectors{.num_rows = 2, .dimensions = 1, .values = {1, 2}}, {}, pool), Error);
  EXPECT_THROW(cluster_texts({}, {}, {.method = "means"}, pool), Error);
  EXPECT_TRUE(cluster_texts({}, {}, {}, pool).labels.empty());
}

TEST(NgramVectors, AreNearForTextsThatShareRareGrams) {
  ThreadPool pool(2);
  const std::vector<std::string> texts = {"아침까지 촉촉한", "아침 까지촉촉한", "저녁까지 촉촉한", "배송이 빠른", ""};
  const auto v = ngram_vectors(texts, {}, pool);
  EXPECT_EQ(squared_distance(v.row(0), v.row(1)), 0);
  EXPECT_LT(squared_distance(v.row(0), v.row(2)), 1.2);
  EXPECT_GT(squared_distance(v.row(0), v.row(3)), 1.6);
  for (const float value : v.row(4)) EXPECT_EQ(value, 0);
  EXPECT_THROW(ngram_vectors(texts, {.dimensions = 0}, pool), Error);
}

}  // namespace
}  // namespace onggi::cluster
