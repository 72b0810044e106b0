#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "onggi/quant/dtype.h"

namespace onggi::formats {

/// A tensor whose bytes are at hand. Not owned.
struct TensorToWrite {
  std::string name;
  quant::DType type = quant::DType::kF32;  ///< F32, F16, BF16, I64, I32, I8 or U8.
  std::vector<std::int64_t> shape;
  std::span<const std::byte> data;
};

/// Writes a .safetensors file: tensors by descending alignment, then name, as the reference writer orders them; the
/// header padded with spaces to 8 bytes. Equal input gives equal bytes. Temporary name, fsync, rename: a crash leaves the
/// old file or the new one. Throws kInvalidArgument (name twice, size that does not fit the shape, type that the format
/// has no name for) or kUnavailable.
void write_safetensors(const std::filesystem::path& path, std::span<const TensorToWrite> tensors,
                       const std::map<std::string, std::string>& metadata);

}  // namespace onggi::formats
