#include "onggi/models/llama/llama.h"

#include "onggi/core/error.h"

namespace onggi::models {
namespace {

bool matches(const formats::Checkpoint& c) {
  const Json& m = c.metadata();
  const char* key = c.kind() == formats::CheckpointKind::kGguf ? "general.architecture" : "model_type";
  return config_text_or(c, m, key, "") == "llama";
}

DecoderConfig read_config(const formats::Checkpoint& c) {
  DecoderConfig config;
  config.architecture = "llama";
  nn::RopeConfig rope;
  const Json& m = c.metadata();
  if (c.kind() == formats::CheckpointKind::kGguf) {
    read_common_gguf(c, "llama", config);
    config.permuted_qk = true;
    rope.base = static_cast<float>(config_float_or(c, m, "llama.rope.freq_base", 10000.0));
    // Files of Llama 3.x carry the scaled frequencies as a tensor of factors.
    require(c.find("rope_freqs.weight") == nullptr,
            "llama: the GGUF file has the tensor rope_freqs.weight, which is not supported yet; use the Hugging Face "
            "directory of the same model",
            ErrorCode::kInvalidArgument, c.path().string());
  } else {
    config.tied_head = false;  // class default
    read_common_hugging_face(c, m, config);
    const auto it = m.find("rope_parameters");
    rope = read_rope(c, it != m.end() && it->is_object() ? *it : m, 10000.0);
    for (const char* key : {"attention_bias", "mlp_bias"}) {
      require(!config_flag_or(c, m, key, false), [&] { return std::string("llama: \"") + key + "\" is set, which is not supported"; },
              ErrorCode::kInvalidArgument, c.path().string());
    }
  }
  config.layers.assign(static_cast<std::size_t>(config.num_layers), {0, rope});
  return config;
}

WeightNames weight_names(const formats::Checkpoint& c) {
  return c.kind() == formats::CheckpointKind::kGguf ? gguf_names() : hugging_face_names("model.");
}

Json hugging_face_config(const DecoderConfig& c) {
  Json json = common_hugging_face_config(c, "llama", "LlamaForCausalLM");
  json["hidden_act"] = "silu";
  json["attention_bias"] = false;
  json["mlp_bias"] = false;
  json["rope_theta"] = c.layers.front().rope.base;
  json["rope_scaling"] = rope_scaling_json(c.layers.front().rope);
  return json;
}

}  // namespace

Architecture llama_architecture() { return {"llama", matches, read_config, weight_names, hugging_face_config}; }

}  // namespace onggi::models
