#pragma once

#include <filesystem>
#include <map>
#include <span>
#include <string>

#include "onggi/formats/tensor_to_write.h"

namespace onggi::formats {

/// Writes a .safetensors file whose bytes depend on the content alone, equal to what the reference library writes:
/// tensors by falling element type, then by name, header padded to 8 bytes. Types F32, F16, BF16, I64, I32, I8, U8.
/// `metadata` is the header's __metadata__ ({"format", "pt"} for model and adapter weights), left out if empty. Atomic.
/// Throws kInvalidArgument on another type or a name that is empty, not UTF-8, "__metadata__" or there twice, and what
/// TensorToWrite's functions and AtomicFile throw.
void write_safetensors(const std::filesystem::path& path, std::span<const TensorToWrite> tensors,
                       const std::map<std::string, std::string>& metadata);

}  // namespace onggi::formats
