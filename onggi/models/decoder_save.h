#pragma once

#include <filesystem>
#include <string_view>

#include "onggi/core/json.h"
#include "onggi/models/decoder.h"

namespace onggi::models {

/// Writes a trained decoder in the form of its base, every trained tensor as F32, in `folder`: from a Hugging Face base a
/// model folder "model" (the base's config and tokenizer files with it, `origin` as onggi.json), from a GGUF base the
/// file "model.gguf" (its other keys and tensors as they are, `origin` as the key onggi.origin). What stood there before
/// is replaced as a whole; a crash leaves the old one or the new one. Equal input gives equal bytes. Returns the path.
/// Throws kInvalidArgument if a weight is not finite or "model" is something else; kUnavailable if it can't be written.
std::filesystem::path save_trained(const Decoder& decoder, const std::filesystem::path& folder, const Json& origin);

}  // namespace onggi::models
