#include <cstdio>

#include "onggi/cli/command.h"
#include "onggi/core/error.h"
#include "onggi/core/files.h"
#include "onggi/core/options.h"
#include "onggi/eval/baselines/baselines.h"
#include "onggi/eval/evaluate.h"
#include "onggi/eval/report/report.h"
#include "onggi/tasks/text_rows.h"
#include "onggi/train/run_folder.h"

namespace onggi::cli {
namespace {

struct EvalOptions {
  std::vector<std::string> rows;
  std::string split;
  std::string predictions;
  std::string name = "model";
  std::vector<std::string> compare;
  std::string run;
  std::string report;
  std::string cards;
  std::string json;
  std::int64_t seed = 0;
  bool no_baselines = false;

  template <class V>
  void visit(V&& field) {
    field("rows", rows, "Labelled rows: a JSONL or CSV file, or a folder of them (repeatable).");
    field("split", split, "Split file: judges on the test part, fits baselines on the rest; without it all rows are judged.");
    field("predictions", predictions, "JSONL of {\"id\", \"text\"} in the rows' order, as `onggi generate` writes.");
    field("name", name, "Name of the system under test.");
    field("compare", compare, "NAME=FILE: predictions of another system (repeatable).");
    field("run", run, "Run folder, for the loss curves in the report.");
    field("report", report, "HTML report to write.");
    field("cards", cards, "HTML page of the cards to write.");
    field("json", json, "JSON result to write.");
    field("seed", seed, "Seed of the bootstrap.");
    field("no_baselines", no_baselines, "Leave out the baselines made from the training rows.");
  }
};

void add_run_facts(const std::string& run, eval::ReportOptions& report) {
  const auto summary = train::summarize_run(run);
  if (!summary.problem.empty()) return;
  report.facts.emplace_back("base", std::filesystem::path(summary.manifest.base_path).filename().string());
  report.facts.emplace_back("run", summary.name);
  report.facts.emplace_back("updates", std::to_string(summary.steps));
  report.facts.emplace_back("seed", std::to_string(summary.manifest.seed));
  for (const char* key : {"method", "rank", "learning_rate", "guide_loss"}) {
    if (!summary.config.contains(key)) continue;
    const Json& value = summary.config[key];
    report.facts.emplace_back(key, value.is_string() ? value.get<std::string>() : value.dump());
  }
}

}  // namespace

int run_eval(std::span<const std::string_view> arguments) {
  EvalOptions o;
  datasets::RowsOptions row_options;
  OptionList list(o);
  static constexpr std::string_view kExamples[] = {
      "onggi eval --rows examples/review-themes/data --split examples/review-themes/split.json \\\n"
      "             --predictions answers.jsonl --run runs/first --report report.html"};
  if (wants_help(arguments)) {
    print_help("eval --rows FILE --predictions FILE [options]",
               "Judges review-theme answers beside baselines: F1 on (entity, aspect) and on aspects, valid answers, rows without\n"
               "theme, well-formed expressions; intervals by bootstrap over products.",
               list.help_text(), kExamples);
    return 0;
  }
  require(list.parse_flags(arguments).empty(), "eval takes no positional argument; predictions are --predictions FILE");
  require(!o.rows.empty(), "--rows is missing: the labelled rows");
  require(!o.predictions.empty(), "--predictions is missing: JSONL of {\"id\", \"text\"}");
  const auto rows = tasks::read_all_rows(o.rows, row_options);
  std::vector<eval::ThemeRow> gold;
  std::vector<eval::ThemeRow> train;
  if (o.split.empty()) {
    gold = eval::theme_rows(rows);
  } else {
    const auto [test, before] = tasks::take_part(tasks::split_and_check(rows, tasks::read_split_options(o.split)), "test");
    gold = eval::theme_rows(test);
    train = eval::theme_rows(before);
  }
  std::vector<eval::System> systems;
  const auto add_system = [&](const std::string& name, const std::string& file) {
    systems.push_back({name, eval::read_predictions(file)});
    eval::require_same_ids(gold, systems.back().predictions, file);
  };
  add_system(o.name, o.predictions);
  for (const auto& pair : o.compare) {
    const auto equals = pair.find('=');
    require(equals != std::string::npos && equals > 0, [&] { return "--compare is \"" + pair + "\", expected NAME=FILE"; });
    add_system(pair.substr(0, equals), pair.substr(equals + 1));
  }
  if (!train.empty() && !o.no_baselines) {
    for (auto& system : eval::make_baselines(train, gold)) systems.push_back(std::move(system));
  }
  eval::EvaluateOptions options;
  options.bootstrap.seed = static_cast<std::uint64_t>(o.seed);
  if (!train.empty()) options.names = eval::aspect_names(train);
  const auto result = eval::evaluate_themes(gold, systems, options);
  std::fputs(result.to_text().c_str(), stdout);
  if (!o.json.empty()) write_file_atomic(o.json, dump_json(result.to_json(), 1) + "\n");
  if (!o.cards.empty()) {
    eval::write_cards(o.cards, eval::card_rows(gold, systems[0].predictions), "Theme cards");
    std::printf("cards: %s\n", o.cards.c_str());
  }
  if (!o.report.empty()) {
    eval::ReportOptions report;
    report.facts.emplace_back("rows", std::to_string(gold.size()));
    if (!o.run.empty()) add_run_facts(o.run, report);
    eval::write_report(o.report, result, o.run.empty() ? eval::Curves{} : eval::read_curves(std::filesystem::path(o.run) / "metrics.jsonl"), report);
    std::printf("report: %s\n", o.report.c_str());
  }
  return 0;
}

}  // namespace onggi::cli
