#include "onggi/models/bert/bert_config.h"

#include <algorithm>

#include "onggi/core/error.h"
#include "onggi/core/files.h"
#include "onggi/models/decoder_config.h"

namespace onggi::models {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxConfigBytes = std::size_t{1} << 20;

std::string kind_of(const formats::Checkpoint& c) {
  const char* key = c.kind() == formats::CheckpointKind::kGguf ? "general.architecture" : "model_type";
  const auto it = c.metadata().find(key);
  return it != c.metadata().end() && it->is_string() ? it->get<std::string>() : "";
}

[[noreturn]] void unsupported(const formats::Checkpoint& c, const std::string& what) {
  throw Error(ErrorCode::kInvalidArgument, "text encoder: " + what, c.path().string());
}

/// null where there is no such file.
Json read_beside(const formats::Checkpoint& c, const char* name) {
  const fs::path folder = fs::is_directory(c.path()) ? c.path() : c.path().parent_path();
  if (!fs::exists(folder / name)) return {};
  return parse_json(read_file(folder / name, kMaxConfigBytes), (folder / name).string());
}

void read_pooling(const formats::Checkpoint& c, BertConfig& config) {
  const Json pooling = read_beside(c, "1_Pooling/config.json");
  const auto says = [&](const char* key) {
    const auto it = pooling.is_object() ? pooling.find(key) : pooling.end();
    return it != pooling.end() && it->is_boolean() && it->get<bool>();
  };
  for (const char* other : {"pooling_mode_max_tokens", "pooling_mode_mean_sqrt_len_tokens", "pooling_mode_lasttoken",
                            "pooling_mode_weightedmean_tokens"}) {
    if (says(other))
      unsupported(c, std::string("1_Pooling/config.json asks for ") + other + ", which is not supported");
  }
  if (says("pooling_mode_cls_token")) config.pooling = EncoderPooling::kFirst;
  const Json sentences = read_beside(c, "sentence_bert_config.json");
  if (sentences.is_object()) {
    config.max_tokens = static_cast<int>(config_int_or(c, sentences, "max_seq_length", config.max_tokens, 2, 1 << 20));
  }
}

void read_hugging_face(const formats::Checkpoint& c, BertConfig& config) {
  const Json& m = c.metadata();
  const auto get = [&](const char* key, std::int64_t high) { return static_cast<int>(config_int(c, m, key, 1, high)); };
  config.vocab_size = get("vocab_size", 1 << 24);
  config.hidden_size = get("hidden_size", 1 << 16);
  config.intermediate_size = get("intermediate_size", 1 << 18);
  config.num_layers = get("num_hidden_layers", 1024);
  config.num_heads = get("num_attention_heads", 1 << 10);
  config.num_positions = get("max_position_embeddings", 1 << 20);
  config.num_token_types = static_cast<int>(config_int_or(c, m, "type_vocab_size", 2, 1, 1 << 10));
  config.norm_epsilon = static_cast<float>(config_float_or(c, m, "layer_norm_eps", 1e-12));
  if (config.architecture != "bert") {
    config.position_offset = static_cast<int>(config_int_or(c, m, "pad_token_id", 1, 0, 1 << 20)) + 1;
  }
  const auto activation = config_text_or(c, m, "hidden_act", "gelu");
  if (activation != "gelu") unsupported(c, "\"hidden_act\" is \"" + activation + "\", expected \"gelu\"");
  const auto positions = config_text_or(c, m, "position_embedding_type", "absolute");
  if (positions != "absolute") {
    unsupported(c, "\"position_embedding_type\" is \"" + positions + "\", expected \"absolute\"");
  }
}

void read_gguf(const formats::Checkpoint& c, BertConfig& config) {
  const Json& m = c.metadata();
  const auto get = [&](const char* key, std::int64_t high) {
    return static_cast<int>(config_int(c, m, std::string("bert.") + key, 1, high));
  };
  config.hidden_size = get("embedding_length", 1 << 16);
  config.intermediate_size = get("feed_forward_length", 1 << 18);
  config.num_layers = get("block_count", 1024);
  config.num_heads = get("attention.head_count", 1 << 10);
  config.num_positions = get("context_length", 1 << 20);
  config.norm_epsilon = static_cast<float>(config_float_or(c, m, "bert.attention.layer_norm_epsilon", 1e-12));
  const auto rows = [&](const char* name) {
    const auto* tensor = c.find(name);
    return tensor != nullptr && tensor->shape.size() == 2
               ? static_cast<int>(std::min<std::int64_t>(tensor->shape[0], 1 << 24))
               : 0;
  };
  config.vocab_size = rows("token_embd.weight");
  config.num_token_types = rows("token_types.weight");
  const auto pooling = config_int_or(c, m, "bert.pooling_type", 1, 0, 4);
  if (pooling != 1 && pooling != 2) {
    unsupported(c, "bert.pooling_type is " + std::to_string(pooling) + ", expected 1 (mean) or 2 (first token)");
  }
  config.pooling = pooling == 1 ? EncoderPooling::kMean : EncoderPooling::kFirst;
}

}  // namespace

