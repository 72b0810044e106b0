#include "onggi/cli/display.h"

#include <algorithm>
#include <array>
#include <string>

#include "onggi/cli/command.h"
#include "onggi/core/error.h"
#include "onggi/core/options.h"

namespace onggi::cli {
namespace {

struct Word {
  std::string_view name;
  int (*run)(std::span<const std::string_view> arguments);
};

constexpr std::array<Word, 2> kWords = {{
    {"evaluate", run_display_evaluate},
    {"simulate", run_display_simulate},
}};

}  // namespace

int run_display(std::span<const std::string_view> arguments) {
  static constexpr std::string_view kExamples[] = {"onggi display simulate --help",
                                                   "onggi display evaluate --log shown.jsonl --policy uniform"};
  if (!arguments.empty()) {
    const auto word = std::ranges::find(kWords, arguments[0], &Word::name);
    if (word != kWords.end()) return word->run(arguments.subspan(1));
  }
  if (wants_help(arguments)) {
    print_help("display simulate|evaluate [options]",
               "Which card is shown: policies that learn from clicks.\n"
               "simulate: what policies lose in worlds whose click rates are known.\n"
               "evaluate: what a policy would have earned, from the log of another.",
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
