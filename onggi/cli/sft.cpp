#include <algorithm>
#include <cstdio>
#include <iterator>
#include <string>

#include <unistd.h>

#include "onggi/cli/command.h"
#include "onggi/cli/session.h"
#include "onggi/core/error.h"
#include "onggi/core/files.h"
#include "onggi/core/hash.h"
#include "onggi/core/options.h"
#include "onggi/datasets/data_card.h"
#include "onggi/datasets/validate.h"
#include "onggi/tasks/sft/sft.h"
#include "onggi/tasks/text_rows.h"

namespace onggi::cli {
namespace {

struct SftFiles {
  std::string base;
  std::vector<std::string> rows;
  std::vector<std::string> validation;
  std::string split;
  bool join_validation = false;
  std::string prompt;
  std::string guide;
  std::string run;
  int threads = 0;
  std::int64_t memory_mb = 0;
  bool plan = false;

  template <class V>
  void visit(V&& field) {
    field("base", base, "Model: a GGUF file or a Hugging Face folder; empty = the demo's Gemma 3 270M.");
    field("rows", rows, "Training rows: a JSONL or CSV file, or a folder of them (repeat the flag for more).");
    field("validation", validation, "Rows to choose the best state by (repeatable); not with --split.");
    field("split", split, "Split file: trains on its training part, chooses by its validation part, never sees test.");
    field("join_validation", join_validation, "With --split: trains on the validation part too, and keeps the last state.");
    field("template", prompt, "Prompt template with the answer part.");
    field("guide", guide, "Guide file, for --guide-loss.");
    field("run", run, "Folder of the run; if a run is there already, it goes on.");
    field("threads", threads, "Threads; 0 = all cores of this process.");
    field("memory_mb", memory_mb, "Megabytes that the run may take: it is refused if the plan needs more; 0 = what is free.");
    field("plan", plan, "Only print the plan: tokens, updates, memory.");
  }
};

}  // namespace

int run_sft(std::span<const std::string_view> arguments) {
  SftFiles files;
  datasets::RowsOptions row_options;
  tasks::SftOptions options;
  OptionList list(files, row_options, options);
  static constexpr std::string_view kExamples[] = {
      "onggi sft --rows examples/review-themes/data --split examples/review-themes/split.json \\\n"
      "            --template examples/review-themes/prompts/2-task-format.txt --run runs/first",
      "onggi sft --base model.gguf --rows train.jsonl --validation held_out.jsonl --template prompt.txt --run runs/a --plan",
      "onggi sft --rows train.jsonl --template prompt.txt --run runs/b --base-type nf4 --lora-dropout 0.05 --recompute",
      "onggi sft --rows train.jsonl --template prompt.txt --run runs/c --method full --learning-rate 2e-5"};
  if (wants_help(arguments)) {
    print_help("sft --rows FILE --template FILE --run FOLDER [options]",
               "Fine-tunes an adapter, or with --method full all weights, on prompts and answers. Loss on the answer and one\n"
               "end token; the prompt's shared beginning is computed once a batch. Stopped at any point, the same command goes on\n"
               "and ends with the same bytes.",
               list.help_text(), kExamples);
    return 0;
  }
  require(list.parse_flags(arguments).empty(), "sft takes no positional argument; rows are --rows FILE");
  require(!files.rows.empty(), "--rows is missing: a JSONL or CSV file with the training rows");
  require(!files.prompt.empty(), "--template is missing: a prompt template (docs/formats/dataset.md)");
  require(!files.run.empty(), "--run is missing: a folder for the run");
  require(files.split.empty() || files.validation.empty(), "--split and --validation exclude each other");
  require(!files.join_validation || !files.split.empty(), "--join-validation is for --split; without one, give the rows with --rows");

  const auto prompt = datasets::PromptTemplate::load(files.prompt);
  const auto rows = tasks::read_all_rows(files.rows, row_options);
  tasks::SplitRows parts;
  if (files.split.empty()) {
    parts.train = rows;
    if (!files.validation.empty()) parts.validation = tasks::read_all_rows(files.validation, row_options);
    const std::array<datasets::SplitPart, 2> sides = {{{"train", parts.train}, {"validation", parts.validation}}};
    datasets::check_no_leak(sides, {});
  } else {
    parts = tasks::split_and_check(rows, tasks::read_split_options(files.split));
    if (files.join_validation) {
      std::ranges::move(parts.validation, std::back_inserter(parts.train));
      parts.validation.clear();
    }
  }
  datasets::require_no_errors(datasets::validate_rows(parts.train, prompt));
  datasets::require_no_errors(datasets::validate_rows(parts.validation, prompt));

  Session s = open_session(files.base, files.threads, models::Compute::kF32, models::base_type_from_name(options.base_type));
  std::shared_ptr<const decode::Guide> guide;
  tasks::SftInput input{.context = *s.context, .decoder = *s.decoder, .tokenizer = *s.tokenizer, .guide = nullptr,
                        .train = tasks::make_text_set(parts.train, prompt, true),
                        .validation = tasks::make_text_set(parts.validation, prompt, true), .run_folder = files.run};
  input.hashes = {{"base", base_hash(*s.checkpoint)}, {"tokenizer", s.tokenizer->content_hash()}, {"template", prompt.content_hash()},
                  {"train", datasets::content_hash(parts.train)}, {"validation", datasets::content_hash(parts.validation)}};
  if (!files.guide.empty()) {
    input.guide = decode::load_guide(files.guide, s.tokenizer);
    input.hashes.emplace_back("guide", sha256_file(files.guide));
  }
  input.command_line.emplace_back("onggi sft");
  for (const auto argument : arguments) input.command_line.emplace_back(argument);
  input.tool_version = "0.1.0";
  input.tool_commit = commit();
  require(files.memory_mb >= 0 && files.memory_mb <= (std::int64_t{1} << 32), "--memory-mb must not be negative, nor above 2^32");
  input.available_memory_bytes = files.memory_mb * 1'000'000;
  input.plan_only = files.plan;
  input.progress_to_terminal = ::isatty(STDERR_FILENO) == 1;
  input.write = [](std::string_view text) { std::fwrite(text.data(), 1, text.size(), stderr); };
  const auto result = tasks::run_sft(options, input);
  if (files.plan) return 0;
  std::printf("%s\n", result.adapter.string().c_str());
  return 0;
}

}  // namespace onggi::cli
