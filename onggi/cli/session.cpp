#include "onggi/cli/session.h"

#include <algorithm>
#include <set>

#include "onggi/core/error.h"
#include "onggi/core/files.h"
#include "onggi/core/hash.h"
#include "onggi/nn/adapter_files.h"

namespace onggi::cli {

std::string resolve_base(const std::string& base) {
  if (!base.empty()) return base;
  const auto path = onggi_home() / "models" / "gemma-3-270m-q4_k_m.gguf";
  require(std::filesystem::exists(path),
          "the demo's base model is not in the cache; run `python3 scripts/bring_model.py gemma-3-270m` to bring it, or give --base "
          "PATH (a GGUF file or a Hugging Face folder)",
          ErrorCode::kNotFound, path.string());
  return path.string();
}

std::string base_hash(const formats::Checkpoint& checkpoint) {
  if (checkpoint.kind() == formats::CheckpointKind::kGguf) return sha256_file(checkpoint.path());
  std::set<std::string> files = {(checkpoint.path() / "config.json").string()};
  for (const auto& tensor : checkpoint.tensors()) files.insert(tensor.file);
  std::string all;
  for (const auto& file : files) all += sha256_file(file);
  return sha256_hex(all);
}

std::string adapters_base_type(std::span<const std::string> folders) {
  std::string type = "keep";
  for (const auto& folder : folders) {
    const auto own = nn::adapter_base_type(folder);
    require(&folder == &folders.front() || own == type,
            [&] { return "the adapter was trained on a base of type " + own + ", the one before it on " + type + "; they can't answer side by side"; },
            ErrorCode::kInvalidArgument, folder);
    type = own;
  }
  return type;
}

namespace {

/// Tokens past the model's vocabulary are let through where text can't become them (Gemma's image token).
void require_same_vocabulary(const text::Tokenizer& tokenizer, const models::DecoderConfig& config, const std::string& where) {
  const auto fits = [&](int id) { return id < config.vocab_size; };
  bool is_whole = fits(tokenizer.bos_id()) && std::ranges::all_of(tokenizer.stop_ids(), fits);
  for (int id = config.vocab_size; id < tokenizer.vocab_size(); ++id) is_whole = is_whole && tokenizer.is_control(id);
  require(is_whole,
          [&] {
            return "the tokenizer has " + std::to_string(tokenizer.vocab_size()) + " tokens, the model knows " +
                   std::to_string(config.vocab_size) + ": they do not belong together";
          },
          ErrorCode::kCorrupt, where);
}

}  // namespace

Session open_session(const std::string& base, int num_threads, models::Compute compute, models::BaseType base_type) {
  Session s;
  s.pool = std::make_unique<ThreadPool>(num_threads);
  s.context = std::make_unique<nn::Context>(*s.pool);
  s.checkpoint = formats::open_checkpoint(resolve_base(base));
  s.tokenizer = text::open_tokenizer(*s.checkpoint);
  s.decoder = models::Decoder::load(s.checkpoint, *s.context, compute, base_type);
  require_same_vocabulary(*s.tokenizer, s.decoder->config(), s.checkpoint->path().string());
  return s;
}

}  // namespace onggi::cli
