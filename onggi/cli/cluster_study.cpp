#include <cstdio>

#include <unistd.h>

#include "onggi/cli/command.h"
#include "onggi/core/error.h"
#include "onggi/core/options.h"
#include "onggi/tasks/cluster/planted.h"

namespace onggi::cli {

int run_cluster_plant(std::span<const std::string_view> arguments) {
  tasks::PlantOptions options;
  datasets::RowsOptions row_options;
  OptionList list(options, row_options);
  static constexpr std::string_view kExamples[] = {
      "onggi cluster plant --rows examples/review-themes/data --other posts.jsonl --output planted.jsonl"};
  if (wants_help(arguments)) {
    print_help("cluster plant --rows FILE --output FILE [options]",
               "Takes the theme expressions of labelled rows and plants wrong ones among them: of a wrong product "
               "type, with broken\n"
               "grammar, of another domain. For cluster evaluate.",
               list.help_text(), kExamples);
    return 0;
  }
  require(list.parse_flags(arguments).size() == 1, "cluster plant takes no further word");
  const auto summary = tasks::plant_outliers(options, row_options);
  std::printf("%lld expressions, planted: %lld of a wrong type, %lld with broken grammar, %lld of another domain\n",
              static_cast<long long>(summary.num_real), static_cast<long long>(summary.num_wrong_type),
              static_cast<long long>(summary.num_broken), static_cast<long long>(summary.num_other));
  return 0;
}

int run_cluster_study(std::span<const std::string_view> arguments) {
  tasks::DetectorStudyOptions options;
  datasets::RowsOptions row_options;
  int threads = 0;
  OptionList list(options, row_options);
  list.add("threads", threads, "Threads; 0 = all cores of this process.");
  static constexpr std::string_view kExamples[] = {
      "onggi embed --rows planted.jsonl --template carrier.txt --output planted.npy",
      "onggi cluster evaluate --rows planted.jsonl --vectors planted.npy --output study.json",
      "onggi cluster evaluate --rows planted.jsonl --share 0.05      (character n-grams: no model)"};
  if (wants_help(arguments)) {
    print_help("cluster evaluate --rows FILE [options]",
               "How well each way to find outliers finds those that cluster plant planted: AUROC, average precision, "
               "precision at the\n"
               "usual cut, by share and by kind, with 95 % intervals.",
               list.help_text(), kExamples);
    return 0;
  }
  require(list.parse_flags(arguments).size() == 1, "cluster evaluate takes no further word");
  ThreadPool pool(threads);
  const auto study =
      tasks::study_detectors(options, row_options, pool, ::isatty(STDERR_FILENO) == 1,
                             [](std::string_view text) { std::fwrite(text.data(), 1, text.size(), stderr); });
  std::printf("%s", study.text.c_str());
  return 0;
}

}  // namespace onggi::cli
