#include <array>
#include <cstdio>

#include "onggi/core/error.h"
#include "onggi/core/files.h"
#include "onggi/formats/safetensors_writer.h"
#include "onggi/models/decoder_config.h"
#include "onggi/tasks/merge/merge_job.h"
#include "onggi/text/export_tokenizer.h"

namespace onggi::tasks {
namespace {

namespace fs = std::filesystem;
using quant::DType;

constexpr std::size_t kMaxCopiedBytes = std::size_t{1} << 30;
constexpr std::array kTokenizerFiles = {
    "tokenizer.json", "tokenizer.model", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
    "vocab.json",     "merges.txt",      "chat_template.jinja",   "chat_template.json"};
constexpr std::array kOtherFiles = {
    "generation_config.json", "preprocessor_config.json", "processor_config.json", "LICENSE", "LICENSE.txt", "NOTICE"};

const char* dtype_name(DType type) {
  return type == DType::kF32 ? "float32" : type == DType::kF16 ? "float16" : "bfloat16";
}

fs::path folder_of(const formats::Checkpoint& checkpoint) {
  const fs::path& path = checkpoint.path();
  if (fs::is_directory(path)) return path;
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

void copy_if_there(const fs::path& from, const fs::path& folder) {
  if (fs::is_regular_file(from)) write_file_atomic(folder / from.filename(), read_file(from, kMaxCopiedBytes));
}

/// Returns whether there was a tokenizer.
bool copy_tokenizer(const fs::path& from, const fs::path& folder) {
  for (const char* name : kTokenizerFiles) copy_if_there(from / name, folder);
  for (const auto& entry : fs::directory_iterator(from)) {
    if (entry.path().extension() == ".tiktoken") copy_if_there(entry.path(), folder);
  }
  for (const auto& entry : fs::directory_iterator(folder)) {
    const fs::path name = entry.path().filename();
    if (name == "tokenizer.json" || name == "tokenizer.model" || name.extension() == ".tiktoken") return true;
  }
  return false;
}

/// model.safetensors, or shards with their index where the weights are larger than one file may be.
void write_weights(MergeJob& job, const fs::path& folder, const std::vector<formats::TensorToWrite>& tensors,
                   std::uint64_t max_bytes) {
  std::vector<std::vector<formats::TensorToWrite>> shards(1);
  std::uint64_t in_shard = 0;
  std::uint64_t total = 0;
  for (const auto& tensor : tensors) {
    const std::uint64_t bytes = formats::num_bytes(tensor, folder.string());
    if (in_shard > 0 && in_shard + bytes > max_bytes) {
      shards.emplace_back();
      in_shard = 0;
    }
    shards.back().push_back(tensor);
    in_shard += bytes;
    total += bytes;
  }
  Json map = Json::object();
  for (std::size_t i = 0; i < shards.size(); ++i) {
    char name[64] = "model.safetensors";
    if (shards.size() > 1) std::snprintf(name, sizeof name, "model-%05zu-of-%05zu.safetensors", i + 1, shards.size());
    formats::write_safetensors(folder / name, shards[i], {{"format", "pt"}});
    for (const auto& tensor : shards[i]) map[tensor.name] = name;
  }
  if (shards.size() > 1) {
    const Json index = {{"metadata", {{"total_size", total}}}, {"weight_map", std::move(map)}};
    write_file_atomic(folder / "model.safetensors.index.json", dump_json(index, 2) + "\n");
  }
  job.summary().num_bytes = static_cast<std::int64_t>(total);
}

std::vector<formats::TensorToWrite> tensors_of_folder(MergeJob& job) {
  const auto& decoder = job.input().decoder;
  const auto changed = job.changed_tensors();
  std::vector<formats::TensorToWrite> tensors;
  for (const auto& tensor : decoder.checkpoint().tensors()) {
    const DType type = is_float_type(tensor.type) ? job.type().value_or(tensor.type) : tensor.type;
    const auto found = changed.find(tensor.name);
    if (found == changed.end()) {
      tensors.push_back(job.kept(tensor, type));
    } else {
      tensors.push_back(job.matrix(tensor.name, type, decoder.linear_at(found->second).weight,
                                   static_cast<std::ptrdiff_t>(found->second)));
    }
  }
  return tensors;
}

/// All weights of a GGUF base under the names of a Hugging Face folder.
std::vector<formats::TensorToWrite> tensors_of_gguf(MergeJob& job, DType type) {
  const models::Decoder& decoder = job.input().decoder;
  const float add = models::find_architecture(decoder.checkpoint()).folder_norms_add_one ? -1.0F : 0.0F;
  std::vector<formats::TensorToWrite> tensors;
  tensors.push_back(job.matrix("model.embed_tokens.weight", type, decoder.embedding(), -1));
  for (std::size_t i = 0; i < decoder.layers().size(); ++i) {
    const models::DecoderLayer& layer = decoder.layers()[i];
    for (std::size_t s = 0; s < layer.linears.size(); ++s) {
      const models::LinearLayer& linear = layer.linears[s];
      tensors.push_back(job.matrix(linear.path + ".weight", type, linear.weight,
                                   static_cast<std::ptrdiff_t>(i * models::kNumSlots + s)));
      if (linear.bias) tensors.push_back(job.vector(linear.bias->name, type, linear.bias->value));
    }
    for (const auto* norm : {&layer.attention_norm, &layer.q_norm, &layer.k_norm, &layer.post_attention_norm,
                             &layer.mlp_norm, &layer.post_mlp_norm}) {
      if (!norm->value.empty()) tensors.push_back(job.vector(norm->name, type, norm->value, add));
    }
  }
  tensors.push_back(job.vector(decoder.final_norm().name, type, decoder.final_norm().value, add));
  if (!decoder.config().tied_head) tensors.push_back(job.matrix("lm_head.weight", type, decoder.head(), -1));
  return tensors;
}

/// The one type of a folder made from GGUF.
DType type_for_gguf(const MergeJob& job) {
  if (job.type()) return *job.type();
  const auto& layers = job.input().decoder.layers();
  const DType first = layers.front().linears.front().weight.type;
  for (const auto& layer : layers) {
    for (const auto& linear : layer.linears) {
      if (linear.weight.type != first || !is_float_type(first)) return DType::kBF16;
    }
  }
  return first;
}

void write_configs_of_gguf(const MergeJob& job, const fs::path& folder, DType type) {
  const auto& decoder = job.input().decoder;
  const auto& base = decoder.checkpoint();
  Json config = models::find_architecture(base).hugging_face_config(decoder.config());
  config["torch_dtype"] = dtype_name(type);
  Json generation = Json::object();
  for (const auto& [key, name] : {std::pair("bos_token_id", "bos_token_id"), std::pair("eos_token_id", "eos_token_id"),
                                  std::pair("padding_token_id", "pad_token_id")}) {
    const auto it = base.metadata().find(std::string("tokenizer.ggml.") + key);
    if (it == base.metadata().end() || !it->is_number_integer()) continue;
    config[name] = *it;
    generation[name] = *it;
  }
  const auto turn_end = base.metadata().find("tokenizer.ggml.eot_token_id");
  if (turn_end != base.metadata().end() && generation.contains("eos_token_id") &&
      *turn_end != generation["eos_token_id"]) {
    generation["eos_token_id"] = Json::array({generation["eos_token_id"], *turn_end});
  }
  write_file_atomic(folder / "config.json", dump_json(config, 2) + "\n");
  write_file_atomic(folder / "generation_config.json", dump_json(generation, 2) + "\n");
}

void write_config_of_folder(const MergeJob& job, const fs::path& from, const fs::path& folder) {
  for (const char* name : kOtherFiles) copy_if_there(from / name, folder);
  if (!job.type()) {
    copy_if_there(from / "config.json", folder);
    return;
  }
  Json config = job.input().decoder.checkpoint().metadata();
  const auto set = [&](Json& object) {
    for (const char* key : {"dtype", "torch_dtype"}) {
      if (object.contains(key)) object[key] = dtype_name(*job.type());
    }
  };
  if (!config.contains("dtype") && !config.contains("torch_dtype")) config["torch_dtype"] = "";
  set(config);
  if (config.contains("text_config") && config["text_config"].is_object()) set(config["text_config"]);
  write_file_atomic(folder / "config.json", dump_json(config, 2) + "\n");
}

bool write_tokenizer(const MergeJob& job, const fs::path& folder, const MergeOptions& options) {
  const auto& base = job.input().decoder.checkpoint();
  if (!options.tokenizer.empty()) {
    require(fs::is_directory(options.tokenizer) && copy_tokenizer(options.tokenizer, folder),
            "--tokenizer: expected a folder with tokenizer.json, tokenizer.model or *.tiktoken", ErrorCode::kNotFound,
            options.tokenizer);
    return true;
  }
  if (base.kind() == formats::CheckpointKind::kHuggingFace) return copy_tokenizer(folder_of(base), folder);
  if (!base.metadata().contains("tokenizer.ggml.model")) return false;
  const auto files = text::export_tokenizer(base, std::string(models::find_architecture(base).sentencepiece_class));
  for (const auto& file : files) write_file_atomic(folder / file.name, file.content);
  return !files.empty();
}

}  // namespace

void merge_to_folder(MergeJob& job, const fs::path& folder, const MergeOptions& options) {
  require(!job.type() || is_float_type(*job.type()), [&] {
    return "a Hugging Face folder holds F32, F16 or BF16; " + options.type + " is for a GGUF file (--output NAME.gguf)";
  });
  require(options.shard_mb >= 1, "--shard-mb must be 1 or more");
  const auto& base = job.input().decoder.checkpoint();
  const bool is_gguf = base.kind() == formats::CheckpointKind::kGguf;
  if (!write_tokenizer(job, folder, options) && job.input().write) {
    job.input().write(
        "note: no tokenizer files were found to go with the weights; put those of the model's own folder beside "
        "them (--tokenizer FOLDER does)\n");
  }
  if (is_gguf) {
    write_configs_of_gguf(job, folder, type_for_gguf(job));
  } else {
    write_config_of_folder(job, folder_of(base), folder);
  }
  const auto tensors = is_gguf ? tensors_of_gguf(job, type_for_gguf(job)) : tensors_of_folder(job);
  write_weights(job, folder, tensors, static_cast<std::uint64_t>(options.shard_mb) * 1'000'000);
  if (!job.input().origin.is_null()) write_file_atomic(folder / "onggi.json", dump_json(job.input().origin, 2) + "\n");
}

}  // namespace onggi::tasks
