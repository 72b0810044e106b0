#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "onggi/datasets/prompt_template.h"
#include "onggi/datasets/rows.h"
#include "onggi/datasets/split.h"
#include "onggi/tasks/sft/examples.h"

namespace onggi::tasks {

/// Rows of several files in order; a folder stands for its .jsonl and .csv files, sorted by name. Throws where there is
/// none.
std::vector<datasets::Row> read_all_rows(std::span<const std::string> paths, const datasets::RowsOptions& options);

/// Rows as the model sees them: the template's shared prefix once, then each row's own text. With answers for training.
TextSet make_text_set(std::span<const datasets::Row> rows, const datasets::PromptTemplate& prompt, bool with_answers);

/// The three parts of a split, leaks refused.
struct SplitRows {
  std::vector<datasets::Row> train, validation, test;
};
SplitRows split_and_check(std::span<const datasets::Row> rows, const datasets::SplitOptions& options);

/// One part, and what may be learnt from before it is answered: nothing for train, train for validation, both for test.
struct PartRows {
  std::vector<datasets::Row> rows, before;
};
/// `part`: train, validation or test.
PartRows take_part(SplitRows&& parts, std::string_view part);

/// A split file: SplitOptions as JSON. Throws naming file and key.
datasets::SplitOptions read_split_options(const std::filesystem::path& path);

}  // namespace onggi::tasks
