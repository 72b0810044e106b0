#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "onggi/datasets/prompt_template.h"
#include "onggi/datasets/rows.h"

namespace onggi::datasets {

/// One training or inference item: the prompt's pieces, and the answer it is taught (empty for inference).
struct Example {
  std::string id;
  std::vector<Segment> prompt;
  std::string answer;
  std::string file;
  std::int64_t line = 0;
};

enum class Severity { kWarning, kError };

/// One thing wrong with a row.
struct Finding {
  Severity severity;
  std::string code;     ///< See `validate_rows`.
  std::string message;
  std::string column;   ///< Empty where it is about the whole row or its answer.
  std::string file;
  std::int64_t line;

  /// "error: message (file:line, column)".
  std::string text() const;
};

struct ValidateOptions {
  std::vector<std::string> special_tokens;  ///< Spellings to flag inside text; empty takes the well-known ones.
  std::vector<std::string> labels;          ///< Closed list of card names; empty does not check.
  std::int64_t max_findings = 1000;         ///< Stop collecting after this many.
};

/// Looks at every row as the template will use it. Codes, errors first: `missing_column`, `bad_answer` (answer does not
/// have the template's format), `no_supervised_text` (the answer is empty, so nothing is taught), `repeated_id`;
/// warnings: `empty_input`, `not_nfc`, `control_character`, `replacement_character`, `special_token`, `unknown_label`,
/// `duplicate_row`. Answers are looked at where the template has an answer part.
std::vector<Finding> validate_rows(std::span<const Row> rows, const PromptTemplate& prompt_template,
                                   const ValidateOptions& options = {});

/// Throws kInvalidArgument with the first errors and their number, if there is an error among the findings.
void require_no_errors(std::span<const Finding> findings);

/// Renders every row. With `with_answers`, a row whose answer is empty is refused (nothing would be taught). Throws
/// kInvalidArgument as PromptTemplate::render does.
std::vector<Example> build_examples(std::span<const Row> rows, const PromptTemplate& prompt_template, bool with_answers);

}  // namespace onggi::datasets
