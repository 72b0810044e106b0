#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "onggi/formats/checkpoint.h"

namespace onggi::formats {

/// Opens a GGUF v3 file by mmap. Throws kCorrupt on anything that does not follow the format, kInvalidArgument on a
/// tensor type that is not supported (by its name). A file without tensors (a vocabulary) opens.
std::unique_ptr<Checkpoint> open_gguf(const std::filesystem::path& path);

/// The same over bytes in memory, which must outlive the result (fuzzing and tests). `where` stands in for the path.
std::unique_ptr<Checkpoint> parse_gguf(std::span<const std::byte> bytes, std::string_view where);

bool looks_like_gguf(std::span<const std::byte> bytes);

/// A key and its value as a file has them.
struct GgufEntry {
  std::string key;
  std::string value;  ///< u32 type, then the value; an array is u32 element type, u64 count, values.
};

/// All keys of a GGUF checkpoint in the file's order, arrays of any length included: what a converted file takes over.
/// Throws kInvalidArgument if the checkpoint is no GGUF file.
std::vector<GgufEntry> gguf_entries(const Checkpoint& checkpoint);

}  // namespace onggi::formats
