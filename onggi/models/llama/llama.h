#pragma once

#include "onggi/models/decoder_config.h"

namespace onggi::models {

/// Llama 3.x and models of its shape (SmolLM2): GGUF (rows of q and k permuted) and Hugging Face files.
Architecture llama_architecture();

}  // namespace onggi::models
