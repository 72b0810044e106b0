#include "onggi/cli/session.h"

#include <set>

#include "onggi/core/error.h"
#include "onggi/core/files.h"
#include "onggi/core/hash.h"

namespace onggi::cli {

std::string resolve_base(const std::string& base) {
  if (!base.empty()) return base;
  const auto path = onggi_home() / "models" / "gemma-3-270m-q4_k_m.gguf";
  require(std::filesystem::exists(path),
          "the demo's base model is not in the cache; run `./onggi-up model` to bring it, or give --base PATH (a GGUF file "
          "or a Hugging Face folder)",
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

Session open_session(const std::string& base, int num_threads, models::Compute compute) {
  Session s;
  s.pool = std::make_unique<ThreadPool>(num_threads);
  s.context = std::make_unique<nn::Context>(*s.pool);
  s.checkpoint = formats::open_checkpoint(resolve_base(base));
  s.tokenizer = text::open_tokenizer(*s.checkpoint);
  s.decoder = models::Decoder::load(s.checkpoint, *s.context, compute);
  return s;
}

}  // namespace onggi::cli
