#include "onggi/models/decoder_save.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "onggi/core/error.h"
#include "onggi/core/files.h"
#include "onggi/formats/gguf_writer.h"
#include "onggi/formats/safetensors_writer.h"

namespace onggi::models {
namespace {

namespace fs = std::filesystem;

/// What a tokenizer and its template are made of, beside *.tiktoken and *.jinja.
constexpr std::array<std::string_view, 10> kCopiedFiles = {
    "tokenizer.json",   "tokenizer.model", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
    "vocab.json",       "merges.txt",      "chat_template.json",    "generation_config.json",  "preprocessor_config.json"};

formats::TensorToWrite to_write(const StoredParameter& stored, std::string name) {
  const nn::Parameter& p = *stored.parameter;
  const std::int64_t width = p.shape.back();
  const std::int64_t head_dim = stored.permuted_head_dim;
  return {.name = std::move(name), .type = quant::DType::kF32, .shape = p.shape, .data = {},
          .read_rows = [&p, width, head_dim, adds_one = stored.adds_one](std::int64_t first, std::int64_t count, float* out) {
            for (std::int64_t r = 0; r < count; ++r) {
              std::int64_t from = first + r;
              if (head_dim > 0) {
                // Row (head, i, half) of the file is row (head, half, i) of the rotate-half form.
                const std::int64_t in_head = from % head_dim;
                from += in_head % 2 * (head_dim / 2) + in_head / 2 - in_head;
              }
              std::memcpy(out + r * width, p.value.data() + from * width, static_cast<std::size_t>(width) * sizeof(float));
            }
            if (!adds_one) return;
            for (std::int64_t i = 0; i < count * width; ++i) out[i] -= 1.0F;
          }};
}

void write_gguf_model(const Decoder& decoder, const fs::path& path, const Json& origin) {
  std::map<std::string, StoredParameter> trained;
  for (auto& stored : decoder.stored_parameters()) trained.emplace(stored.file_name, stored);
  std::vector<formats::TensorToWrite> tensors;
  for (const auto& tensor : decoder.checkpoint().tensors()) {
    const auto it = trained.find(tensor.name);
    if (it == trained.end()) {
      tensors.push_back({.name = tensor.name, .type = tensor.type, .shape = tensor.shape, .data = tensor.data, .read_rows = {}});
    } else {
      tensors.push_back(to_write(it->second, tensor.name));
    }
  }
  std::vector<formats::GgufEntry> entries;
  for (auto& entry : formats::gguf_entries(decoder.checkpoint())) {
    if (entry.key == "general.quantization_version" || entry.key == "onggi.origin") continue;
    if (entry.key == "general.file_type") entry = formats::gguf_entry<std::uint32_t>(entry.key, 0);  // all F32
    entries.push_back(std::move(entry));
  }
  entries.push_back(formats::gguf_entry("onggi.origin", dump_json(origin)));
  formats::write_gguf(path, entries, tensors);
}

/// The base's config; of an image class only what its text model needs, since that alone is written.
Json text_config(const Json& config) {
  const auto it = config.find("text_config");
  if (it == config.end() || !it->is_object()) return config;
  Json text = *it;
  for (const char* key : {"dtype", "torch_dtype", "bos_token_id", "eos_token_id", "pad_token_id", "tie_word_embeddings"}) {
    if (!text.contains(key) && config.contains(key)) text[key] = config[key];
  }
  text["architectures"] = {"Gemma3ForCausalLM"};
  text["model_type"] = "gemma3_text";
  return text;
}

void write_model_folder(const Decoder& decoder, const fs::path& folder, const Json& origin) {
  const fs::path base = fs::is_directory(decoder.checkpoint().path()) ? decoder.checkpoint().path() : decoder.checkpoint().path().parent_path();
  std::vector<formats::TensorToWrite> tensors;
  for (const auto& stored : decoder.stored_parameters()) tensors.push_back(to_write(stored, stored.parameter->name));
  formats::write_safetensors(folder / "model.safetensors", tensors, {{"format", "pt"}});
  write_file_atomic(folder / "config.json", dump_json(text_config(decoder.checkpoint().metadata()), 2) + "\n");
  std::vector<fs::path> copied;
  for (const auto& entry : fs::directory_iterator(base.empty() ? fs::path(".") : base)) {
    const std::string name = entry.path().filename().string();
    const bool is_known = std::find(kCopiedFiles.begin(), kCopiedFiles.end(), name) != kCopiedFiles.end();
    if (is_known || name.ends_with(".tiktoken") || name.ends_with(".jinja")) copied.push_back(entry.path());
  }
  for (const auto& file : copied) write_file_atomic(folder / file.filename(), read_file(file));
  write_file_atomic(folder / "onggi.json", dump_json(origin, 2) + "\n");
}

}  // namespace

std::vector<StoredParameter> Decoder::stored_parameters() const {
  require(trainable_, "only a trained decoder is written", ErrorCode::kInternal);
  const WeightNames names = find_architecture(*checkpoint_).weight_names(*checkpoint_);
  const auto norm = [&](const nn::Parameter& p, std::string name) {
    return StoredParameter{.parameter = &p, .file_name = std::move(name), .adds_one = config_.norm_adds_one};
  };
  std::vector<StoredParameter> all;
  all.push_back({.parameter = &*embedding_dense_, .file_name = names.embedding});
  for (int i = 0; i < config_.num_layers; ++i) {
    const DecoderLayer& layer = layers_[static_cast<std::size_t>(i)];
    all.push_back(norm(layer.attention_norm, at_layer(names.attention_norm, i)));
    for (int s = 0; s < kNumSlots; ++s) {
      const LinearLayer& linear = layer.linears[static_cast<std::size_t>(s)];
      const std::string name = at_layer(names.linears[static_cast<std::size_t>(s)], i);
      const auto slot = static_cast<LinearSlot>(s);
      const bool is_permuted = config_.permuted_qk && (slot == LinearSlot::kQ || slot == LinearSlot::kK);
      all.push_back({.parameter = &*linear.dense, .file_name = name + ".weight", .permuted_head_dim = is_permuted ? config_.head_dim : 0});
      if (linear.bias) all.push_back({.parameter = &*linear.bias, .file_name = name + ".bias"});
    }
    const std::array<std::pair<const nn::Parameter*, const std::string*>, 5> norms = {{{&layer.q_norm, &names.q_norm},
                                                                                       {&layer.k_norm, &names.k_norm},
                                                                                       {&layer.post_attention_norm, &names.post_attention_norm},
                                                                                       {&layer.mlp_norm, &names.mlp_norm},
                                                                                       {&layer.post_mlp_norm, &names.post_mlp_norm}}};
    for (const auto& [p, name] : norms) {
      if (!p->value.empty()) all.push_back(norm(*p, at_layer(*name, i)));
    }
  }
  all.push_back(norm(final_norm_, names.final_norm));
  if (head_dense_) all.push_back({.parameter = &*head_dense_, .file_name = names.head});
  return all;
}

fs::path save_trained(const Decoder& decoder, const fs::path& folder, const Json& origin) {
  if (decoder.checkpoint().kind() == formats::CheckpointKind::kGguf) {
    write_gguf_model(decoder, folder / "model.gguf", origin);
    return folder / "model.gguf";
  }
  const fs::path target = folder / "model";
  std::error_code error;
  require(!fs::exists(target, error) || fs::exists(target / "onggi.json", error) || (fs::is_directory(target, error) && fs::is_empty(target, error)),
          "the place of the model is taken by something else; choose another folder", ErrorCode::kInvalidArgument, target.string());
  const fs::path fresh = temporary_beside(target);
  fs::create_directories(fresh, error);
  require(!error, [&] { return "can't make the folder: " + error.message(); }, ErrorCode::kUnavailable, fresh.string());
  try {
    write_model_folder(decoder, fresh, origin);
    replace_folder(fresh, target);
  } catch (...) {
    fs::remove_all(fresh, error);
    throw;
  }
  return target;
}

}  // namespace onggi::models
