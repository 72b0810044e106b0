#include "onggi/models/qwen/qwen.h"

#include "onggi/core/error.h"

namespace onggi::models {
namespace {

bool is_kind(const formats::Checkpoint& c, const char* name) {
  const char* key = c.kind() == formats::CheckpointKind::kGguf ? "general.architecture" : "model_type";
  return config_text_or(c, c.metadata(), key, "") == name;
}

DecoderConfig read_config(const formats::Checkpoint& c, const char* name) {
  DecoderConfig config;
  config.architecture = name;
  nn::RopeConfig rope;
  const Json& m = c.metadata();
  if (c.kind() == formats::CheckpointKind::kGguf) {
    read_common_gguf(c, name, config);
    rope.base = static_cast<float>(config_float_or(c, m, std::string(name) + ".rope.freq_base", 1e6));
  } else {
    config.tied_head = false;  // class default
    if (std::string_view(name) == "qwen3") config.head_dim = 128;
    read_common_hugging_face(c, m, config);
    const auto it = m.find("rope_parameters");
    rope = read_rope(c, it != m.end() && it->is_object() ? *it : m, 10000.0);
    require(!config_flag_or(c, m, "use_sliding_window", false), "qwen: sliding windows are not supported",
            ErrorCode::kInvalidArgument, c.path().string());
  }
  config.layers.assign(static_cast<std::size_t>(config.num_layers), {0, rope});
  return config;
}

WeightNames weight_names(const formats::Checkpoint& c) {
  return c.kind() == formats::CheckpointKind::kGguf ? gguf_names() : hugging_face_names("model.");
}

Json hugging_face_config(const DecoderConfig& c) {
  const bool is_qwen3 = c.architecture == "qwen3";
  Json json = common_hugging_face_config(c, c.architecture, is_qwen3 ? "Qwen3ForCausalLM" : "Qwen2ForCausalLM");
  json["hidden_act"] = "silu";
  if (is_qwen3) json["attention_bias"] = false;
  json["use_sliding_window"] = false;
  json["rope_theta"] = c.layers.front().rope.base;
  json["rope_scaling"] = rope_scaling_json(c.layers.front().rope);
  return json;
}

}  // namespace

Architecture qwen2_architecture() {
  return {"qwen2", [](const formats::Checkpoint& c) { return is_kind(c, "qwen2"); },
          [](const formats::Checkpoint& c) {
            DecoderConfig config = read_config(c, "qwen2");
            config.qkv_bias = true;
            return config;
          },
          weight_names, hugging_face_config};
}

Architecture qwen3_architecture() {
  return {"qwen3", [](const formats::Checkpoint& c) { return is_kind(c, "qwen3"); },
          [](const formats::Checkpoint& c) {
            DecoderConfig config = read_config(c, "qwen3");
            config.qk_norm = true;
            return config;
          },
          weight_names, hugging_face_config};
}

}  // namespace onggi::models
