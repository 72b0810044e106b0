#include <cstdio>

#include "onggi/cli/command.h"
#include "onggi/core/error.h"
#include "onggi/core/files.h"
#include "onggi/core/options.h"
#include "onggi/tasks/experiment/consensus_study.h"
#include "onggi/tasks/text_rows.h"

namespace onggi::cli {
namespace {

struct Flags {
  std::vector<std::string> rows;
  std::string split, samples, json, output;
  double extractor_weight = -1, least_share = -1;
  std::string part = "validation";

  template <class V>
  void visit(V&& field) {
    field("rows", rows, "Labelled rows: a JSONL or CSV file, or a folder of them (repeatable).");
    field("split", split, "Split file: the parts before --part teach the rule extractor.");
    field("part", part, "The part that was answered: validation or test.");
    field("samples", samples, "What `onggi generate --show-samples` wrote for that part.");
    field("json", json, "Also write the table here.");
    field("output", output, "Also write the answers here, of the best setting or of the two flags below.");
    field("extractor_weight", extractor_weight, "Weight of the answers; below 0 = the best.");
    field("least_share", least_share, "Share of the answers; below 0 = the best.");
  }
};

}  // namespace

int run_consensus_study(std::span<const std::string_view> arguments) {
  Flags flags;
  datasets::RowsOptions row_options;
  OptionList list(flags, row_options);
  static constexpr std::string_view kExamples[] = {
      "onggi generate --rows data --split split.json --part validation --template prompt.txt --guide guide.json --adapter runs/a/adapter \\\n"
      "                 --samples 16 --temperature 1 --show-samples --output samples.jsonl",
      "onggi experiment consensus --rows data --split split.json --samples samples.jsonl"};
  if (wants_help(arguments)) {
    print_help("experiment consensus --rows FILE --split FILE --samples FILE [options]",
               "Chooses --extractor-weight and --least-share for `onggi generate`: joins the samples of labelled rows at every setting\n"
               "and judges the cards. Needs no model; takes seconds.",
               list.help_text(), kExamples);
    return 0;
  }
  require(list.parse_flags(arguments).size() == 1, "experiment consensus takes no further word");
  require(!flags.rows.empty() && !flags.split.empty(), "--rows or --split is missing: the labelled rows and how they are split");
  require(!flags.samples.empty(), "--samples is missing: a file of onggi generate --show-samples");
  require(flags.part == "validation" || flags.part == "test", [&] { return "--part is \"" + flags.part + "\", expected validation or test"; });
  const auto [rows, before] = tasks::take_part(
      tasks::split_and_check(tasks::read_all_rows(flags.rows, row_options), tasks::read_split_options(flags.split)), flags.part);
  const auto gold = eval::theme_rows(rows);
  const auto samples = tasks::read_samples(flags.samples, gold);
  const auto extractor = eval::RuleExtractor::fit(eval::theme_rows(before), {.num_folds = 0});
  const auto study = tasks::study_consensus(gold, samples, extractor);
  if (!flags.json.empty()) write_file_atomic(flags.json, dump_json(study.to_json(), 2) + "\n");
  if (!flags.output.empty()) {
    const auto& best = study.cells[study.best];
    const double weight = flags.extractor_weight < 0 ? best.extractor_weight : flags.extractor_weight;
    const double share = flags.least_share < 0 ? best.least_share : flags.least_share;
    write_file_atomic(flags.output, tasks::consensus_answers(gold, samples, extractor, weight, share));
  }
  std::printf("%s", study.to_text().c_str());
  return 0;
}

}  // namespace onggi::cli
