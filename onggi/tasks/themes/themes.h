#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "onggi/cluster/cluster_texts.h"
#include "onggi/core/thread_pool.h"
#include "onggi/tasks/themes/reviews.h"
#include "onggi/tasks/themes/stage_book.h"
#include "onggi/tasks/themes/theme_cards.h"

namespace onggi::tasks {

struct ThemeFlowFiles {
  std::string folder = "onggi-themes";
  std::vector<std::string> labelled;
  std::string verifier, decisions;

  template <class V>
  void visit(V&& field) {
    field("folder", folder, "Folder for all that is written; a flow that was stopped goes on there.");
    field("labelled", labelled, "The labelled rows that the verifier was fitted with (repeatable).");
    field("verifier", verifier, "What `onggi verify fit` wrote; without one the rules alone decide what is shown.");
    field("decisions", decisions,
          "Rows that people have decided, as `onggi review` exports them: they have the last word.");
  }
};

/// Who answers the reviews: called with the folder's reviews.jsonl and the file to write, in the format of `generate`.
struct Answerer {
  Json key;  ///< All that the answers depend on beside the reviews.
  std::function<void(const std::string& reviews, const std::string& answers)> answer;
  std::vector<std::string> files;  ///< That it writes beside the answers, and goes on with after a kill.
};

struct ThemeFlow {
  const ThemeFlowFiles& files;
  const ReviewOptions& reviews;
  const cluster::ClusterOptions& clusters;
  const ThemeCardOptions& cards;
  std::vector<std::string> rows;
  datasets::RowsOptions row_options;
  Answerer answerer;
  ThreadPool& pool;
  std::function<void(std::string_view)> say;  ///< A line for people.
  cluster::Report report;
};

/// From raw reviews to theme cards: clean, answer, verify, cluster, choose. Each stage is durable before the next one
/// begins, so the same call goes on where one was stopped and ends with the same bytes. The folder belongs to one
/// process at a time. docs/how_to/themes.md has the files.
StageBook run_theme_flow(const ThemeFlow& flow);

}  // namespace onggi::tasks
