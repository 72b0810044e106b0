#pragma once

#include <cstdint>
#include <vector>

#include "onggi/nn/context.h"

// T tokens, K inputs
namespace onggi::nn {

/// LoRA dropout of one update: the adapters' inputs are zeroed with `probability` and the rest scaled by
/// 1 / (1 - probability), as PEFT does while it trains. An element's fate depends on (seed, update, layer, key of its
/// token, feature) alone (Philox), never on the batch, the threads or what was drawn before.
struct AdapterDropout {
  float probability = 0.0F;
  std::uint64_t seed = 0;
  std::uint64_t update = 0;               ///< Below 2^28.
  std::vector<std::uint64_t> token_keys;  ///< One a token of the batch, from dropout_key.
};

/// `row` below 2^23 and `position` below 2^20 as one key.
inline std::uint64_t dropout_key(std::uint64_t row, std::uint64_t position) { return row << 20 | position; }

/// y_TK = x_TK with the mask of linear layer `layer` (its index in Adapter::linears) and the scale; added to y if
/// `accumulate`.
void apply_dropout(Context& context, const AdapterDropout& dropout, std::uint64_t layer, const float* x,
                   std::int64_t num_tokens, std::int64_t width, float* y, bool accumulate);

}  // namespace onggi::nn
