#include "onggi/server/model_registry.h"

#include <chrono>
#include <ctime>

#include "onggi/core/error.h"
#include "onggi/core/hash.h"
#include "onggi/models/adapter_io.h"
#include "onggi/nn/adapter_files.h"
#include "onggi/server/api_error.h"

namespace onggi::server {

ModelRegistry::ModelRegistry(const models::Decoder& decoder, std::string base_name, std::string base_hash,
                             std::string tokenizer_hash, ServerMetrics& metrics)
    : decoder_(decoder),
      base_name_(std::move(base_name)),
      base_hash_(std::move(base_hash)),
      tokenizer_hash_(std::move(tokenizer_hash)),
      started_at_(std::time(nullptr)),
      metrics_(metrics) {}

void ModelRegistry::load(const std::string& name, const std::string& folder) {
  require(!name.empty() && name != base_name_, "an adapter needs a name that is not the base's",
          ErrorCode::kInvalidArgument, name);
  const auto began = std::chrono::steady_clock::now();
  const auto files = nn::read_adapter(folder);
  nn::check_adapter_origin(
      files, std::vector<std::pair<std::string, std::string>>{{"base", base_hash_}, {"tokenizer", tokenizer_hash_}},
      folder);
  // Its own thread and scratch memory: the engine computes meanwhile.
  ThreadPool pool(1);
  nn::Context context(pool);
  ServedModel model{
      .name = name,
      .adapter = std::make_shared<nn::Adapter>(models::adapter_from_files(context, decoder_, files, folder)),
      .content_hash = sha256_hex(base_hash_ + sha256_file(std::filesystem::path(folder) / "adapter_model.safetensors") +
                                 sha256_file(std::filesystem::path(folder) / "adapter_config.json")),
      .loaded_at = std::time(nullptr)};
  metrics_.adapter_load_seconds.observe(
      std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count());
  const std::lock_guard lock(mutex_);
  adapters_[name] = std::move(model);
}

bool ModelRegistry::unload(const std::string& name) {
  const std::lock_guard lock(mutex_);
  return adapters_.erase(name) > 0;
}

ServedModel ModelRegistry::find(const std::string& name) const {
  if (name.empty() || name == base_name_)
    return {.name = base_name_, .adapter = nullptr, .content_hash = base_hash_, .loaded_at = started_at_};
  const std::lock_guard lock(mutex_);
  const auto found = adapters_.find(name);
  if (found != adapters_.end()) return found->second;
  std::string known = base_name_;
  for (const auto& [other, model] : adapters_) {
    if (known.size() > 200) {
      known += ", ...";
      break;
    }
    known += ", " + other;
  }
  throw ApiError(404, "there is no model \"" + name + "\"; there are: " + known, "model_not_found", "model");
}

Json ModelRegistry::list() const {
  const auto entry = [&](const std::string& name, std::int64_t created, const Json& parent) {
    return Json{{"id", name},
                {"object", "model"},
                {"created", created},
                {"owned_by", "onggi"},
                {"root", base_name_},
                {"parent", parent},
                {"max_model_len", decoder_.config().max_positions}};
  };
  Json data = Json::array({entry(base_name_, started_at_, nullptr)});
  const std::lock_guard lock(mutex_);
  for (const auto& [name, model] : adapters_) data.push_back(entry(name, model.loaded_at, base_name_));
  return {{"object", "list"}, {"data", std::move(data)}};
}

}  // namespace onggi::server
