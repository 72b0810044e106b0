#include "onggi/models/decoder_config.h"

#include <charconv>
#include <cmath>

#include "onggi/core/error.h"

namespace onggi::models {
namespace {

[[noreturn]] void corrupt(const formats::Checkpoint& checkpoint, const std::string& message) {
  throw Error(ErrorCode::kCorrupt, "model config: " + message, checkpoint.path().string());
}

/// The double that prints as the float does: 1e-06, not 9.99999997e-07.
double shortest(float value) {
  char text[32];
  double number = value;
  const auto end = std::to_chars(text, text + sizeof text, value).ptr;
  std::from_chars(text, end, number);
  return number;
}

}  // namespace

WeightNames hugging_face_names(std::string_view prefix) {
  const std::string p(prefix);
  const std::string layer = p + "layers.{}.";
  return {.embedding = p + "embed_tokens.weight",
          .final_norm = p + "norm.weight",
          .head = "lm_head.weight",
          .attention_norm = layer + "input_layernorm.weight",
          .q_norm = layer + "self_attn.q_norm.weight",
          .k_norm = layer + "self_attn.k_norm.weight",
          .post_attention_norm = {},
          .mlp_norm = layer + "post_attention_layernorm.weight",
          .post_mlp_norm = {},
          .linears = {layer + "self_attn.q_proj", layer + "self_attn.k_proj", layer + "self_attn.v_proj",
                      layer + "self_attn.o_proj", layer + "mlp.gate_proj", layer + "mlp.up_proj",
                      layer + "mlp.down_proj"}};
}

WeightNames gguf_names() {
  const std::string layer = "blk.{}.";
  return {.embedding = "token_embd.weight",
          .final_norm = "output_norm.weight",
          .head = "output.weight",
          .attention_norm = layer + "attn_norm.weight",
          .q_norm = layer + "attn_q_norm.weight",
          .k_norm = layer + "attn_k_norm.weight",
          .post_attention_norm = {},
          .mlp_norm = layer + "ffn_norm.weight",
          .post_mlp_norm = {},
          .linears = {layer + "attn_q", layer + "attn_k", layer + "attn_v", layer + "attn_output", layer + "ffn_gate",
                      layer + "ffn_up", layer + "ffn_down"}};
}

std::string at_layer(const std::string& pattern, int layer) {
  const auto brace = pattern.find("{}");
  return brace == std::string::npos ? pattern
                                    : pattern.substr(0, brace) + std::to_string(layer) + pattern.substr(brace + 2);
}

std::string module_path(int layer, LinearSlot slot) {
  static constexpr std::array<std::string_view, kNumSlots> kNames = {
      "self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj",
      "mlp.gate_proj",    "mlp.up_proj",      "mlp.down_proj"};
  return "model.layers." + std::to_string(layer) + "." + std::string(kNames[static_cast<std::size_t>(slot)]);
}

std::int64_t config_int_or(const formats::Checkpoint& checkpoint, const Json& object, std::string_view key,
                           std::int64_t fallback, std::int64_t low, std::int64_t high) {
  const auto it = object.find(std::string(key));
  if (it == object.end() || it->is_null()) return fallback;
  if (!it->is_number_integer()) corrupt(checkpoint, "\"" + std::string(key) + "\" is no integer: " + it->dump());
  const auto value = it->get<std::int64_t>();
  if (value < low || value > high) {
    corrupt(checkpoint, "\"" + std::string(key) + "\" is " + std::to_string(value) + ", expected " +
                            std::to_string(low) + " to " + std::to_string(high));
  }
  return value;
}

std::int64_t config_int(const formats::Checkpoint& checkpoint, const Json& object, std::string_view key,
                        std::int64_t low, std::int64_t high) {
  const auto it = object.find(std::string(key));
  if (it == object.end() || it->is_null()) corrupt(checkpoint, "\"" + std::string(key) + "\" is missing");
  return config_int_or(checkpoint, object, key, 0, low, high);
}

std::string config_text_or(const formats::Checkpoint& checkpoint, const Json& object, std::string_view key,
                           std::string_view fallback) {
  const auto it = object.find(std::string(key));
  if (it == object.end() || it->is_null()) return std::string(fallback);
  if (!it->is_string()) corrupt(checkpoint, "\"" + std::string(key) + "\" is no text: " + it->dump());
  return it->get<std::string>();
}

bool config_flag_or(const formats::Checkpoint& checkpoint, const Json& object, std::string_view key, bool fallback) {
  const auto it = object.find(std::string(key));
  if (it == object.end() || it->is_null()) return fallback;
  if (!it->is_boolean()) corrupt(checkpoint, "\"" + std::string(key) + "\" is neither true nor false: " + it->dump());
  return it->get<bool>();
}

double config_float_or(const formats::Checkpoint& checkpoint, const Json& object, std::string_view key,
                       double fallback) {
  const auto it = object.find(std::string(key));
  if (it == object.end() || it->is_null()) return fallback;
  if (!it->is_number()) corrupt(checkpoint, "\"" + std::string(key) + "\" is no number: " + it->dump());
  const auto value = it->get<double>();
  if (!std::isfinite(value)) corrupt(checkpoint, "\"" + std::string(key) + "\" is not finite");
  return value;
}

void read_common_hugging_face(const formats::Checkpoint& c, const Json& object, DecoderConfig& config) {
  const auto get = [&](std::string_view key, int fallback, std::int64_t high) {
    return static_cast<int>(fallback > 0 ? config_int_or(c, object, key, fallback, 1, high)
                                         : config_int(c, object, key, 1, high));
  };
  config.hidden_size = get("hidden_size", config.hidden_size, 1 << 17);
  config.intermediate_size = get("intermediate_size", config.intermediate_size, 1 << 19);
  config.num_layers = get("num_hidden_layers", config.num_layers, 4096);
  config.num_heads = get("num_attention_heads", config.num_heads, 1 << 12);
  config.num_kv_heads = get("num_key_value_heads", config.num_kv_heads > 0 ? config.num_kv_heads : config.num_heads, 1 << 12);
  config.head_dim = get("head_dim", config.head_dim > 0 ? config.head_dim : config.hidden_size / config.num_heads, 1 << 12);
  config.vocab_size = get("vocab_size", config.vocab_size, 1 << 24);
  config.max_positions = get("max_position_embeddings", config.max_positions, 1 << 26);
  config.norm_epsilon = static_cast<float>(config_float_or(c, object, "rms_norm_eps", config.norm_epsilon));
  config.tied_head = config_flag_or(c, object, "tie_word_embeddings", config.tied_head);
  config.attention_scale = 1.0F / std::sqrt(static_cast<float>(config.head_dim));
}

void read_common_gguf(const formats::Checkpoint& c, std::string_view architecture, DecoderConfig& config) {
  const Json& kv = c.metadata();
  const auto key = [&](std::string_view name) { return std::string(architecture) + "." + std::string(name); };
  const auto get = [&](std::string_view name, std::int64_t high) {
    return static_cast<int>(config_int(c, kv, key(name), 1, high));
  };
  config.hidden_size = get("embedding_length", 1 << 17);
  config.intermediate_size = get("feed_forward_length", 1 << 19);
  config.num_layers = get("block_count", 4096);
  config.num_heads = get("attention.head_count", 1 << 12);
  config.num_kv_heads =
      static_cast<int>(config_int_or(c, kv, key("attention.head_count_kv"), config.num_heads, 1, 1 << 12));
  config.head_dim = static_cast<int>(
      config_int_or(c, kv, key("attention.key_length"), config.hidden_size / config.num_heads, 1, 1 << 12));
  config.max_positions = get("context_length", 1 << 26);
  config.norm_epsilon = static_cast<float>(config_float_or(c, kv, key("attention.layer_norm_rms_epsilon"), 1e-6));
  config.tied_head = c.find("output.weight") == nullptr;
  const auto* embedding = c.find("token_embd.weight");
  if (embedding == nullptr || embedding->shape.size() != 2) corrupt(c, "tensor \"token_embd.weight\" is missing");
  config.vocab_size = static_cast<int>(embedding->shape[0]);
  config.attention_scale = 1.0F / std::sqrt(static_cast<float>(config.head_dim));
}

Json common_hugging_face_config(const DecoderConfig& c, std::string_view model_type, std::string_view model_class) {
  return {{"architectures", Json::array({model_class})},
          {"model_type", model_type},
          {"hidden_size", c.hidden_size},
          {"intermediate_size", c.intermediate_size},
          {"num_hidden_layers", c.num_layers},
          {"num_attention_heads", c.num_heads},
          {"num_key_value_heads", c.num_kv_heads},
          {"head_dim", c.head_dim},
          {"vocab_size", c.vocab_size},
          {"max_position_embeddings", c.max_positions},
          {"rms_norm_eps", shortest(c.norm_epsilon)},
          {"tie_word_embeddings", c.tied_head},
          {"attention_dropout", 0.0},
          {"use_cache", true}};
}

Json rope_scaling_json(const nn::RopeConfig& rope) {
  require(rope.factors.empty(), "the base's RoPE factors (tensor rope_freqs.weight) have no form in a Hugging Face config.json; write a GGUF file",
          ErrorCode::kInvalidArgument);
  if (rope.llama3_factor != 1.0F) {
    return {{"rope_type", "llama3"},
            {"factor", rope.llama3_factor},
            {"low_freq_factor", rope.llama3_low},
            {"high_freq_factor", rope.llama3_high},
            {"original_max_position_embeddings", static_cast<std::int64_t>(rope.llama3_original_length)}};
  }
  if (rope.linear_factor != 1.0F) return {{"rope_type", "linear"}, {"factor", rope.linear_factor}};
  return nullptr;
}

nn::RopeConfig read_rope(const formats::Checkpoint& c, const Json& parameters, double fallback_base) {
  nn::RopeConfig rope;
  rope.base = static_cast<float>(config_float_or(c, parameters, "rope_theta", fallback_base));
  const Json* scaling = &parameters;
  if (const auto it = parameters.find("rope_scaling"); it != parameters.end() && it->is_object()) scaling = &*it;
  std::string type = "default";
  for (const char* key : {"rope_type", "type"}) {
    if (const auto it = scaling->find(key); it != scaling->end() && it->is_string()) {
      type = it->get<std::string>();
      break;
    }
  }
  if (type == "linear") {
    rope.linear_factor = static_cast<float>(config_float_or(c, *scaling, "factor", 1.0));
  } else if (type == "llama3") {
    rope.llama3_factor = static_cast<float>(config_float_or(c, *scaling, "factor", 8.0));
    rope.llama3_low = static_cast<float>(config_float_or(c, *scaling, "low_freq_factor", 1.0));
    rope.llama3_high = static_cast<float>(config_float_or(c, *scaling, "high_freq_factor", 4.0));
    rope.llama3_original_length =
        static_cast<float>(config_float_or(c, *scaling, "original_max_position_embeddings", 8192.0));
  } else if (type != "default") {
    throw Error(ErrorCode::kInvalidArgument,
                "RoPE scaling \"" + type + "\" is not supported (default, linear and llama3 are)", c.path().string());
  }
  return rope;
}

}  // namespace onggi::models
