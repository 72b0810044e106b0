#include <algorithm>

#include "onggi/cli/command.h"
#include "onggi/core/error.h"

namespace onggi::cli {

int run_experiment(std::span<const std::string_view> arguments) {
  static constexpr std::string_view kExamples[] = {
      "onggi experiment prompts --help", "onggi experiment consensus --help", "onggi experiment noise --help"};
  const auto is = [&](std::string_view word) { return std::ranges::find(arguments, word) != arguments.end(); };
  if (is("prompts")) return run_prompt_study(arguments);
  if (is("consensus")) return run_consensus_study(arguments);
  if (is("noise")) return run_noise_study(arguments);
  if (wants_help(arguments)) {
    print_help("experiment prompts|consensus|noise [options]",
               "prompts: trains several prompts alike and compares quality, speed and cost.\n"
               "consensus: how to join several samples of a row and a rule extractor.\n"
               "noise: how much planted noise the queue of doubtful labels finds first.",
               "", kExamples);
    return 0;
  }
  throw Error(ErrorCode::kInvalidArgument,
              "experiment needs one of the words prompts, consensus and noise: onggi experiment --help");
}

}  // namespace onggi::cli
