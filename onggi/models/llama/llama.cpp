#include "onggi/models/llama/llama.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "onggi/core/error.h"

namespace onggi::models {
namespace {

bool matches(const formats::Checkpoint& c) {
  const Json& m = c.metadata();
  const char* key = c.kind() == formats::CheckpointKind::kGguf ? "general.architecture" : "model_type";
  return config_text_or(c, m, key, "") == "llama";
}

/// Files of Llama 3.x carry the scaling of their frequencies as a tensor of factors.
std::vector<float> read_rope_factors(const formats::Checkpoint& c, int head_dim) {
  const auto* tensor = c.find("rope_freqs.weight");
  if (tensor == nullptr) return {};
  const auto where = c.path().string() + ": rope_freqs.weight";
  require(tensor->type == quant::DType::kF32 && tensor->shape == std::vector<std::int64_t>{head_dim / 2},
          [&] { return "expected F32 [" + std::to_string(head_dim / 2) + "], half of the head's width"; }, ErrorCode::kCorrupt, where);
  std::vector<float> factors(static_cast<std::size_t>(head_dim / 2));
  std::memcpy(factors.data(), tensor->data.data(), factors.size() * sizeof(float));
  require(std::ranges::all_of(factors, [](float f) { return std::isfinite(f) && f > 0.0F; }), "a factor is not a number above 0", ErrorCode::kCorrupt, where);
  return factors;
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
    rope.factors = read_rope_factors(c, config.head_dim);
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
