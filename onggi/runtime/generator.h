#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "onggi/decode/guide.h"
#include "onggi/decode/sampler.h"
#include "onggi/models/decoder.h"
#include "onggi/models/head.h"
#include "onggi/text/tokenizer.h"

namespace onggi::runtime {

/// One row to be answered.
struct Request {
  std::int64_t index = 0;          ///< The row's number in its job: keys its random numbers, with the sample's.
  std::vector<int> prompt;         ///< Ids after the job's shared prefix.
  decode::Slots slots;             ///< What the guide may quote from this row.
  int num_samples = 1;             ///< Answers wanted; the prompt is computed once.
  int first_sample = 0;            ///< Number of the first; the others follow.
};

struct GeneratedToken {
  int id = 0;
  float log_probability = 0.0F;    ///< Under the served distribution: the model's, over what the guide allows.
  std::size_t begin_byte = 0;      ///< Where its bytes stand in the answer.
  std::size_t end_byte = 0;
};

struct Answer {
  std::int64_t index = 0;
  int sample = 0;
  std::string text;
  std::vector<GeneratedToken> tokens;
  double log_probability = 0.0;
  bool complete = false;           ///< Ended by a stop token or by the guide.
  std::string failure;             ///< Why not complete; empty if complete.

  /// Sum over the tokens that overlap bytes [begin, end) of the text.
  double log_probability_of(std::size_t begin, std::size_t end) const;
};

struct GeneratorOptions {
  int batch_rows = 16;             ///< Rows decoded side by side; samples that part make it up to 4 times as many. Changes no answer.
  int max_new_tokens = 256;
  decode::SamplingOptions sampling;
  std::uint64_t seed = 0;
};

struct GeneratorCounts {
  std::int64_t prompt_tokens = 0;     ///< As written in the rows, the shared prefix counted for each.
  std::int64_t computed_tokens = 0;   ///< Run through the layers.
  std::int64_t generated_tokens = 0;
  std::int64_t forced_tokens = 0;     ///< Of these, left no choice by the guide.
  std::int64_t steps = 0;
};

/// Answers rows with one model, at most one adapter and at most one guide. Rows join a running batch as others leave it;
/// a row's answer depends on the row, the options and the seed alone. Confined to one thread.
class Generator {
 public:
  /// `prefix` is computed once and continued by every row. `guide` may be null.
  Generator(nn::Context& context, models::Decoder& decoder, const text::Tokenizer& tokenizer,
            const nn::Adapter* adapter, std::shared_ptr<const decode::Guide> guide, std::vector<int> prefix,
            GeneratorOptions options);

  /// Answers all requests; `done` is called once a sample, in order of completion. A row that fails (too long for the model,
  /// cut at max_new_tokens) is an Answer with `failure`; its neighbours are not touched.
  void run(std::span<const Request> requests, const std::function<void(Answer&&)>& done);

  const GeneratorCounts& counts() const { return counts_; }

 private:
  struct Row;
  /// The prompt and one more token are within the model's context.
  bool fits(const Request& request) const;
  void prepare_subset(std::span<const Request> requests);
  /// A row ready to run, or one that has failed.
  Row admit(const Request& request);
  static void finish(Row&& row, const std::function<void(Answer&&)>& done);
  /// Adds an id to the answer; marks the row finished where it ends.
  void take(Row& row, int id, float log_probability);
  /// Takes everything that the guide leaves no choice about: it needs no head and joins the next pass.
  void take_forced(Row& row);
  /// Marks the row as failed where its guide can't go on.
  static void guarded(Row& row, const std::function<void()>& step);
  /// Chooses the next token of the row's samples; appends the row, and one more for each further token that was chosen.
  void choose(Row&& chosen, const float* logits, std::vector<Row>& rows);

  nn::Context& context_;
  models::Decoder& decoder_;
  const text::Tokenizer& tokenizer_;
  const nn::Adapter* adapter_;
  std::shared_ptr<const decode::Guide> guide_;
  std::vector<int> prefix_;
  GeneratorOptions options_;
  GeneratorCounts counts_;
  models::Head head_;
  std::optional<nn::KvSequence> prefix_sequence_;
  std::unique_ptr<models::HeadSubset> subset_;
  nn::FloatBuffer h_;
  nn::FloatBuffer logits_;
  std::vector<int> all_ids_;
  std::vector<float> row_logits_;
};

}  // namespace onggi::runtime
