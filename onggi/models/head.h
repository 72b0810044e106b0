#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "onggi/models/decoder.h"

// S rows that need logits, D model width, V vocabulary, U rows of a subset
namespace onggi::models {

/// Rows of the vocabulary that a job can ever need, gathered once: decoding and training under a guide compute only
/// these rows of the head. Changed by `refresh` only.
class HeadSubset {
 public:
  /// `ids` ascending. In int8 the rows are packed for the integer kernel; in f32 they are decoded once.
  HeadSubset(nn::Context& context, const Decoder& decoder, std::vector<int> ids);

  std::span<const int> ids() const { return ids_; }
  /// Position of `id` in ids(), -1 if absent.
  int index_of(int id) const;
  /// Reads the rows again, after an update of a head that is trained.
  void refresh(nn::Context& context, const Decoder& decoder);

 private:
  friend class Head;
  std::vector<int> ids_;
  nn::PackedMatrix packed_;
  nn::FloatBuffer rows_UD_;
  nn::FloatBuffer panels_;
};

/// One position that is scored: the hidden state of token `token` predicts `target`.
struct ScoredPosition {
  std::int64_t token = 0;
  int target = 0;
  /// One bit a column of the subset: what the guide allows here; empty = all columns.
  std::span<const std::uint64_t> allowed;
};

/// Final norm and output layer of a decoder. Confined to one thread at a time.
class Head {
 public:
  explicit Head(Decoder& decoder) : decoder_(decoder) {}

  /// Final norm of chosen tokens of h_TD: [S, D], valid until the next call of any of these.
  const float* normed_rows(nn::Context& context, const nn::FloatBuffer& h_TD, std::span<const std::int64_t> tokens);

  /// Logits of chosen tokens of h_TD: out [S, U], or [S, V] where `subset` is null. The arithmetic follows the
  /// decoder's Compute.
  void logits(nn::Context& context, const nn::FloatBuffer& h_TD, std::span<const std::int64_t> tokens,
              const HeadSubset* subset, nn::FloatBuffer& out);

  /// Sum over positions of -log softmax(logits)[target], f32 arithmetic; nll[i] too if not empty. With dh_TD (which must
  /// be zero or hold other gradients) adds the gradient of sum * gradient_scale. Positions are taken in chunks of a
  /// fixed size, so memory does not grow with their number.
  double loss(nn::Context& context, const nn::FloatBuffer& h_TD, std::span<const ScoredPosition> positions,
              const HeadSubset* subset, float gradient_scale, nn::FloatBuffer* dh_TD, std::span<float> nll = {});

 private:
  Decoder& decoder_;
  std::unique_ptr<nn::PackedMatrix> packed_;  ///< Whole head, made when first needed.
  nn::FloatBuffer gathered_, normed_, inverse_rms_, logits_, d_normed_, d_gathered_, d_rows_;
  nn::QuantizedActivations quantized_;
};

}  // namespace onggi::models
