#include <cstdio>

#include <unistd.h>

#include "onggi/cli/command.h"
#include "onggi/core/error.h"
#include "onggi/core/options.h"
#include "onggi/tasks/cluster/cluster_file.h"

namespace onggi::cli {
namespace {

int run_cluster_rows(std::span<const std::string_view> arguments) {
  tasks::ClusterFiles files;
  datasets::RowsOptions row_options;
  cluster::ClusterOptions options;
  int threads = 0;
  OptionList list(files, row_options, options);
  list.add("threads", threads, "Threads; 0 = all cores of this process.");
  static constexpr std::string_view kExamples[] = {
      "onggi cluster --rows themes.jsonl --text expression --vectors themes.npy --output rows.jsonl \\\n"
      "                --clusters clusters.json --map map.svg",
      "onggi cluster --rows reviews.csv --text review --duplicates reviews --method kmeans --output rows.jsonl",
      "onggi cluster plant --help", "onggi cluster evaluate --help"};
  if (wants_help(arguments)) {
    print_help("cluster --rows FILE --text COLUMN --output FILE [options]",
               "Groups the texts of rows by their vectors: leaves near-duplicates out, clusters, marks outliers, names "
               "each group\n"
               "by its medoid and draws a map. cluster plant and cluster evaluate compare the ways to find outliers.",
               list.help_text(), kExamples);
    return 0;
  }
  const auto words = list.parse_flags(arguments);
  require(words.empty(),
          [&] { return "cluster takes the word plant or evaluate first, or flags alone; found \"" + words[0] + "\""; });
  ThreadPool pool(threads);
  const auto summary =
      tasks::cluster_file(files, row_options, options, pool, ::isatty(STDERR_FILENO) == 1,
                          [](std::string_view text) { std::fwrite(text.data(), 1, text.size(), stderr); });
  std::printf("%s", summary.text.c_str());
  return 0;
}

}  // namespace

int run_cluster(std::span<const std::string_view> arguments) {
  const std::string_view first = arguments.empty() ? std::string_view() : arguments[0];
  if (first == "plant") return run_cluster_plant(arguments);
  if (first == "evaluate") return run_cluster_study(arguments);
  return run_cluster_rows(arguments);
}

}  // namespace onggi::cli
