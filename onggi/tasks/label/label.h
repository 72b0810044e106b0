#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "onggi/datasets/rows.h"
#include "onggi/tasks/label/money.h"
#include "onggi/tasks/label/teacher.h"

namespace onggi::tasks {

struct LabelFiles {
  std::string teacher;
  std::string prompt;
  std::vector<std::string> input;
  std::string output;
  std::string journal;
  std::string guidelines;
  std::vector<std::string> examples;
  std::string vectors, example_vectors;
  std::string schema;

  template <class V>
  void visit(V&& field) {
    field("teacher", teacher,
          "Who labels: the address of a server with OpenAI's API (https://host/v1), or a checkpoint (a GGUF file or a "
          "Hugging Face folder).");
    field("prompt", prompt,
          "Prompt template: what stands before its first slot is the system's message, its answer part writes the "
          "examples.");
    field("input", input, "Rows to label: a JSONL or CSV file, or a folder of them (repeat the flag for more).");
    field("output", output, "JSONL file of labels to write; goes on with it if it is there.");
    field("journal", journal, "File that keeps every answer, so that none is paid twice; empty = OUTPUT.journal.");
    field("guidelines", guidelines, "Text put before the prompt's own; its hash is in the labels.");
    field("examples", examples, "Labelled rows, of which each row's prompt gets the nearest (repeatable).");
    field("vectors", vectors, "Nearest by these vectors, not by words: a .npy of `onggi embed` for --input.");
    field("example_vectors", example_vectors, "The same for --examples.");
    field("schema", schema, "JSON Schema of the answer, sent as response_format; a local teacher is held to it.");
  }
};

struct LabelOptions {
  std::string group;
  int nearest = 8;
  int answers = 1;
  double least_share = 0.5;
  int repairs = 2;
  int max_retries = 8;
  std::string column = "label";
  std::string guideline_version;
  std::vector<std::string> names;

  template <class V>
  void visit(V&& field) {
    field("group", group, "Column whose rows give each other no example, as product.");
    field("nearest", nearest, "Examples in each prompt.");
    field("answers", answers,
          "Answers asked for each row; of more than one the label is what they agree on (needs a temperature).");
    field("least_share", least_share, "A theme is in the label if this share of the answers names it.");
    field("repairs", repairs, "An answer that can't be read is asked for again, with its fault, up to this often.");
    field("max_retries", max_retries, "Tries more of a call that failed in passing, before the row is given up.");
    field("label_column", column, "Column for answers that are no JSON object and no themes.");
    field("guideline_version", guideline_version,
          "Version of the guidelines that labels name; empty = the beginning of their hash.");
    field("name", names, "Aspects that a theme may have; others are asked for again (repeatable; none = any).");
  }
};

struct LabelLimits {
  int parallel = 16;
  std::int64_t requests_per_minute = 0, tokens_per_minute = 0;
  std::string input_price, cached_price, output_price, max_cost;

  template <class V>
  void visit(V&& field) {
    field("parallel", parallel, "Calls under way at most; how many really are follows what the teacher takes.");
    field("requests_per_minute", requests_per_minute, "Calls a minute at most; 0 = no limit.");
    field("tokens_per_minute", tokens_per_minute, "Tokens a minute at most, in and out; 0 = no limit.");
    field("input_price", input_price, "Dollars for a million prompt tokens, as 0.15.");
    field("cached_price", cached_price, "The same for those from the teacher's cache; empty = as --input-price.");
    field("output_price", output_price, "Dollars for a million answer tokens.");
    field("max_cost", max_cost, "Stop before the journal's answers would cost more dollars than this.");
  }
};

struct LabelSummary {
  std::int64_t num_labelled = 0;  ///< Of the whole output.
  std::int64_t num_failed = 0;
  std::int64_t num_asked = 0;  ///< Answers received in this call.
  std::int64_t num_found = 0;  ///< Taken from the journal.
  std::int64_t num_retries = 0, num_repairs = 0, num_lost = 0;
  MicroDollars spent = 0;  ///< Of the whole journal.
  bool has_prices = false;
};

/// Throws kInvalidArgument naming what is missing or out of range.
void check_label(const LabelFiles& files, const LabelOptions& options, const LabelLimits& limits, double temperature);

/// Labels the rows that `files.output` does not have yet (docs/formats/labels.md), in input order. Every answer is
/// durable in the journal before it is used, and looked up there before it is asked for: killed at any point, a further
/// call completes the file to the same bytes, and asks at most those calls again that were under way. `max_tokens` is
/// the most that an answer may have. Throws what the teacher's state says: kUnavailable where it does not answer or
/// lets nobody in, kExhausted where the money would not do.
LabelSummary label_file(Teacher& teacher, const LabelFiles& files, const datasets::RowsOptions& row_options,
                        const LabelOptions& options, const LabelLimits& limits, int max_tokens, bool is_terminal,
                        const std::function<void(std::string_view)>& write);

}  // namespace onggi::tasks
