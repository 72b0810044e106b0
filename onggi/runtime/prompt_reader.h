#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "onggi/models/decoder.h"
#include "onggi/models/head.h"
#include "onggi/runtime/prefix_cache.h"
#include "onggi/runtime/request.h"

namespace onggi::runtime {

/// A prompt that is being read while its chunks go through the layers.
struct PromptState {
  std::shared_ptr<PromptReading> reading;  ///< Null: nothing is wanted of it.
  std::vector<double> sum;                 ///< [D] of the states of its tokens so far; with Pooling::kMean only.
  StateSums sums_at;                       ///< The sum at the ends of cache pieces, since they were last taken.
};

/// Tokens [first, first + count) of a pass are a row's positions from `position` on.
struct PassedTokens {
  std::int64_t first = 0;
  int count = 0;
  int position = 0;
};

/// Takes what is wanted of prompts out of the hidden states of each pass. Sums run by position in double, and each
/// log-probability depends on its own state alone, so chunks and cached beginnings change no bit. Confined to one
/// thread.
class PromptReader {
 public:
  /// Positions whose logits are in memory at once.
  static constexpr int kScoreChunk = 64;

  PromptReader(nn::Context& context, const models::Decoder& decoder, models::Head& head)
      : context_(context), decoder_(decoder), head_(head) {}

  /// Adds the states of these tokens to sum [D].
  void add_states(const nn::FloatBuffer& h_TD, const PassedTokens& passed, std::vector<double>& sum,
                  StateSums* sums_at = nullptr);
  /// Reads a piece of the request's prompt; pieces must come in order. `prefix_length` counts the shared prefix, which
  /// positions count too. `ids` are all that have a logit.
  void read(const nn::FloatBuffer& h_TD, PassedTokens passed, const Request& request, const AnswerSettings& settings,
            int prefix_length, std::span<const int> ids, PromptState& state);

 private:
  void score(const nn::FloatBuffer& h_TD, const PassedTokens& passed, const Request& request, int num_alternatives,
             std::span<const int> ids, PromptReading& reading);
  void read_next(const nn::FloatBuffer& h_TD, std::int64_t token, std::span<const int> next_ids, std::size_t num_ids,
                 PromptReading& reading);

  nn::Context& context_;
  const models::Decoder& decoder_;
  models::Head& head_;
  nn::FloatBuffer logits_;
};

}  // namespace onggi::runtime
