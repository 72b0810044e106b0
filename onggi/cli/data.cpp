#include <cstdio>

#include "onggi/cli/command.h"
#include "onggi/core/error.h"
#include "onggi/core/files.h"
#include "onggi/core/options.h"
#include "onggi/datasets/data_card.h"
#include "onggi/datasets/validate.h"
#include "onggi/tasks/text_rows.h"

namespace onggi::cli {
namespace {

struct DataOptions {
  std::vector<std::string> rows;
  std::string split;
  std::string prompt;
  std::string output;
  std::string label;
  std::vector<std::string> by;
  bool json = false;

  template <class V>
  void visit(V&& field) {
    field("rows", rows, "Rows: a JSONL or CSV file, or a folder of them (repeatable).");
    field("template", prompt, "check: prompt template that the rows are for.");
    field("split", split, "split: the split file.");
    field("output", output, "split: folder for train.jsonl, validation.jsonl and test.jsonl.");
    field("label", label, "card: column of labels.");
    field("by", by, "card: column to break rows down by (repeatable).");
    field("json", json, "card: JSON instead of text.");
  }
};

}  // namespace

int run_data(std::span<const std::string_view> arguments) {
  DataOptions o;
  datasets::RowsOptions row_options;
  OptionList list(o);
  static constexpr std::string_view kExamples[] = {
      "onggi data check --rows reviews.jsonl --template prompt.txt", "onggi data split --rows reviews.jsonl --split split.json --output parts",
      "onggi data card --rows reviews.jsonl --label themes --by category --by rating"};
  if (wants_help(arguments) || arguments.empty()) {
    print_help("data check|split|card --rows FILE [options]", "Checks rows as a template will use them, deals them to train, validation and test, or describes them.", list.help_text(), kExamples);
    return arguments.empty() ? 2 : 0;
  }
  const auto positional = list.parse_flags(arguments);
  require(positional.size() == 1, "data needs one of check, split or card");
  require(!o.rows.empty(), "--rows is missing");
  const auto rows = tasks::read_all_rows(o.rows, row_options);
  if (positional[0] == "check") {
    require(!o.prompt.empty(), "data check needs --template");
    const auto findings = datasets::validate_rows(rows, datasets::PromptTemplate::load(o.prompt));
    std::size_t errors = 0;
    for (const auto& finding : findings) {
      std::printf("%s\n", finding.text().c_str());
      errors += finding.severity == datasets::Severity::kError ? 1 : 0;
    }
    std::printf("%zu rows, %zu errors, %zu warnings\n", rows.size(), errors, findings.size() - errors);
    return errors > 0 ? 1 : 0;
  }
  if (positional[0] == "split") {
    require(!o.split.empty() && !o.output.empty(), "data split needs --split and --output");
    const auto parts = tasks::split_and_check(rows, tasks::read_split_options(o.split));
    std::error_code error;
    std::filesystem::create_directories(o.output, error);
    require(!error, [&] { return "can't make the folder: " + error.message(); }, ErrorCode::kUnavailable, o.output);
    for (const auto& [name, part] : {std::pair("train", &parts.train), std::pair("validation", &parts.validation), std::pair("test", &parts.test)}) {
      write_file_atomic(std::filesystem::path(o.output) / (std::string(name) + ".jsonl"), datasets::to_jsonl(*part));
      std::printf("%s: %zu rows\n", name, part->size());
    }
    return 0;
  }
  require(positional[0] == "card", [&] { return "data \"" + positional[0] + "\": expected check, split or card"; });
  const auto card = datasets::make_data_card(rows, {.label = o.label, .by = o.by});
  std::fputs(o.json ? (dump_json(card.to_json(), 1) + "\n").c_str() : card.to_text().c_str(), stdout);
  return 0;
}

}  // namespace onggi::cli
