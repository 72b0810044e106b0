#pragma once

#include "onggi/models/decoder_config.h"

namespace onggi::models {

/// Qwen 2 / 2.5 (bias on q, k, v) and Qwen 3 (norms on q and k), dense.
Architecture qwen2_architecture();
Architecture qwen3_architecture();

}  // namespace onggi::models
