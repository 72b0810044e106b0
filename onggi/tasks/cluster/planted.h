#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "onggi/core/json.h"
#include "onggi/core/thread_pool.h"
#include "onggi/datasets/rows.h"

namespace onggi::tasks {

struct PlantOptions {
  std::vector<std::string> rows;
  std::vector<std::string> other;
  std::string other_text = "text";
  std::string output;
  int each = 120;
  std::int64_t seed = 0;

  template <class V>
  void visit(V&& field) {
    field("rows", rows, "Labelled rows with product, category and themes (repeatable).");
    field("other", other,
          "Rows of another domain, whose short texts are planted (repeatable); none = this kind is left out.");
    field("other_text", other_text, "Column of their text.");
    field("output", output, "JSONL file to write: id, entity, expression, text, aspect, category, planted.");
    field("each", each, "Planted expressions of each kind, at most.");
    field("seed", seed, "Which ones.");
  }
};

struct PlantSummary {
  std::int64_t num_real = 0, num_wrong_type = 0, num_broken = 0, num_other = 0;
};

/// Writes the distinct (entity, expression) pairs of labelled rows, and planted ones that a model could have written
/// wrongly:
/// - wrong type: an expression of an aspect that the entity's category never has ("running shoes", "moist until
/// morning");
/// - broken grammar: an expression with words in disorder, syllables swapped, endings cut or parts repeated;
/// - other domain: a short text of the other rows, cut to the length of an expression.
/// "planted" has the kind, null for the real ones. The same options give the same bytes.
PlantSummary plant_outliers(const PlantOptions& options, const datasets::RowsOptions& row_options);

struct DetectorStudyOptions {
  std::vector<std::string> rows;
  std::string text = "text";
  std::string vectors;
  std::string planted = "planted";
  std::string truth = "aspect";
  std::string output;
  std::vector<std::string> shares = {"0.02", "0.05", "0.1"};
  int draws = 10;
  int resamples = 100;
  int remove_components = 1;
  int neighbours = 20;
  int min_cluster_size = 10;
  int min_samples = 5;
  int max_k = 40;
  std::int64_t seed = 0;

  template <class V>
  void visit(V&& field) {
    field("rows", rows, "Rows of `onggi cluster plant`.");
    field("text", text, "Column with the text, for character n-grams.");
    field("vectors", vectors, "What `onggi embed` wrote for these rows; none = character n-grams.");
    field("planted", planted, "Column with the kind of what is planted; null or empty for the real ones.");
    field("truth", truth, "Column with the known theme of the real ones, for NMI and ARI; empty = none.");
    field("output", output, "Also write the table here (JSON).");
    field("share", shares, "Share of planted ones (repeatable).");
    field("draws", draws, "Times that the planted ones are drawn, and everything computed anew.");
    field("resamples", resamples, "Bootstrap resamples of each draw, for the intervals.");
    field("remove_components", remove_components, "Principal components taken out of the vectors.");
    field("neighbours", neighbours, "lof and knn: neighbours.");
    field("min_cluster_size", min_cluster_size, "hdbscan and glosh: the fewest of a cluster.");
    field("min_samples", min_samples, "hdbscan and glosh: neighbours that a dense place has.");
    field("max_k", max_k, "robust-z: the most clusters that k-means tries.");
    field("seed", seed, "Of draws, k-means and resamples.");
  }
};

struct DetectorStudy {
  Json table;        ///< What --output holds.
  std::string text;  ///< For a terminal.
};

/// AUROC, average precision and precision at the usual cut of every detector at every share of planted outliers, with
/// 95 % intervals over draws and bootstrap resamples; AUROC by kind; NMI and ARI of the clusters of the real ones.
/// Throws kInvalidArgument where there are too few planted or real rows for a share.
DetectorStudy study_detectors(const DetectorStudyOptions& options, const datasets::RowsOptions& row_options,
                              ThreadPool& pool, bool is_terminal, const std::function<void(std::string_view)>& write);

}  // namespace onggi::tasks
