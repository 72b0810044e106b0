#pragma once

#include <filesystem>
#include <memory>

#include "onggi/formats/checkpoint.h"

namespace onggi::formats {

/// A Hugging Face model folder: config.json, generation_config.json if there, and model.safetensors or the shards that
/// model.safetensors.index.json names. Throws kNotFound or kCorrupt.
std::unique_ptr<Checkpoint> open_hugging_face(const std::filesystem::path& folder);

}  // namespace onggi::formats
