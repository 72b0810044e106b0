#include "onggi/tasks/embed/embed.h"

#include <algorithm>
#include <limits>
#include <optional>

#include "onggi/core/error.h"
#include "onggi/core/json_numbers.h"
#include "onggi/core/options.h"
#include "onggi/datasets/data_card.h"
#include "onggi/runtime/embedding.h"
#include "onggi/runtime/engine.h"
#include "onggi/tasks/embed/npy.h"
#include "onggi/tasks/ordered_output.h"
#include "onggi/tasks/text_rows.h"

namespace onggi::tasks {
namespace {

/// Rows whose ids are in memory at once.
constexpr std::int64_t kRowsPerJob = 2048;

bool is_npy(const std::string& output) { return output.ends_with(".npy"); }

datasets::PromptTemplate prompt_of(const EmbedFiles& files) {
  return files.prompt.empty() ? datasets::PromptTemplate::parse("{{" + files.text + "}}", "--text")
                              : datasets::PromptTemplate::load(files.prompt);
}

std::vector<datasets::Row> rows_of(const EmbedFiles& files, const datasets::RowsOptions& row_options) {
  auto rows = read_all_rows(files.rows, row_options);
  if (files.split.empty()) return rows;
  return take_part(split_and_check(rows, read_split_options(files.split)), files.part).rows;
}

/// One output file from its rows to its last line.
class EmbedJob {
 public:
  EmbedJob(RowModel model, const EmbedFiles& files, const datasets::RowsOptions& row_options,
           const EmbedOptions& options)
      : model_(std::move(model)), files_(files), options_(options), prompt_(prompt_of(files)) {
    const auto size = static_cast<int>(model_.decoder.config().hidden_size);
    require(options.dimensions >= 0 && options.dimensions <= size, [&] {
      return "--dimensions is " + std::to_string(options.dimensions) + ", expected 1 to " + std::to_string(size) +
             ", the model's width, or 0 for all";
    });
    settings_.prompt.pooling = runtime::pooling_from_name(options.pooling);
    settings_.max_new_tokens = 0;
    shape_ = {.dimensions = options.dimensions > 0 ? options.dimensions : size, .normalizes = options.normalize};
    rows_ = rows_of(files, row_options);
    texts_ = make_text_set(rows_, prompt_, false);
    if (files.adapter.empty()) return;
    auto loaded = load_row_adapter(model_, files.adapter, nn::adapter_type_from_name(options_.adapter_type));
    settings_.adapter = std::make_shared<const nn::Adapter>(std::move(loaded.adapter));
    adapter_hash_ = std::move(loaded.hash);
  }

  EmbedSummary run(bool is_terminal, const std::function<void(std::string_view)>& write);

 private:
  Json manifest() const;
  OutputFiles output_files() const;
  RowProgress::Counts counts() const;
  void embed_rows(std::int64_t first, std::int64_t end);
  void write_row(std::int64_t index, const runtime::Answer& answer);

