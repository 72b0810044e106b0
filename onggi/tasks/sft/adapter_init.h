#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "onggi/models/decoder.h"
#include "onggi/nn/lora.h"

namespace onggi::tasks {

struct LoraOptions {
  int rank = 16;
  float alpha = 32.0F;
  bool rslora = false;  ///< Scale alpha / sqrt(r) instead of alpha / r.
  bool dora = false;
  /// Names of layers ("q_proj"), matched at the end of the module path; empty = all linear layers.
  std::vector<std::string> targets;
};

/// A fresh adapter, packed: A uniform within 1 / sqrt(inputs), B zero (and DoRA's magnitudes the row norms of W), so the
/// model's answers do not change yet. Random numbers
/// are keyed by (seed, layer), so they do not depend on what else is trained. Throws kInvalidArgument if nothing matches.
nn::Adapter make_lora(nn::Context& context, const models::Decoder& decoder, const LoraOptions& options,
                      std::uint64_t seed);

}  // namespace onggi::tasks
