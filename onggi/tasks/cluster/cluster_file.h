#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "onggi/cluster/cluster_texts.h"
#include "onggi/datasets/rows.h"

namespace onggi::tasks {

struct ClusterFiles {
  std::vector<std::string> rows;
  std::string text;
  std::string key;
  std::string vectors;
  std::string output;
  std::string clusters;
  std::string map;
  std::string layout = "tsne";
  int map_points = 4000;
  std::string truth;

  template <class V>
  void visit(V&& field) {
    field("rows", rows, "Rows: a JSONL or CSV file, or a folder of them (repeat the flag for more).");
    field("text", text, "Column with the text: an expression, or a review.");
    field("vectors", vectors,
          "What `onggi embed` wrote for these rows (.npy or .jsonl); none = character n-grams, no model.");
    field("key", key, "Column that near-duplicates are found by; none = the text.");
    field("output", output, "File to write: a JSON line a row, with its cluster and scores.");
    field("clusters", clusters, "Also write the themes here: names, sizes, best expressions (JSON).");
    field("map", map, "Also draw the clusters here (SVG).");
    field("layout", layout, "Of the map: tsne, neighbours stay together; pca, the two widest directions.");
    field("map_points", map_points, "Points of the map, at most; a sample of the rest.");
    field("truth", truth, "Column with the known theme: also says how far the clusters agree with it.");
  }
};

struct ClusterSummary {
  std::string text;  ///< For people: counts, the largest themes, agreement with the truth.
};

/// Throws kInvalidArgument naming what is missing or does not go together.
void require_cluster_files(const ClusterFiles& files);

/// Clusters the rows of files and writes what `files` names (docs/formats/clusters.md), each file whole or not at all.
/// The same bytes with any number of threads. Progress goes to `write`.
ClusterSummary cluster_file(const ClusterFiles& files, const datasets::RowsOptions& row_options,
                            const cluster::ClusterOptions& options, ThreadPool& pool, bool is_terminal,
                            const std::function<void(std::string_view)>& write);

}  // namespace onggi::tasks