bool is_bert(const formats::Checkpoint& checkpoint) {
  const std::string kind = kind_of(checkpoint);
  return kind == "bert" || (kind == "xlm-roberta" && checkpoint.kind() != formats::CheckpointKind::kGguf);
}

BertConfig read_bert_config(const formats::Checkpoint& c) {
  BertConfig config;
  config.architecture = kind_of(c);
  const bool is_gguf = c.kind() == formats::CheckpointKind::kGguf;
  if (is_gguf) {
    read_gguf(c, config);
  } else {
    read_hugging_face(c, config);
  }
  const auto corrupt = [&](bool ok, const std::string& message) {
    require(
        ok, [&] { return "model config: " + message; }, ErrorCode::kCorrupt, c.path().string());
  };
  corrupt(config.hidden_size % config.num_heads == 0,
          std::to_string(config.num_heads) + " heads do not divide the width " + std::to_string(config.hidden_size));
  corrupt(config.max_positions() >= 2, "there is no position for a text's two frame tokens");
  corrupt(config.norm_epsilon >= 0.0F, "the norm's epsilon is below 0");
  config.max_tokens = config.max_positions();
  if (!is_gguf) read_pooling(c, config);
  config.max_tokens = std::min(config.max_tokens, config.max_positions());
  return config;
}

BertNames bert_names(const formats::Checkpoint& c) {
  if (c.kind() == formats::CheckpointKind::kGguf) {
    const std::string layer = "blk.{}.";
    return {.words = "token_embd",
            .positions = "position_embd",
            .types = "token_types",
            .embedding_norm = "token_embd_norm",
            .q = layer + "attn_q",
            .k = layer + "attn_k",
            .v = layer + "attn_v",
            .attention_output = layer + "attn_output",
            .attention_norm = layer + "attn_output_norm",
            .up = layer + "ffn_up",
            .down = layer + "ffn_down",
            .output_norm = layer + "layer_output_norm"};
  }
  std::string prefix;
  for (const char* candidate : {"bert.", "roberta."}) {
    if (c.find(std::string(candidate) + "embeddings.word_embeddings.weight") != nullptr) prefix = candidate;
  }
  const std::string layer = prefix + "encoder.layer.{}.";
  return {.words = prefix + "embeddings.word_embeddings",
          .positions = prefix + "embeddings.position_embeddings",
          .types = prefix + "embeddings.token_type_embeddings",
          .embedding_norm = prefix + "embeddings.LayerNorm",
          .q = layer + "attention.self.query",
          .k = layer + "attention.self.key",
          .v = layer + "attention.self.value",
          .attention_output = layer + "attention.output.dense",
          .attention_norm = layer + "attention.output.LayerNorm",
          .up = layer + "intermediate.dense",
          .down = layer + "output.dense",
          .output_norm = layer + "output.LayerNorm"};
}

std::string_view pooling_name(EncoderPooling pooling) { return pooling == EncoderPooling::kMean ? "mean" : "first"; }

}  // namespace onggi::models