  RowModel model_;
  const EmbedFiles& files_;
  const EmbedOptions& options_;
  datasets::PromptTemplate prompt_;
  runtime::AnswerSettings settings_;
  runtime::EmbeddingShape shape_;
  std::vector<datasets::Row> rows_;
  TextSet texts_;
  Json adapter_hash_;
  std::optional<runtime::Engine> engine_;
  std::shared_ptr<const runtime::Prefix> prefix_;
  std::optional<OrderedOutput> output_;
  std::optional<RowProgress> progress_;
  EmbedSummary summary_;
};

Json EmbedJob::manifest() const {
  EmbedOptions copy = options_;
  copy.batch_rows = 0;  // changes no vector, so a resumed job may use another
  return {{"base", model_.base_hash},
          {"tokenizer", model_.tokenizer->content_hash()},
          {"template", prompt_.content_hash()},
          {"rows", datasets::content_hash(rows_)},
          {"num_rows", rows_.size()},
          {"dimensions", shape_.dimensions},
          {"options", OptionList(copy).to_json()},
          {"adapter", adapter_hash_}};
}

OutputFiles EmbedJob::output_files() const {
  OutputFiles files{
      .lines = files_.output, .records = {}, .manifest = files_.output + ".manifest.json", .command = "onggi embed"};
  if (!is_npy(files_.output)) return files;
  files.lines = files_.output + ".ids.jsonl";
  files.records = RecordFile{.path = files_.output,
                             .header = npy_header(static_cast<std::int64_t>(rows_.size()), shape_.dimensions),
                             .record_bytes = static_cast<std::size_t>(shape_.dimensions) * sizeof(float)};
  return files;
}

RowProgress::Counts EmbedJob::counts() const {
  return {.num_done = output_->num_done(),
          .num_new = summary_.num_embedded + summary_.num_failed,
          .num_failed = summary_.num_failed,
          .num_tokens = engine_->counts().prompt_tokens};
}

void EmbedJob::write_row(std::int64_t index, const runtime::Answer& answer) {
  const bool has_vector = answer.is_cut;  // The prompt was read to its end.
  ++(has_vector ? summary_.num_embedded : summary_.num_failed);
  std::vector<float> vector(static_cast<std::size_t>(shape_.dimensions), std::numeric_limits<float>::quiet_NaN());
  if (has_vector) vector = runtime::embedding_of(answer.reading->pooled, shape_);
  std::string line = R"({"id":)" + Json(rows_[static_cast<std::size_t>(index)].id).dump();
  if (!has_vector) line += R"(,"failure":)" + Json(answer.failure).dump();
  if (is_npy(files_.output)) {
    output_->add(index, line + "}", npy_bytes(vector));
  } else {
    output_->add(index, line + R"(,"embedding":)" + (has_vector ? json_numbers(vector) : "null") + "}");
  }
  progress_->show(counts());
}

void EmbedJob::embed_rows(std::int64_t first, std::int64_t end) {
  const auto settings = std::make_shared<const runtime::AnswerSettings>(settings_);
  std::vector<runtime::Job> jobs;
  for (std::int64_t i = first; i < end; ++i) {
    const TextRow& row = texts_.rows[static_cast<std::size_t>(i)];
    jobs.push_back({.request = {.index = i, .prompt = encode_prompt(*model_.tokenizer, row.prompt)},
                    .settings = settings,
                    .prefix = prefix_,
                    .done = [this, i](runtime::Answer&& answer) { write_row(i, answer); }});
  }
  engine_->submit(std::move(jobs));
  while (engine_->step() != runtime::Step::kIdle) {
  }
}

EmbedSummary EmbedJob::run(bool is_terminal, const std::function<void(std::string_view)>& write) {
  engine_.emplace(model_.context, model_.decoder, *model_.tokenizer,
                  runtime::EngineOptions{.batch_rows = options_.batch_rows});
  if (auto ids = encode_prefix(*model_.tokenizer, texts_.prefix); !ids.empty())
    prefix_ = engine_->compute_prefix(std::move(ids), settings_.adapter.get());
  output_.emplace(output_files(), manifest());  // Last, so that what was refused leaves nothing behind.
  const auto total = static_cast<std::int64_t>(rows_.size());
  require(output_->num_done() <= total, "the output has more lines than there are rows", ErrorCode::kInvalidArgument,
          files_.output);
  progress_.emplace(total, is_terminal, write);
  for (std::int64_t first = output_->num_done(); first < total; first += kRowsPerJob)
    embed_rows(first, std::min(total, first + kRowsPerJob));
  output_->sync();
  progress_->finish(counts());
  summary_.dimensions = shape_.dimensions;
  summary_.rows_per_s = static_cast<double>(counts().num_new) / progress_->seconds();
  summary_.tokens_per_s = static_cast<double>(counts().num_tokens) / progress_->seconds();
  return summary_;
}

}  // namespace

void require_embed_files(const EmbedFiles& files) {
  require(!files.rows.empty(), "--rows is missing: a JSONL or CSV file");
  require(!files.text.empty() || !files.prompt.empty(),
          "--text is missing: the column to embed, or --template with a prompt template (docs/formats/dataset.md)");
  require(files.text.empty() || files.prompt.empty(), "--text and --template both say what to embed; give one of them");
  require(!files.output.empty(), "--output is missing: the .npy or .jsonl file to write");
  require(is_npy(files.output) || files.output.ends_with(".jsonl"),
          "the output's name must end in .npy or .jsonl, which says how vectors are written",
          ErrorCode::kInvalidArgument, files.output);
  require_part_name(files.part);
}

EmbedSummary embed_file(RowModel model, const EmbedFiles& files, const datasets::RowsOptions& row_options,
                        const EmbedOptions& options, bool is_terminal,
                        const std::function<void(std::string_view)>& write) {
  return EmbedJob(std::move(model), files, row_options, options).run(is_terminal, write);
}

}  // namespace onggi::tasks
