#include "onggi/tasks/text_rows.h"

#include <algorithm>
#include <array>
#include <iterator>

#include "onggi/core/error.h"
#include "onggi/core/files.h"
#include "onggi/core/options.h"
#include "onggi/datasets/validate.h"

namespace onggi::tasks {

std::vector<datasets::Row> read_all_rows(std::span<const std::string> paths, const datasets::RowsOptions& options) {
  std::vector<std::filesystem::path> files;
  for (const auto& path : paths) {
    if (!std::filesystem::is_directory(path)) {
      files.emplace_back(path);
      continue;
    }
    std::vector<std::filesystem::path> inside;
    for (const auto& entry : std::filesystem::directory_iterator(path)) {
      if (entry.path().extension() == ".jsonl" || entry.path().extension() == ".csv") inside.push_back(entry.path());
    }
    require(!inside.empty(), "the folder holds no .jsonl or .csv file", ErrorCode::kNotFound, path);
    std::sort(inside.begin(), inside.end());
    files.insert(files.end(), inside.begin(), inside.end());
  }
  std::vector<datasets::Row> rows;
  for (const auto& file : files) {
    auto part = datasets::read_rows(file, options);
    std::move(part.begin(), part.end(), std::back_inserter(rows));
  }
  require(!rows.empty(), "the data set has no row", ErrorCode::kInvalidArgument, paths.empty() ? "" : paths.front());
  return rows;
}

TextSet make_text_set(std::span<const datasets::Row> rows, const datasets::PromptTemplate& prompt, bool with_answers) {
  const auto examples = datasets::build_examples(rows, prompt, with_answers);
  TextSet set;
  set.prefix = prompt.shared_prefix();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    std::string text = datasets::joined_text(examples[i].prompt);
    text.erase(0, set.prefix.size());
    set.rows.push_back({.prompt = std::move(text), .answer = examples[i].answer, .slots = prompt.slot_values(rows[i]),
                        .source_row = static_cast<std::int64_t>(i), .where = datasets::place_of(rows[i])});
  }
  return set;
}

SplitRows split_and_check(std::span<const datasets::Row> rows, const datasets::SplitOptions& options) {
  const auto split = datasets::split_rows(rows, options);
  SplitRows out{datasets::select(rows, split.train), datasets::select(rows, split.validation), datasets::select(rows, split.test)};
  const std::array<datasets::SplitPart, 3> parts = {{{"train", out.train}, {"validation", out.validation}, {"test", out.test}}};
  datasets::check_no_leak(parts, {.group = options.kind == "group" ? options.group : std::string()});
  return out;
}

PartRows take_part(SplitRows&& parts, std::string_view part) {
  if (part == "train") return {.rows = std::move(parts.train), .before = {}};
  PartRows taken{.rows = {}, .before = std::move(parts.train)};
  if (part == "validation") {
    taken.rows = std::move(parts.validation);
  } else {
    std::ranges::move(parts.validation, std::back_inserter(taken.before));
    taken.rows = std::move(parts.test);
  }
  return taken;
}

datasets::SplitOptions read_split_options(const std::filesystem::path& path) {
  datasets::SplitOptions options;
  OptionList(options).parse_json(parse_json(read_file(path), path.string()), path.string());
  return options;
}

}  // namespace onggi::tasks
