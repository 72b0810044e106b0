#include <cstdio>

#include "onggi/cli/command.h"

namespace onggi::cli {

std::span<const Command> commands() {
  static constexpr auto kCommands = std::to_array<Command>({
      {"demo", "The whole main job on the example reviews: tune, run, judge, report", run_demo},
      {"inspect", "What a model file holds, and what it takes to serve and to tune", run_inspect},
      {"data", "Check, split and describe rows", run_data},
      {"sft", "Fine-tune an adapter on rows: LoRA, rsLoRA or DoRA", run_sft},
      {"generate", "Answer every row of a file, guided or free", run_generate},
      {"label", "Have a large model label rows; what to look at first", run_label},
      {"embed", "A vector for every row of a file", run_embed},
      {"convert", "A text encoder from another tool's container to GGUF", run_convert},
      {"cluster", "Group texts by their vectors: themes, outliers, a map", run_cluster},
      {"serve", "Answer over HTTP as OpenAI's API does", run_serve},
      {"eval", "Judge answers beside baselines; write a report", run_eval},
      {"cards", "Draw cards as pictures, and a shop front of them", run_cards},
      {"display", "Show cards by a policy that learns from clicks", run_display},
      {"verify", "Decide which theme cards need no person", run_verify},
      {"themes", "From raw reviews to theme cards, stage by stage", run_themes},
      {"merge", "Fold an adapter into its base: safetensors or GGUF", run_merge},
      {"review", "A page on which people accept, edit or reject answers", run_review},
      {"experiment", "Compare prompts, or ways to join samples", run_experiment},
      {"runs", "List and compare training runs", run_runs},
      {"bench", "Measure this machine and this model", run_bench},
  });
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
