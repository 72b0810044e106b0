#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "onggi/core/files.h"
#include "onggi/formats/checkpoint.h"

namespace onggi::formats {

/// One .safetensors file, mapped: u64 header length, JSON header, bytes. Tensors in the order of their bytes. BOOL is
/// given as U8; the 4-bit checkpoints of bitsandbytes show as the U8 and F32 tensors that they consist of. Immutable.
class SafetensorsFile {
 public:
  /// Throws kNotFound or kCorrupt naming the file, kInvalidArgument on a dtype that is not supported (by its name).
  explicit SafetensorsFile(const std::filesystem::path& path);
  /// Over bytes in memory, which must outlive this (fuzzing and tests).
  SafetensorsFile(std::span<const std::byte> bytes, std::string_view where);

  std::span<const TensorView> tensors() const { return tensors_; }
  /// nullptr where absent.
  const TensorView* find(std::string_view name) const;
  /// The header's __metadata__.
  const std::map<std::string, std::string>& metadata() const { return metadata_; }

 private:
  void parse(std::span<const std::byte> bytes, const std::string& where);

  std::optional<MappedFile> file_;
  std::vector<TensorView> tensors_;
  std::map<std::string, std::size_t, std::less<>> by_name_;
  std::map<std::string, std::string> metadata_;
};

/// Whether the bytes begin as a safetensors file does: a header length in bounds, then an object.
bool looks_like_safetensors(std::span<const std::byte> bytes);

}  // namespace onggi::formats
