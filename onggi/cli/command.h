#pragma once

#include <span>
#include <string>
#include <string_view>

namespace onggi::cli {

/// One word after `onggi`. `run` returns the exit status; it may throw Error.
struct Command {
  std::string_view name;
  std::string_view summary;  ///< One line for `onggi --help`.
  int (*run)(std::span<const std::string_view> arguments);
};

/// Every command, in the order that --help shows.
std::span<const Command> commands();

/// True if --help or -h is among the arguments.
bool wants_help(std::span<const std::string_view> arguments);

/// Prints "usage", a description, the options and examples, in the same form for every command.
void print_help(std::string_view usage, std::string_view description, std::string_view options,
                std::span<const std::string_view> examples);

int run_bench(std::span<const std::string_view> arguments);
int run_cards(std::span<const std::string_view> arguments);
int run_convert(std::span<const std::string_view> arguments);
int run_cluster(std::span<const std::string_view> arguments);
int run_data(std::span<const std::string_view> arguments);
int run_demo(std::span<const std::string_view> arguments);
int run_display(std::span<const std::string_view> arguments);
int run_embed(std::span<const std::string_view> arguments);
int run_eval(std::span<const std::string_view> arguments);
int run_experiment(std::span<const std::string_view> arguments);
int run_generate(std::span<const std::string_view> arguments);
int run_inspect(std::span<const std::string_view> arguments);
int run_label(std::span<const std::string_view> arguments);
int run_merge(std::span<const std::string_view> arguments);
int run_review(std::span<const std::string_view> arguments);
int run_runs(std::span<const std::string_view> arguments);
int run_serve(std::span<const std::string_view> arguments);
int run_sft(std::span<const std::string_view> arguments);
int run_themes(std::span<const std::string_view> arguments);
int run_verify(std::span<const std::string_view> arguments);

int run_consensus_study(std::span<const std::string_view> arguments);  ///< Of `experiment`.
int run_noise_study(std::span<const std::string_view> arguments);      ///< Of `experiment`.
int run_prompt_study(std::span<const std::string_view> arguments);     ///< Of `experiment`.
int run_label_rank(std::span<const std::string_view> arguments);       ///< Of `label`.
int run_cluster_plant(std::span<const std::string_view> arguments);    ///< Of `cluster`.
int run_cluster_study(std::span<const std::string_view> arguments);    ///< Of `cluster`: evaluate.

int run_review_import(std::span<const std::string_view> arguments);
int run_review_export(std::span<const std::string_view> arguments);
int run_review_status(std::span<const std::string_view> arguments);
int run_review_person(std::span<const std::string_view> arguments);

/// Commit, compiler, instruction sets.
std::string version_text();

}  // namespace onggi::cli
