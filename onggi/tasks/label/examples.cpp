#include "onggi/tasks/label/examples.h"

#include <algorithm>
#include <utility>

#include "onggi/core/error.h"

namespace onggi::tasks {
namespace {

std::vector<std::string> texts_of(std::span<const datasets::Row> rows, const datasets::PromptTemplate& prompt) {
  std::vector<std::string> texts;
  for (const auto& row : rows) {
    std::string text;
    for (const auto& [name, value] : prompt.slot_values(row)) text += value + "\n";
    texts.push_back(std::move(text));
  }
  return texts;
}

}  // namespace

NearestExamples::NearestExamples(std::vector<datasets::Row> labelled, const datasets::PromptTemplate& prompt,
                                 ExampleOptions options)
    : labelled_(std::move(labelled)),
      prompt_(prompt),
      options_(std::move(options)),
      texts_(texts_of(labelled_, prompt)),
      nearest_(texts_) {
  for (const auto& row : labelled_) {
    groups_.push_back(group_of(row));
    (void)prompt.render_answer(row);  // What is missing is said before anything is asked.
  }
}

void NearestExamples::use_vectors(Vectors labelled, Vectors rows, std::size_t num_rows) {
  require(labelled.rows() == labelled_.size(), [&] {
    return "--example-vectors has " + std::to_string(labelled.rows()) + " rows, --examples has " +
           std::to_string(labelled_.size());
  });
  require(rows.rows() == num_rows, [&] {
    return "--vectors has " + std::to_string(rows.rows()) + " rows, --input has " + std::to_string(num_rows);
  });
  require(rows.columns == labelled.columns, [&] {
    return "--vectors has " + std::to_string(rows.columns) + " columns, --example-vectors " +
           std::to_string(labelled.columns) + ": make both with the same model";
  });
  labelled_vectors_ = std::move(labelled);
  row_vectors_ = std::move(rows);
}

std::string NearestExamples::group_of(const datasets::Row& row) const {
  return options_.group.empty() ? std::string() : datasets::text_of(row, options_.group);
}

std::vector<const datasets::Row*> NearestExamples::examples_for(const datasets::Row& row, std::size_t index) const {
  const std::string text = texts_of(std::span(&row, 1), prompt_).front(), group = group_of(row);
  const auto similarities =
      labelled_vectors_ ? cosines(*labelled_vectors_, row_vectors_->row(index)) : nearest_.similarities(text);
  const auto may_use = [&](std::size_t i) {
    return labelled_[i].id != row.id && texts_[i] != text && (options_.group.empty() || groups_[i] != group);
  };
  std::vector<const datasets::Row*> examples;
  for (const auto& hit : NearestTexts::best(similarities, static_cast<std::size_t>(options_.nearest), may_use))
    examples.push_back(&labelled_[hit.index]);
  std::ranges::reverse(examples);
  return examples;
}

}  // namespace onggi::tasks
