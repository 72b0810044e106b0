#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "onggi/datasets/prompt_template.h"
#include "onggi/datasets/rows.h"
#include "onggi/tasks/label/nearest.h"
#include "onggi/tasks/label/vectors.h"

namespace onggi::tasks {

struct ExampleOptions {
  int nearest = 8;
  std::string group;  ///< Column: a row's group gives it no example; empty: ids alone count.
};

/// Labelled rows out of which each row gets the nearest as examples, the nearest last, where it stands beside the row
/// itself. Never one with the row's id, its group or its text. Immutable.
class NearestExamples {
 public:
  /// By the texts of the prompt's slots; with vectors (one a labelled row, one a row to label) by those. Throws
  /// kInvalidArgument where counts differ or a column is missing.
  NearestExamples(std::vector<datasets::Row> labelled, const datasets::PromptTemplate& prompt, ExampleOptions options);
  void use_vectors(Vectors labelled, Vectors rows, std::size_t num_rows);

  std::vector<const datasets::Row*> examples_for(const datasets::Row& row, std::size_t index) const;

 private:
  std::string group_of(const datasets::Row& row) const;

  std::vector<datasets::Row> labelled_;
  const datasets::PromptTemplate& prompt_;
  ExampleOptions options_;
  std::vector<std::string> texts_, groups_;
  NearestTexts nearest_;
  std::optional<Vectors> labelled_vectors_, row_vectors_;
};

}  // namespace onggi::tasks
