#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "onggi/datasets/rows.h"
#include "onggi/models/bert/bert_encoder.h"
#include "onggi/tasks/row_job.h"

namespace onggi::tasks {

struct EmbedFiles {
  std::string base;
  std::vector<std::string> rows;
  std::string text;
  std::string prompt;
  std::string adapter;
  std::string output;
  std::string split;
  std::string part = "test";

  template <class V>
  void visit(V&& field) {
    field("base", base,
          "Model, causal or a text encoder: a GGUF file or a Hugging Face folder; empty = the demo's Gemma 3 270M.");
    field("rows", rows, "Rows: a JSONL or CSV file, or a folder of them (repeat the flag for more).");
    field("text", text, "Column whose text is embedded.");
    field("template", prompt, "In place of --text: a prompt template; its answer part is not used.");
    field("adapter", adapter, "PEFT folder; none = the base alone.");
    field("output", output,
          "File to write: vectors.npy (f32, with ids beside it) or vectors.jsonl; goes on with it if it is there.");
    field("split", split, "Split file: embed only one part of the rows.");
    field("part", part, "With --split: train, validation or test.");
  }
};

struct EmbedOptions {
  std::string pooling;
  std::string prefix;
  int max_tokens = 0;
  int dimensions = 0;
  bool normalize = true;
  std::string adapter_type = "f32";
  bool exact = false;
  int batch_rows = 16;

  template <class V>
  void visit(V&& field) {
    field("pooling", pooling,
          "mean: over all tokens; last: the last token's state (causal models); first: the first one's (text encoders); "
          "empty = what the model's files say, else the mean.");
    field("prefix", prefix, "Text before each row's: E5's \"query: \" or \"passage: \".");
    field("max_tokens", max_tokens,
          "Longer rows are cut; 0 = a text encoder's own limit. A causal model cuts nothing unless asked to.");
    field("dimensions", dimensions, "Keep only the first of the vector's values, before it is normalised; 0 = all.");
    field("normalize", normalize, "Bring vectors to length 1.");
    field("adapter_type", adapter_type, "The adapter as f32, or int8 as `serve` may hold it.");
    field("exact", exact, "Compute in f32 instead of int8 (slower; the reference's arithmetic).");
    field("batch_rows", batch_rows, "Rows computed side by side; changes speed, never a vector.");
  }
};

struct EmbedSummary {
  std::int64_t num_embedded = 0;  ///< In this call.
  std::int64_t num_failed = 0;
  std::int64_t num_cut = 0;  ///< Of those embedded: longer than the limit of tokens.
  int dimensions = 0;
  double rows_per_s = 0.0;
  double tokens_per_s = 0.0;
};

/// The model of such a job: a causal one or a text encoder, never both.
struct EmbedModel {
  nn::Context& context;
  models::Decoder* decoder = nullptr;
  const models::BertEncoder* encoder = nullptr;
  std::shared_ptr<const text::Tokenizer> tokenizer;
  std::string base_hash;
};

/// Throws kInvalidArgument naming what is missing or goes not together.
void require_embed_files(const EmbedFiles& files);

/// Embeds the rows that `files.output` does not have yet, in input order (docs/how_to/embed.md has the formats). A row
/// that can't be embedded (longer than the model's context) has no vector, or one of NaN in a .npy, and says why.
/// Killed at any point, a further call completes the file to the same bytes as an undisturbed one.
EmbedSummary embed_file(const EmbedModel& model, const EmbedFiles& files, const datasets::RowsOptions& row_options,
                        const EmbedOptions& options, bool is_terminal,
                        const std::function<void(std::string_view)>& write);

}  // namespace onggi::tasks
