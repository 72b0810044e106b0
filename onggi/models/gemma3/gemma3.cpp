#include "onggi/models/gemma3/gemma3.h"

#include <cmath>

#include "onggi/core/error.h"
#include "onggi/quant/blocks.h"

namespace onggi::models {
namespace {

constexpr int kPattern = 6;  ///< Every sixth layer sees all keys.

bool matches(const formats::Checkpoint& c) {
  const Json& m = c.metadata();
  if (c.kind() == formats::CheckpointKind::kGguf) return config_text_or(c, m, "general.architecture", "") == "gemma3";
  const std::string type = config_text_or(c, m, "model_type", "");
  return type == "gemma3_text" || type == "gemma3";
}

void refuse_if_set(const formats::Checkpoint& c, const Json& object, const char* key) {
  if (const auto it = object.find(key); it != object.end() && !it->is_null()) {
    throw Error(ErrorCode::kInvalidArgument, std::string("gemma3: \"") + key + "\" is set, which is not supported",
                c.path().string());
  }
}

DecoderConfig read_hugging_face(const formats::Checkpoint& c) {
  const Json& m = c.metadata();
  const bool nested = m.contains("text_config") && m["text_config"].is_object();
  const Json& object = nested ? m["text_config"] : m;
  DecoderConfig config;
  // Class defaults: the published 4B config gives five numbers only.
  config.hidden_size = 2304;
  config.intermediate_size = 9216;
  config.num_layers = 26;
  config.num_heads = 8;
  config.num_kv_heads = 4;
  config.head_dim = 256;
  config.vocab_size = 262208;
  config.max_positions = 131072;
  read_common_hugging_face(c, object, config);
  refuse_if_set(c, object, "attn_logit_softcapping");
  refuse_if_set(c, object, "final_logit_softcapping");
  const std::string activation = config_text_or(c, object, "hidden_activation", "gelu_pytorch_tanh");
  require(activation == "gelu_pytorch_tanh",
          [&] { return "gemma3: activation \"" + activation + "\" is not supported (gelu_pytorch_tanh is)"; },
          ErrorCode::kInvalidArgument, c.path().string());
  require(!config_flag_or(c, object, "use_bidirectional_attention", false), "gemma3: bidirectional attention is not supported",
          ErrorCode::kInvalidArgument, c.path().string());
  config.norm_adds_one = true;  // as Architecture::folder_norms_add_one says
  const double query_scalar = config_float_or(c, object, "query_pre_attn_scalar", 256.0);
  config.attention_scale = static_cast<float>(1.0 / std::sqrt(query_scalar));
  // The reference multiplies by sqrt(d) rounded to the checkpoint's own type.
  std::string dtype = "float32";
  for (const Json* level : {&m, &object}) {
    for (const char* key : {"torch_dtype", "dtype"}) dtype = config_text_or(c, *level, key, dtype);
  }
  config.embedding_scale = std::sqrt(static_cast<float>(config.hidden_size));
  if (dtype == "bfloat16") config.embedding_scale = quant::bf16_to_f32(quant::f32_to_bf16(config.embedding_scale));
  if (dtype == "float16") config.embedding_scale = quant::f16_to_f32(quant::f32_to_f16(config.embedding_scale));

  const int window = static_cast<int>(config_int_or(c, object, "sliding_window", 4096, 1, 1 << 26));
  int pattern = static_cast<int>(config_int_or(c, object, "sliding_window_pattern", kPattern, 1, 4096));
  pattern = static_cast<int>(config_int_or(c, object, "_sliding_window_pattern", pattern, 1, 4096));
  nn::RopeConfig global_rope;
  nn::RopeConfig local_rope;
  if (const auto it = object.find("rope_parameters"); it != object.end() && it->is_object()) {
    global_rope = read_rope(c, it->value("full_attention", Json::object()), 1e6);
    local_rope = read_rope(c, it->value("sliding_attention", Json::object()), 1e4);
  } else {
    global_rope = read_rope(c, object, 1e6);
    local_rope.base = static_cast<float>(config_float_or(c, object, "rope_local_base_freq", 1e4));
  }
  const auto types = object.find("layer_types");
  for (int i = 0; i < config.num_layers; ++i) {
    bool global = (i + 1) % pattern == 0;
    if (types != object.end() && types->is_array()) {
      require(static_cast<int>(types->size()) == config.num_layers,
              "gemma3: \"layer_types\" does not have one entry a layer", ErrorCode::kCorrupt, c.path().string());
      global = (*types)[static_cast<std::size_t>(i)] == "full_attention";
    }
    config.layers.push_back({global ? 0 : window, global ? global_rope : local_rope});
  }
  return config;
}

DecoderConfig read_gguf(const formats::Checkpoint& c) {
  DecoderConfig config;
  read_common_gguf(c, "gemma3", config);
  const Json& kv = c.metadata();
  const int window = static_cast<int>(config_int_or(c, kv, "gemma3.attention.sliding_window", 512, 1, 1 << 26));
  nn::RopeConfig global_rope;
  global_rope.base = static_cast<float>(config_float_or(c, kv, "gemma3.rope.freq_base", 1e6));
  global_rope.linear_factor = static_cast<float>(config_float_or(c, kv, "gemma3.rope.scaling.factor", 1.0));
  const nn::RopeConfig local_rope{.base = static_cast<float>(config_float_or(c, kv, "gemma3.rope.local.freq_base", 1e4))};
  for (int i = 0; i < config.num_layers; ++i) {
    const bool global = (i + 1) % kPattern == 0;
    config.layers.push_back({global ? 0 : window, global ? global_rope : local_rope});
  }
  // 27B: query_pre_attn_scalar is d / heads, not the head's width.
  if (config.num_layers == 62) {
    config.attention_scale = 1.0F / std::sqrt(static_cast<float>(config.hidden_size) / static_cast<float>(config.num_heads));
  }
  config.embedding_scale = std::sqrt(static_cast<float>(config.hidden_size));
  return config;
}

DecoderConfig read_config(const formats::Checkpoint& c) {
  DecoderConfig config = c.kind() == formats::CheckpointKind::kGguf ? read_gguf(c) : read_hugging_face(c);
  config.architecture = "gemma3";
  config.sandwich_norms = true;
  config.qk_norm = true;
  config.activation = kernels::Activation::kGeluTanh;
  return config;
}

WeightNames weight_names(const formats::Checkpoint& c) {
  if (c.kind() == formats::CheckpointKind::kGguf) {
    WeightNames names = gguf_names();
    names.post_attention_norm = "blk.{}.post_attention_norm.weight";
    names.post_mlp_norm = "blk.{}.post_ffw_norm.weight";
    return names;
  }
  std::string prefix = "model.";
  for (const char* candidate : {"language_model.model.", "model.language_model."}) {
    if (c.find(std::string(candidate) + "embed_tokens.weight") != nullptr) prefix = candidate;
  }
  WeightNames names = hugging_face_names(prefix);
  names.post_attention_norm = prefix + "layers.{}.post_attention_layernorm.weight";
  names.mlp_norm = prefix + "layers.{}.pre_feedforward_layernorm.weight";
  names.post_mlp_norm = prefix + "layers.{}.post_feedforward_layernorm.weight";
  return names;
}

Json hugging_face_config(const DecoderConfig& c) {
  Json json = common_hugging_face_config(c, "gemma3_text", "Gemma3ForCausalLM");
  json["attention_bias"] = false;
  json["hidden_activation"] = "gelu_pytorch_tanh";
  json["query_pre_attn_scalar"] = std::lround(1.0 / (static_cast<double>(c.attention_scale) * c.attention_scale));
  json["layer_types"] = Json::array();
  // Where no layer is of a kind, its numbers are not used.
  nn::RopeConfig global{.base = 1e6F};
  nn::RopeConfig local;
  int window = 4096;
  for (const auto& layer : c.layers) {
    json["layer_types"].push_back(layer.window > 0 ? "sliding_attention" : "full_attention");
    (layer.window > 0 ? local : global) = layer.rope;
    if (layer.window > 0) window = layer.window;
  }
  json["sliding_window"] = window;
  json["sliding_window_pattern"] = kPattern;
  json["rope_theta"] = global.base;
  json["rope_local_base_freq"] = local.base;
  json["rope_scaling"] = rope_scaling_json(global);
  return json;
}

}  // namespace

Architecture gemma3_architecture() {
  return {"gemma3", matches, read_config, weight_names, hugging_face_config, true, "GemmaTokenizer"};
}

}  // namespace onggi::models
