#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "onggi/core/json.h"
#include "onggi/nn/adapter_config.h"

namespace onggi::nn {

/// The adapter of one linear layer. R rank, K inputs, N outputs.
struct AdapterLayer {
  std::int64_t num_inputs = 0;
  std::int64_t num_outputs = 0;
  ModuleRule rule;               ///< As the config gives it for this layer.
  std::vector<float> a;          ///< [R, K]
  std::vector<float> b;          ///< [N, R]
  std::vector<float> magnitude;  ///< [N] for DoRA, else empty.
};

/// A PEFT adapter folder in memory.
struct AdapterFiles {
  AdapterConfig config;
  /// By path of the linear layer in the text model: "model.layers.3.self_attn.q_proj", sorted.
  std::map<std::string, AdapterLayer> layers;
  /// onggi.json: what the adapter was trained on and from; null where absent. See docs/formats/adapter.md.
  Json origin;
};

/// How paths begin in the tensor names of a written adapter (read: all three).
enum class AdapterPaths {
  kText,           ///< model.layers.N...
  kImage,          ///< model.language_model.layers.N... (transformers 4.52 and later, Gemma 3's image class)
  kImageBefore52,  ///< language_model.model.layers.N...
};

/// Reads adapter_config.json, adapter_model.safetensors (F32, F16 or BF16) and, if there, onggi.json. Throws kNotFound,
/// kCorrupt or kInvalidArgument naming file and tensor: a kind of tensor that is not supported, A without B, shapes
/// that do not fit each other or the config, NaN or infinite values, two names for one layer, mixed path prefixes.
AdapterFiles read_adapter(const std::filesystem::path& folder);

/// "base_type" of the folder's onggi.json: what the base's linear layers were held as while the adapter was trained.
/// "keep" where it does not say. Throws as read_adapter does.
std::string adapter_base_type(const std::filesystem::path& folder);
std::string adapter_base_type(const AdapterFiles& adapter, std::string_view where);

/// Writes the folder with PEFT's names, a short README.md, and onggi.json unless `origin` is null. Equal input gives
/// equal bytes. An existing adapter is replaced as a whole: a crash leaves the old folder or the new one. Throws
/// kInvalidArgument if the tensors do not follow the config, or `folder` holds something that is no adapter;
/// kUnavailable if it can't be written.
void write_adapter(const std::filesystem::path& folder, const AdapterFiles& adapter,
                   AdapterPaths paths = AdapterPaths::kText);

/// A linear layer of the base.
struct LinearShape {
  std::string path;
  std::int64_t num_inputs = 0;
  std::int64_t num_outputs = 0;
};

/// Throws kInvalidArgument, naming layer and `where`, unless every adapter layer is one of `base` with the same shape,
/// and every layer of `base` that the config names has its tensors.
void check_adapter_fits(const AdapterFiles& adapter, std::span<const LinearShape> base, std::string_view where);

/// Throws kInvalidArgument with both hashes if the adapter was trained on another base, tokenizer or template. `hashes`
/// are pairs of a key of onggi.json's "hashes" and the value now; keys that the adapter lacks are not compared.
void check_adapter_origin(const AdapterFiles& adapter, std::span<const std::pair<std::string, std::string>> hashes,
                          std::string_view where);

}  // namespace onggi::nn
