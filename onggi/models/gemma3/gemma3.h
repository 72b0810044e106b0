#pragma once

#include "onggi/models/decoder_config.h"

namespace onggi::models {

/// Gemma 3 text, 270M to 27B (text part of the image models too): GGUF and Hugging Face files, three weight prefixes.
Architecture gemma3_architecture();

}  // namespace onggi::models
