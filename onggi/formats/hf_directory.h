#pragma once

#include <filesystem>
#include <memory>
#include <optional>

#include "onggi/formats/checkpoint.h"

namespace onggi::formats {

/// A Hugging Face model folder: config.json, generation_config.json if there, and the weights: model.safetensors, or
/// the shards that model.safetensors.index.json names, or only `weights` where that is given. Throws kNotFound if a
/// part is missing, else what parse_json and SafetensorsFile throw.
std::unique_ptr<Checkpoint> open_hugging_face(const std::filesystem::path& folder,
                                              const std::optional<std::filesystem::path>& weights = std::nullopt);

}  // namespace onggi::formats
