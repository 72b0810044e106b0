#include "onggi/cli/display.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "onggi/cli/command.h"
#include "onggi/core/error.h"
#include "onggi/core/options.h"

namespace onggi::cli {
namespace {

struct Word {
  std::string_view name;
  int (*run)(std::span<const std::string_view> arguments);
};

constexpr std::array<Word, 8> kWords = {{
    {"evaluate", run_display_evaluate},
    {"log", run_display_log},
    {"policy", run_display_policy},
    {"promote", run_display_promote},
    {"rollback", run_display_rollback},
    {"serve", run_display_serve},
    {"simulate", run_display_simulate},
    {"verify", run_display_verify},
}};

}  // namespace

int run_display(std::span<const std::string_view> arguments) {
  static constexpr std::string_view kExamples[] = {
      "onggi display serve --state shop --cards cards.jsonl",
      "onggi display policy --state shop --kind thompson --floor 0.05", "onggi display promote 2 --state shop",
      "onggi display log --state shop > shown.jsonl", "onggi display evaluate --log shown.jsonl --policy uniform"};
  if (!arguments.empty()) {
    const auto word = std::ranges::find(kWords, arguments[0], &Word::name);
    if (word != kWords.end()) return word->run(arguments.subspan(1));
  }
  if (wants_help(arguments)) {
    print_help("display WORD [options]",
               "Which card is shown: policies that learn from clicks.\n"
               "serve: answer over HTTP which cards to show, record it, learn from outcomes.\n"
               "policy, promote, rollback: make a version of a policy, make it live, go back to the one before.\n"
               "log, verify: what was shown as JSON Lines; compute every propensity again.\n"
               "evaluate: what a policy would have earned, from the log of another.\n"
               "simulate: what policies lose in worlds whose click rates are known.",
               "", kExamples);
    return 0;
  }
  std::vector<std::string> names;
  for (const Word& word : kWords) names.emplace_back(word.name);
  const std::string near = arguments.empty() ? "" : nearest_name(arguments[0], names);
  throw Error(ErrorCode::kInvalidArgument,
              (arguments.empty() ? std::string("display needs a word")
                                 : "there is no \"display " + std::string(arguments[0]) + "\"") +
                  (near.empty() ? "; `onggi display --help` lists them" : "; did you mean \"" + near + "\"?"));
}

}  // namespace onggi::cli
