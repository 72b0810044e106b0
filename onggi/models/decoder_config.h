#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "onggi/formats/checkpoint.h"
#include "onggi/kernels/kernels.h"
#include "onggi/nn/rope.h"

namespace onggi::models {

/// The linear layers of a block, in the order of Adapter::linears.
enum class LinearSlot : int { kQ, kK, kV, kO, kGate, kUp, kDown };
inline constexpr int kNumSlots = 7;

struct LayerAttention {
  int window = 0;  ///< Keys a query sees, its own included; 0 = all before it.
  nn::RopeConfig rope;
};

/// One decoder-only transformer in numbers. One layer type covers all: {pre, sandwich norms} x {w, 1 + w} x {qk-norm} x
/// {bias on q, k, v} (docs/architecture.md).
struct DecoderConfig {
  std::string architecture;  ///< "gemma3", "llama", "qwen2", "qwen3"
  int vocab_size = 0;
  int hidden_size = 0;
  int intermediate_size = 0;
  int num_layers = 0;
  int num_heads = 0;
  int num_kv_heads = 0;
  int head_dim = 0;
  int max_positions = 0;
  float norm_epsilon = 1e-6F;
  bool norm_adds_one = false;   ///< The file holds w, the gain is 1 + w (Gemma in Hugging Face files).
  bool sandwich_norms = false;  ///< Norms after attention and MLP too.
  bool qk_norm = false;
  bool qkv_bias = false;
  bool permuted_qk = false;     ///< The file's q and k rows are for adjacent-pair RoPE (Llama GGUF): undone at load.
  bool tied_head = true;
  kernels::Activation activation = kernels::Activation::kSilu;
  float embedding_scale = 1.0F;
  float attention_scale = 1.0F;
  std::vector<LayerAttention> layers;
};

/// Names of tensors in a file; "{}" stands for the layer's number. Empty = the architecture has none.
struct WeightNames {
  std::string embedding;
  std::string final_norm;
  std::string head;
  std::string attention_norm;
  std::string q_norm;
  std::string k_norm;
  std::string post_attention_norm;
  std::string mlp_norm;
  std::string post_mlp_norm;
  std::array<std::string, kNumSlots> linears;  ///< Without ".weight" / ".bias".
};

/// Names that Llama-like checkpoints share; an architecture changes what differs.
WeightNames hugging_face_names(std::string_view prefix);
WeightNames gguf_names();
/// A name of WeightNames with the layer's number in the place of "{}".
std::string at_layer(const std::string& pattern, int layer);

/// "model.layers.3.self_attn.q_proj": the module path that adapters use, whatever the file.
std::string module_path(int layer, LinearSlot slot);

/// One kind of model: how to know it, read its numbers and find its tensors. A folder here and a line in registry.cpp.
struct Architecture {
  std::string_view name;
  bool (*matches)(const formats::Checkpoint&);
  DecoderConfig (*read_config)(const formats::Checkpoint&);
  WeightNames (*weight_names)(const formats::Checkpoint&);
  /// config.json of the same model as a Hugging Face folder, without dtype and token ids. read_config gives the config
  /// back from it, but for what follows from the dtype.
  Json (*hugging_face_config)(const DecoderConfig&);
  bool folder_norms_add_one = false;  ///< Hugging Face folders hold w where the gain is 1 + w, GGUF files the gain.
  std::string_view sentencepiece_class = "LlamaTokenizer";  ///< Of transformers, for a tokenizer.model.
};

/// Throws kInvalidArgument naming the architecture found and the known ones.
const Architecture& find_architecture(const formats::Checkpoint& checkpoint);

// Helpers for read_config.

/// GGUF key "<architecture>.<name>" or an HF member; throws kCorrupt if absent or no number within [low, high].
std::int64_t config_int(const formats::Checkpoint& checkpoint, const Json& object, std::string_view key,
                        std::int64_t low, std::int64_t high);
std::int64_t config_int_or(const formats::Checkpoint& checkpoint, const Json& object, std::string_view key,
                           std::int64_t fallback, std::int64_t low, std::int64_t high);
std::string config_text_or(const formats::Checkpoint& checkpoint, const Json& object, std::string_view key,
                           std::string_view fallback);
bool config_flag_or(const formats::Checkpoint& checkpoint, const Json& object, std::string_view key, bool fallback);
double config_float_or(const formats::Checkpoint& checkpoint, const Json& object, std::string_view key,
                       double fallback);
/// Shapes that every Llama-like HF config or GGUF file gives. `object` is config.json (or its text_config).
void read_common_hugging_face(const formats::Checkpoint& checkpoint, const Json& object, DecoderConfig& config);
void read_common_gguf(const formats::Checkpoint& checkpoint, std::string_view architecture, DecoderConfig& config);
/// What every Llama-like config.json has; the rest is the architecture's. The inverse of read_common_hugging_face.
Json common_hugging_face_config(const DecoderConfig& config, std::string_view model_type, std::string_view model_class);
/// "rope_scaling" of a config.json: null where nothing is scaled.
Json rope_scaling_json(const nn::RopeConfig& rope);
/// rope_theta + rope_scaling (old files) or one entry of rope_parameters (new ones).
nn::RopeConfig read_rope(const formats::Checkpoint& checkpoint, const Json& parameters, double fallback_base);

}  // namespace onggi::models
