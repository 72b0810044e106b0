#include <cstdio>

#include <unistd.h>

#include "onggi/cli/command.h"
#include "onggi/cli/session.h"
#include "onggi/core/error.h"
#include "onggi/core/options.h"
#include "onggi/tasks/embed/embed.h"

namespace onggi::cli {

int run_embed(std::span<const std::string_view> arguments) {
  tasks::EmbedFiles files;
  datasets::RowsOptions row_options;
  tasks::EmbedOptions options;
  int threads = 0;
  OptionList list(files, row_options, options);
  list.add("threads", threads, "Threads; 0 = all cores of this process.");
  static constexpr std::string_view kExamples[] = {
      "onggi embed --rows reviews.jsonl --text review --output vectors.npy",
      "onggi embed --rows reviews.csv --columns review=text --text review --dimensions 256 --output vectors.jsonl",
      "onggi embed --base e5-small-q4_0.gguf --prefix \"query: \" --rows reviews.jsonl --text review --output "
      "vectors.npy",
      "onggi embed --rows reviews.jsonl --template prompt.txt --adapter runs/first/adapter --pooling last \\\n"
      "              --output vectors.npy"};
  if (wants_help(arguments)) {
    print_help("embed --rows FILE --text COLUMN --output FILE [options]",
               "A vector for every row: the model's last hidden states, pooled. The model writes text (Gemma 3 ...) "
               "or is made for\n"
               "vectors (BERT, MiniLM, E5). A .npy of f32 with the rows' ids beside it, or JSON lines.\n"
               "Stopped at any point, the same command goes on; rows keep their order.",
               list.help_text(), kExamples);
    return 0;
  }
  require(list.parse_flags(arguments).empty(), "embed takes no positional argument; rows are --rows FILE");
  tasks::require_embed_files(files);
  std::vector<std::string> adapters;
  if (!files.adapter.empty()) adapters.push_back(files.adapter);
  const auto compute = options.exact ? models::Compute::kF32 : models::Compute::kInt8;
  const std::string base = resolve_base(files.base);
  std::unique_ptr<models::BertEncoder> encoder;
  Session s;
  if (std::shared_ptr<const formats::Checkpoint> checkpoint = formats::open_checkpoint(base);
      models::is_bert(*checkpoint)) {
    s.pool = std::make_unique<ThreadPool>(threads);
    s.context = std::make_unique<nn::Context>(*s.pool);
    s.checkpoint = checkpoint;
    s.tokenizer = text::open_tokenizer(*checkpoint);
    encoder = models::BertEncoder::load(checkpoint, *s.context, compute);
  } else {
    s = open_session(base, threads, compute, models::base_type_from_name(adapters_base_type(adapters)));
  }
  const auto summary =
      tasks::embed_file({.context = *s.context,
                         .decoder = s.decoder.get(),
                         .encoder = encoder.get(),
                         .tokenizer = s.tokenizer,
                         .base_hash = base_hash(*s.checkpoint)},
                        files, row_options, options, ::isatty(STDERR_FILENO) == 1,
                        [](std::string_view text) { std::fwrite(text.data(), 1, text.size(), stderr); });
  std::printf("%lld rows embedded in %d dimensions, %lld failed; %.1f rows/s, %.0f tokens/s\n",
              static_cast<long long>(summary.num_embedded), summary.dimensions,
              static_cast<long long>(summary.num_failed), summary.rows_per_s, summary.tokens_per_s);
  if (summary.num_cut > 0) {
    std::printf("%lld rows were longer than the limit of tokens: their vectors are those of their beginnings\n",
                static_cast<long long>(summary.num_cut));
  }
  return 0;
}

}  // namespace onggi::cli
