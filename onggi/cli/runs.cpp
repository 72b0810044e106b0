#include <cstdio>

#include "onggi/cli/command.h"
#include "onggi/core/error.h"
#include "onggi/train/run_folder.h"

namespace onggi::cli {
namespace {

void print_comparison(std::span<const train::RunSummary> runs) {
  const auto table = train::compare_runs(runs);
  std::printf("%-34s", "");
  for (const auto& name : table.names) std::printf("  %22s", name.c_str());
  std::printf("\n");
  for (const auto* rows : {&table.config, &table.metrics}) {
    for (const auto& row : *rows) {
      std::printf("%-34s", row.key.c_str());
      for (const auto& value : row.values) std::printf("  %22.22s", value.c_str());
      std::printf("\n");
    }
  }
}

}  // namespace

int run_runs(std::span<const std::string_view> arguments) {
  static constexpr std::string_view kExamples[] = {"onggi runs runs", "onggi runs compare runs/first runs/second"};
  if (wants_help(arguments)) {
    print_help("runs FOLDER | runs compare RUN RUN ...", "Lists the training runs in a folder, or shows where runs differ and how they did.", "", kExamples);
    return 0;
  }
  if (!arguments.empty() && arguments[0] == "compare") {
    require(arguments.size() >= 3, "runs compare needs two or more run folders");
    std::vector<train::RunSummary> runs;
    for (const auto path : arguments.subspan(1)) {
      runs.push_back(train::summarize_run(path));
      require(runs.back().problem.empty(), runs.back().problem, ErrorCode::kCorrupt, path);
    }
    print_comparison(runs);
    return 0;
  }
  require(arguments.size() <= 1, "runs takes one folder");
  const auto runs = train::list_runs(arguments.empty() ? std::filesystem::path("runs") : std::filesystem::path(arguments[0]));
  std::printf("%-24s %-9s %8s %12s  %s\n", "run", "state", "steps", "eval loss", "base");
  for (const auto& run : runs) {
    if (!run.problem.empty()) {
      std::printf("%-24s %s\n", run.name.c_str(), run.problem.c_str());
      continue;
    }
    std::string loss = "-";
    for (const auto& metric : run.metrics) {
      if (metric.name == "eval_loss") loss = std::to_string(metric.lowest);
    }
    std::printf("%-24s %-9s %8lld %12s  %s\n", run.name.c_str(), run.result.is_null() ? "open" : "finished",
                static_cast<long long>(run.steps), loss.c_str(), std::filesystem::path(run.manifest.base_path).filename().c_str());
  }
  return 0;
}

}  // namespace onggi::cli
