#include <array>
#include <cstdio>

#include "onggi/cli/command.h"

namespace onggi::cli {

std::span<const Command> commands() {
  static constexpr std::array<Command, 3> kCommands = {{
      {"sft", "Fine-tune a model on rows: LoRA, rsLoRA, DoRA or all weights", run_sft},
      {"generate", "Answer every row of a file, guided or free", run_generate},
      {"bench", "Measure this machine and this model", run_bench},
  }};
  return kCommands;
}

bool wants_help(std::span<const std::string_view> arguments) {
  for (const auto argument : arguments) {
    if (argument == "--help" || argument == "-h") return true;
  }
  return false;
}

void print_help(std::string_view usage, std::string_view description, std::string_view options,
                std::span<const std::string_view> examples) {
  std::printf("usage: onggi %.*s\n\n%.*s\n", static_cast<int>(usage.size()), usage.data(),
              static_cast<int>(description.size()), description.data());
  if (!options.empty()) std::printf("\noptions:\n%.*s", static_cast<int>(options.size()), options.data());
  if (!examples.empty()) std::printf("\nexamples:\n");
  for (const auto example : examples) std::printf("  %.*s\n", static_cast<int>(example.size()), example.data());
}

}  // namespace onggi::cli
