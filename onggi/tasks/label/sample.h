#pragma once

#include <string>
#include <vector>

#include "onggi/core/json.h"
#include "onggi/tasks/label/reply.h"

namespace onggi::tasks {

/// One answer of a teacher for a row, read.
struct LabelSample {
  Json columns;                ///< Object {column: value}; null where the answer can't be used.
  std::string text;            ///< As answered.
  std::string fault;           ///< Why it can't be used; empty if it can.
  bool is_repairable = false;  ///< Asking again with the fault may help.
  std::string key;             ///< Of the journal.
  /// Of each value inside a JSON answer, in its order: pointer (runtime::find_fields) and log-probability. Empty
  /// without log-probabilities.
  std::vector<std::pair<std::string, double>> fields;
  double log_probability = 0;  ///< Of the whole text; 0 without.
  bool has_log_probabilities = false;
};

/// How answers become columns.
struct LabelForm {
  std::string format;                 ///< The template's answer format: "text", "json" or "cards".
  std::string column;                 ///< Where a text, or JSON that is no object, goes.
  std::vector<std::string> required;  ///< Members that a JSON object must have.
  std::vector<std::string> names;     ///< Aspects that cards may have; empty: any.
};

/// Reads an answer. Cards become the column "themes". A JSON object becomes its members; other JSON and texts go to the
/// form's column. A fence of code marks around JSON is taken off. A column "themes" must be a list of cards that can be
/// written (docs/formats/dataset.md). What can't be used says why.
LabelSample read_sample(const ChatReply& reply, const LabelForm& form);

/// The label of a row and how sure it is.
struct RowLabel {
  Json columns;  ///< Null where no sample can be used.
  double confidence =
      0;  ///< Least over the columns: the share of the samples that say so; of themes the mean share of what was taken.
  double disagreement = 0;  ///< Mean over pairs of samples of 1 - F1 of their (entity, name), or of being different.
  Json details;             ///< Per column or theme: {"share", "log_probability"}.
  std::string fault;        ///< Of the first sample, where none can be used.
};

/// Joins samples: each column by the value that most samples have (the first of equals), "themes" by
/// tasks::consensus, a theme being taken that `least_share` of them name.
RowLabel join_samples(const std::vector<LabelSample>& samples, double least_share);

}  // namespace onggi::tasks
