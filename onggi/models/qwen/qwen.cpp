#include "onggi/models/qwen/qwen.h"

#include "onggi/core/error.h"

namespace onggi::models {
namespace {

bool is_kind(const formats::Checkpoint& c, const char* name) {
  const char* key = c.kind() == formats::CheckpointKind::kGguf ? "general.architecture" : "model_type";
  return c.metadata().value(key, "") == name;
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
    require(!m.value("use_sliding_window", false), "qwen: sliding windows are not supported",
            ErrorCode::kInvalidArgument, c.path().string());
  }
  config.layers.assign(static_cast<std::size_t>(config.num_layers), {0, rope});
  return config;
}

WeightNames weight_names(const formats::Checkpoint& c) {
  return c.kind() == formats::CheckpointKind::kGguf ? gguf_names() : hugging_face_names("model.");
}

}  // namespace

Architecture qwen2_architecture() {
  return {"qwen2", [](const formats::Checkpoint& c) { return is_kind(c, "qwen2"); },
          [](const formats::Checkpoint& c) {
            DecoderConfig config = read_config(c, "qwen2");
            config.qkv_bias = true;
            return config;
          },
          weight_names};
}

Architecture qwen3_architecture() {
  return {"qwen3", [](const formats::Checkpoint& c) { return is_kind(c, "qwen3"); },
          [](const formats::Checkpoint& c) {
            DecoderConfig config = read_config(c, "qwen3");
            config.qk_norm = true;
            return config;
          },
          weight_names};
}

}  // namespace onggi::models
