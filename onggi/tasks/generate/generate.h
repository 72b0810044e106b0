#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "onggi/datasets/rows.h"
#include "onggi/decode/sampler.h"
#include "onggi/runtime/generator.h"
#include "onggi/tasks/row_job.h"

namespace onggi::tasks {

struct GenerateFiles {
  std::string base;
  std::vector<std::string> rows;
  std::string prompt;
  std::vector<std::string> adapters;
  std::string guide;
  std::string output;
  std::string split;
  std::string part = "test";
  std::vector<std::string> extractor_rows;

  template <class V>
  void visit(V&& field) {
    field("base", base, "Model: a GGUF file or a Hugging Face folder; empty = the demo's Gemma 3 270M.");
    field("rows", rows, "Rows: a JSONL or CSV file, or a folder of them (repeat the flag for more).");
    field("template", prompt, "Prompt template; its answer part is not used.");
    field("adapter", adapters, "PEFT folder; none = the base alone. Of several (repeat the flag), as runs of other seeds, each draws --samples answers.");
    field("guide", guide, "Guide file: the language that answers must belong to; empty = free.");
    field("output", output, "JSONL file to write; goes on with it if it is there.");
    field("split", split, "Split file: answer only one part of the rows.");
    field("part", part, "With --split: train, validation or test.");
    field("extractor_rows", extractor_rows, "Labelled rows for --extractor-weight; with --split: the parts before the answered one.");
  }
};

struct GenerateOptions {
  decode::SamplingOptions sampling;
  int max_new_tokens = 256;
  int batch_rows = 16;
  std::int64_t seed = 0;
  int samples = 1;
  double least_share = 0.3;
  double extractor_weight = 0.0;
  bool show_samples = false;
  bool exact = false;
  std::string adapter_type = "f32";
  bool fields = false;

  template <class V>
  void visit(V&& field) {
    sampling.visit(field);
    field("max_new_tokens", max_new_tokens, "A row that has not ended by then is marked as failed.");
    field("batch_rows", batch_rows, "Rows decoded side by side; changes speed, never an answer.");
    field("seed", seed, "Seed of sampling; a row's numbers depend on it and the row alone.");
    field("samples", samples, "Answers drawn for each row by each adapter; of more than one the consensus is written (needs a temperature).");
    field("least_share", least_share, "With --samples and a template of cards: a card is written if this share of the samples has it.");
    field("extractor_weight", extractor_weight, "With --samples and cards: how much a rule extractor learnt from labelled rows counts beside the samples, 0 to 1.");
    field("show_samples", show_samples, "Also write all samples of each row.");
    field("exact", exact, "Compute in f32 instead of int8 (slower; the reference's arithmetic).");
    field("adapter_type", adapter_type, "Adapters as f32, or int8 as `serve` may hold them (a quarter of the memory; answers differ in their last bits).");
    field("fields", fields, "Also write the log-probability of each value inside a JSON answer.");
  }
};

struct GenerateSummary {
  std::int64_t num_answered = 0;  ///< In this call.
  std::int64_t num_failed = 0;
  double rows_per_s = 0.0;
  double tokens_per_s = 0.0;      ///< Prompt and answer tokens as written.
};

/// Throws kInvalidArgument naming what is missing.
void require_generate_files(const GenerateFiles& files);

/// Answers the rows that `files.output` does not have yet. A line a row, in input order: {"id", "text",
/// "log_probability", "tokens"} or {"id", "text": null, "failure"}; with several samples the text is their consensus
/// (consensus.h), which has no "tokens" where it joins cards of several samples. Killed at any point, a further call completes the file
/// to the same bytes as an undisturbed one.
GenerateSummary generate_file(RowModel model, const GenerateFiles& files, const datasets::RowsOptions& row_options,
                              const GenerateOptions& options, bool is_terminal,
                              const std::function<void(std::string_view)>& write);

}  // namespace onggi::tasks
