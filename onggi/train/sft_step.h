#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "onggi/models/decoder.h"
#include "onggi/models/head.h"

namespace onggi::train {

/// One training row in ids: prefix (shared by all rows of a set) + prompt + answer; the answer, its end token included,
/// is what is scored.
struct Example {
  std::vector<int> prompt;
  std::vector<int> answer;
  /// With a guide: for each answer position one bit a column of the head subset, set where the guide allows it; no words
  /// at all where the guide leaves one choice only (nothing to learn there). Without a guide: empty.
  std::vector<std::vector<std::uint64_t>> allowed;
  std::int64_t source_row = 0;  ///< Index of the row in its data set.

  std::int64_t num_tokens() const { return static_cast<std::int64_t>(prompt.size() + answer.size()); }
  /// Answer positions that are scored.
  std::int64_t num_scored() const;
};

struct ExampleSet {
  std::vector<int> prefix;
  std::vector<Example> examples;

  /// Tokens as written in the rows: the prefix counted for each.
  std::int64_t num_tokens() const;
  std::int64_t num_scored() const;
};

struct StepOptions {
  /// Most tokens computed at once; a batch above it is cut into several passes whose gradients add up. Part of the plan:
  /// it changes the order of sums, so it is never taken from free memory.
  std::int64_t max_pass_tokens = 1024;
  bool recompute = false;     ///< Keep only each layer's input and run the layer again in its backward pass: same bits.
  float lora_dropout = 0.0F;  ///< While accumulating; the shared prefix has one mask for all rows of a pass.
  std::uint64_t seed = 0;     ///< Of the dropout.
};

/// What one pass computes.
struct PassSize {
  std::int64_t tokens = 0;  ///< The shared prefix once; the last token of a row predicts nothing and is left out.
  std::int64_t scored = 0;
  std::int64_t rows = 0;
};

/// How `rows` are cut into passes: (first, count) each. One row makes a pass whatever its length.
std::vector<std::pair<std::size_t, std::size_t>> cut_passes(const ExampleSet& set, std::span<const std::size_t> rows,
                                                            std::int64_t max_pass_tokens);
PassSize pass_size(const ExampleSet& set, std::span<const std::size_t> rows);

/// Forward and backward passes of supervised fine-tuning. The shared prefix is computed once a pass, with exact
/// gradients: its keys and values are attended by every row, and their gradients summed. Confined to one thread.
class SupervisedStep {
 public:
  /// `adapter` null: the decoder's own weights are trained (make_trainable first). `subset` null: full softmax.
  SupervisedStep(nn::Context& context, models::Decoder& decoder, nn::Adapter* adapter,
                 const models::HeadSubset* subset, StepOptions options = {});

  /// Adds the gradient of (sum of token losses over `rows`) / `denominator` and returns the sum of token losses.
  /// `update` (the updates made before this one) keys the dropout.
  double accumulate(const ExampleSet& set, std::span<const std::size_t> rows, std::int64_t denominator,
                    std::int64_t update = 0);
  /// Sum of token losses without gradients.
  double evaluate(const ExampleSet& set, std::span<const std::size_t> rows);

  /// Tokens run through the layers so far.
  std::int64_t num_computed_tokens() const { return num_computed_tokens_; }

 private:
  double run(const ExampleSet& set, std::span<const std::size_t> rows, float gradient_scale, bool with_gradient);
  double pass(const ExampleSet& set, std::span<const std::size_t> rows, float gradient_scale, bool with_gradient);
  void key_dropout(const ExampleSet& set, std::span<const std::size_t> rows, const models::Batch& batch);

  nn::Context& context_;
  models::Decoder& decoder_;
  nn::Adapter* adapter_;
  const models::HeadSubset* subset_;
  StepOptions options_;
  models::Head head_;
  models::Trace trace_;
  nn::AdapterDropout dropout_;
  nn::FloatBuffer h_;
  nn::FloatBuffer dh_;
  std::int64_t num_computed_tokens_ = 0;
};

}  // namespace onggi::train
