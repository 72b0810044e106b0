#include <chrono>
#include <cstdio>

#include <unistd.h>

#include "onggi/cli/command.h"
#include "onggi/cli/session.h"
#include "onggi/core/error.h"
#include "onggi/core/options.h"
#include "onggi/tasks/generate/generate.h"

namespace onggi::cli {

int run_generate(std::span<const std::string_view> arguments) {
  tasks::GenerateFiles files;
  datasets::RowsOptions row_options;
  tasks::GenerateOptions options;
  int threads = 0;
  OptionList list(files, row_options, options);
  list.add("threads", threads, "Threads; 0 = all cores of this process.");
  static constexpr std::string_view kExamples[] = {
      "onggi generate --rows reviews.jsonl --template prompt.txt --adapter runs/first/adapter \\\n"
      "                 --guide examples/review-themes/guide.json --output answers.jsonl",
      "onggi generate --rows reviews.jsonl --template prompt.txt --adapter runs/0/adapter --adapter runs/1/adapter --guide guide.json \\\n"
      "                 --samples 16 --temperature 1 --extractor-weight 0.5 --extractor-rows labelled.jsonl --output answers.jsonl",
      "onggi generate --rows reviews.csv --columns review=text,product=title --template prompt.txt --output answers.jsonl"};
  if (wants_help(arguments)) {
    print_help("generate --rows FILE --template FILE --output FILE [options]",
               "Answers every row. With a guide, an answer always belongs to its language, or the row says why there is none.\n"
               "Stopped at any point, the same command goes on; rows keep their order.",
               list.help_text(), kExamples);
    return 0;
  }
  require(list.parse_flags(arguments).empty(), "generate takes no positional argument; rows are --rows FILE");
  tasks::require_generate_files(files);
  Session s = open_session(files.base, threads, options.exact ? models::Compute::kF32 : models::Compute::kInt8,
                           models::base_type_from_name(adapters_base_type(files.adapters)));
  const bool is_terminal = ::isatty(STDERR_FILENO) == 1;
  const auto summary = tasks::generate_file(
      {.context = *s.context, .decoder = *s.decoder, .tokenizer = s.tokenizer, .base_hash = base_hash(*s.checkpoint)}, files, row_options,
      options, is_terminal, [](std::string_view text) { std::fwrite(text.data(), 1, text.size(), stderr); });
  std::printf("%lld rows answered, %lld failed; %.1f rows/s, %.0f tokens/s in and out\n", static_cast<long long>(summary.num_answered),
              static_cast<long long>(summary.num_failed), summary.rows_per_s, summary.tokens_per_s);
  return 0;
}

}  // namespace onggi::cli
