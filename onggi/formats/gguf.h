#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string_view>

#include "onggi/formats/checkpoint.h"

namespace onggi::formats {

/// Opens a GGUF v3 file by mmap. Throws kCorrupt on anything that does not follow the format, kInvalidArgument on a
/// tensor type that is not supported (by its name).
std::unique_ptr<Checkpoint> open_gguf(const std::filesystem::path& path);

/// The same over bytes in memory, which must outlive the result (fuzzing and tests).
std::unique_ptr<Checkpoint> parse_gguf(std::span<const std::byte> bytes, std::string_view where);

bool looks_like_gguf(std::span<const std::byte> bytes);

}  // namespace onggi::formats
