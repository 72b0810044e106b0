#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "onggi/core/json.h"
#include "onggi/quant/dtype.h"

namespace onggi::formats {

/// A named tensor in a mapped file. `shape` is outermost first: a linear layer's weight is [out, in], rows contiguous.
struct TensorView {
  std::string name;
  quant::DType type = quant::DType::kF32;
  std::vector<std::int64_t> shape;
  std::span<const std::byte> data;  ///< Not always aligned to its numbers: read with memcpy or unaligned loads.
  std::string file;                 ///< For messages.

  std::int64_t num_elements() const {
    std::int64_t n = 1;
    for (const auto d : shape) n *= d;
    return n;
  }
};

enum class CheckpointKind { kGguf, kHuggingFace };

/// A model on disk: a GGUF v3 file, or a Hugging Face directory (config.json and one or more safetensors). Tensors are
/// views into memory-mapped files, named as in the file. Immutable and thread-safe after `open`.
class Checkpoint {
 public:
  virtual ~Checkpoint() = default;

  virtual CheckpointKind kind() const = 0;
  virtual const std::filesystem::path& path() const = 0;

  /// GGUF: key-values, without arrays that are longer than 4,096 or hold text that is not UTF-8 (read those with the
  /// functions below). HF: config.json.
  virtual const Json& metadata() const = 0;
  /// HF: generation_config.json, null where absent.
  virtual const Json& generation_config() const = 0;

  virtual std::span<const TensorView> tensors() const = 0;
  /// nullptr where absent.
  virtual const TensorView* find(std::string_view name) const = 0;

  /// GGUF arrays of any length; nullopt where the key is absent. Throws kCorrupt where the element type is another. The
  /// strings are views into the file, any bytes.
  virtual std::optional<std::vector<std::string_view>> string_array(std::string_view key) const = 0;
  virtual std::optional<std::vector<float>> float_array(std::string_view key) const = 0;
  virtual std::optional<std::vector<std::int32_t>> int_array(std::string_view key) const = 0;
};

/// Opens by content, not by name: a folder with config.json, a GGUF file, or a single .safetensors file with
/// config.json beside it. Throws kNotFound, kCorrupt or kInvalidArgument with one clear message.
std::unique_ptr<Checkpoint> open_checkpoint(const std::filesystem::path& path);

}  // namespace onggi::formats
