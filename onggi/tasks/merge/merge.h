#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "onggi/core/json.h"
#include "onggi/models/decoder.h"
#include "onggi/nn/lora.h"

namespace onggi::tasks {

struct MergeOptions {
  std::string output;
  std::string type;
  std::string tokenizer;
  std::int64_t shard_mb = 5000;
  bool force = false;

  template <class V>
  void visit(V&& field) {
    field("output", output, "A name ending in .gguf for a GGUF file; any other for a Hugging Face folder.");
    field("type", type,
          "Type of the merged matrices: F32, F16 or BF16; GGUF also Q8_0 and Q4_0. Without it the base's float "
          "type; on a quantised base BF16 in a folder, Q8_0 in a GGUF file.");
    field("tokenizer", tokenizer,
          "Folder: a Hugging Face folder whose tokenizer files are taken instead of the base's.");
    field("shard_mb", shard_mb,
          "Folder: megabytes of one safetensors file; above it the weights are cut into several.");
    field("force", force, "Replace a model that is already at --output.");
  }
};

struct MergeInput {
  nn::Context& context;
  const models::Decoder& decoder;
  const nn::Adapter& adapter;
  Json origin;  ///< What was merged, for the folder's onggi.json or the key onggi.origin; may be null.
  bool is_terminal = false;
  std::function<void(std::string_view)> write;  ///< Progress and notes; may be empty.
};

struct MergeSummary {
  std::int64_t num_merged = 0;  ///< Matrices that the adapter changed.
  std::int64_t num_kept = 0;    ///< Tensors that it did not.
  std::int64_t num_bytes = 0;   ///< Of the weight files.
};

/// Writes base + adapter as one model: W + scale B A, with DoRA its rows scaled to the magnitudes, computed in f32 from
/// the weights that the adapter was trained on, then rounded once to the type. Tensor by tensor: memory does not grow
/// with the model. Written under another name first, so `output` is a whole model or is not there.
///
/// From a GGUF base to a GGUF file every key is kept (general.file_type names the new type, onggi.origin is added), and
/// tensors that the adapter does not touch keep their blocks. From a folder to a folder the names, config.json and
/// tokenizer files are kept; --type converts all float tensors. From GGUF to a folder config.json is derived, and
/// norms, biases and the embedding take the type too. Throws kInvalidArgument if `output` is taken (without `force`),
/// is the base, or the type does not fit, and what the writers throw: NaN or infinite results, no space.
MergeSummary merge_adapter(const MergeInput& input, const MergeOptions& options);

}  // namespace onggi::tasks
