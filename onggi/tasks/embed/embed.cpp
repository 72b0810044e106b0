#include "onggi/tasks/embed/embed.h"

#include <algorithm>
#include <limits>
#include <optional>

#include "onggi/core/error.h"
#include "onggi/core/json_numbers.h"
#include "onggi/core/options.h"
#include "onggi/datasets/data_card.h"
#include "onggi/formats/npy.h"
#include "onggi/runtime/text_encoder.h"
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

/// The adapter in `files`, if there is one.
std::optional<RowAdapter> adapter_of(const EmbedModel& model, const EmbedFiles& files, const EmbedOptions& options) {
  if (files.adapter.empty()) return std::nullopt;
  require(model.decoder != nullptr, "a text encoder takes no adapter", ErrorCode::kInvalidArgument, files.adapter);
  const RowModel row_model{
      .context = model.context, .decoder = *model.decoder, .tokenizer = model.tokenizer, .base_hash = model.base_hash};
  return load_row_adapter(row_model, files.adapter, nn::adapter_type_from_name(options.adapter_type));
}

/// One output file from its rows to its last line.
class EmbedJob {
 public:
  EmbedJob(const EmbedModel& model, const EmbedFiles& files, const datasets::RowsOptions& row_options,
           const EmbedOptions& options)
      : model_(model), files_(files), options_(options), prompt_(prompt_of(files)) {
    rows_ = rows_of(files, row_options);
    texts_ = make_text_set(rows_, prompt_, false);
    runtime::TextEncoderOptions how{.pooling = options.pooling,
                                    .shape = {.dimensions = options.dimensions, .normalizes = options.normalize},
                                    .prefix = options.prefix + texts_.prefix,
                                    .max_tokens = options.max_tokens,
                                    .batch_rows = options.batch_rows,
                                    .adapter = nullptr};
    if (auto loaded = adapter_of(model, files, options)) {
      how.adapter = std::make_shared<const nn::Adapter>(std::move(loaded->adapter));
      adapter_hash_ = std::move(loaded->hash);
    }
    encoder_ = model.encoder != nullptr
                   ? runtime::make_text_encoder(model.context, *model.encoder, model.tokenizer, how)
                   : runtime::make_text_encoder(model.context, *model.decoder, model.tokenizer, how);
  }

  EmbedSummary run(bool is_terminal, const std::function<void(std::string_view)>& write);

 private:
  Json manifest() const;
  OutputFiles output_files() const;
  RowProgress::Counts counts() const;
  void embed_rows(std::int64_t first, std::int64_t end);
  void write_row(std::int64_t index, const runtime::EncodedText& text);

  const EmbedModel& model_;
  const EmbedFiles& files_;
  const EmbedOptions& options_;
  datasets::PromptTemplate prompt_;
  std::vector<datasets::Row> rows_;
  TextSet texts_;
  Json adapter_hash_;
  std::unique_ptr<runtime::TextEncoder> encoder_;
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
          {"dimensions", encoder_->dimensions()},
          {"options", OptionList(copy).to_json()},
          {"adapter", adapter_hash_}};
}

OutputFiles EmbedJob::output_files() const {
  OutputFiles files{
      .lines = files_.output, .records = {}, .manifest = files_.output + ".manifest.json", .command = "onggi embed"};
  if (!is_npy(files_.output)) return files;
  files.lines = files_.output + ".ids.jsonl";
  files.records =
      RecordFile{.path = files_.output,
                 .header = formats::npy_header(static_cast<std::int64_t>(rows_.size()), encoder_->dimensions()),
                 .record_bytes = static_cast<std::size_t>(encoder_->dimensions()) * sizeof(float)};
  return files;
}

RowProgress::Counts EmbedJob::counts() const {
  return {.num_done = output_->num_done(),
          .num_new = summary_.num_embedded + summary_.num_failed,
          .num_failed = summary_.num_failed,
          .num_tokens = encoder_->num_tokens()};
}

void EmbedJob::write_row(std::int64_t index, const runtime::EncodedText& text) {
  const bool has_vector = text.failure.empty();
  ++(has_vector ? summary_.num_embedded : summary_.num_failed);
  summary_.num_cut += has_vector && text.is_cut ? 1 : 0;
  std::string line = R"({"id":)" + Json(rows_[static_cast<std::size_t>(index)].id).dump();
  if (!has_vector) line += R"(,"failure":)" + Json(text.failure).dump();
  if (is_npy(files_.output)) {
    const std::vector<float> none(static_cast<std::size_t>(encoder_->dimensions()),
                                  std::numeric_limits<float>::quiet_NaN());
    output_->add(index, line + "}", formats::npy_bytes(has_vector ? text.vector : none));
  } else {
    output_->add(index, line + R"(,"embedding":)" + (has_vector ? json_numbers(text.vector) : "null") + "}");
  }
  progress_->show(counts());
}

void EmbedJob::embed_rows(std::int64_t first, std::int64_t end) {
  std::vector<std::string> texts;
  for (std::int64_t i = first; i < end; ++i) texts.push_back(texts_.rows[static_cast<std::size_t>(i)].prompt);
  encoder_->encode(texts, [&](std::size_t i, runtime::EncodedText&& text) {
    write_row(first + static_cast<std::int64_t>(i), text);
  });
}

EmbedSummary EmbedJob::run(bool is_terminal, const std::function<void(std::string_view)>& write) {
  output_.emplace(output_files(), manifest());  // Last, so that what was refused leaves nothing behind.
  const auto total = static_cast<std::int64_t>(rows_.size());
  require(output_->num_done() <= total, "the output has more lines than there are rows", ErrorCode::kInvalidArgument,
          files_.output);
  progress_.emplace(total, is_terminal, write);
  for (std::int64_t first = output_->num_done(); first < total; first += kRowsPerJob)
    embed_rows(first, std::min(total, first + kRowsPerJob));
  output_->sync();
  progress_->finish(counts());
  summary_.dimensions = encoder_->dimensions();
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

EmbedSummary embed_file(const EmbedModel& model, const EmbedFiles& files, const datasets::RowsOptions& row_options,
                        const EmbedOptions& options, bool is_terminal,
                        const std::function<void(std::string_view)>& write) {
  return EmbedJob(model, files, row_options, options).run(is_terminal, write);
}

}  // namespace onggi::tasks
