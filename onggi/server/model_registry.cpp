#include "onggi/server/model_registry.h"

#include <malloc.h>

#include <chrono>
#include <ctime>

#include "onggi/core/error.h"
#include "onggi/core/hash.h"
#include "onggi/models/adapter_io.h"
#include "onggi/nn/adapter_files.h"
#include "onggi/server/api_error.h"

namespace onggi::server {

ModelRegistry::ModelRegistry(const models::Decoder& decoder, ServerMetrics& metrics, Options options)
    : decoder_(decoder), metrics_(metrics), options_(std::move(options)), started_at_(std::time(nullptr)) {}

ServedModel ModelRegistry::base() const {
  return {.name = options_.base_name,
          .base_name = options_.base_name,
          .adapter = nullptr,
          .content_hash = options_.base_hash,
          .loaded_at = started_at_};
}

/// Without the lock: others are found meanwhile.
ServedModel ModelRegistry::read(const std::string& name, const std::string& folder) const {
  const auto began = std::chrono::steady_clock::now();
  const auto files = nn::read_adapter(folder);
  nn::check_adapter_origin(files,
                           std::vector<std::pair<std::string, std::string>>{{"base", options_.base_hash},
                                                                            {"tokenizer", options_.tokenizer_hash}},
                           folder);
  // Its own thread and scratch memory: the engine computes meanwhile.
  ThreadPool pool(1);
  nn::Context context(pool);
  ServedModel model{.name = name,
                    .base_name = options_.base_name,
                    .adapter = std::make_shared<nn::Adapter>(
                        models::serving_adapter(context, decoder_, files, folder, options_.adapter_type)),
                    .content_hash = sha256_hex(
                        options_.base_hash + sha256_file(std::filesystem::path(folder) / "adapter_model.safetensors") +
                        sha256_file(std::filesystem::path(folder) / "adapter_config.json")),
                    .loaded_at = std::time(nullptr)};
  // The copies that reading made lie between what stays: without this their pages stay with the process.
  malloc_trim(0);
  metrics_.adapter_load_seconds.observe(
      std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count());
  return model;
}

/// `mutex_` held. Lets the least recently used go until the rest fits; the last used stays in any case.
void ModelRegistry::make_room() {
  while (true) {
    std::int64_t total = 0;
    Entry* oldest = nullptr;
    for (auto& [name, entry] : adapters_) {
      if (!entry.model) continue;
      total += entry.bytes;
      const bool may_go = !entry.is_kept && entry.last_use != clock_;
      if (may_go && (oldest == nullptr || entry.last_use < oldest->last_use)) oldest = &entry;
    }
    if (total <= options_.memory_bytes || oldest == nullptr) return;
    oldest->model.reset();
    oldest->bytes = 0;
  }
}

void ModelRegistry::load(const std::string& name, const std::string& folder) {
  require(!name.empty() && name != options_.base_name, "an adapter needs a name that is not the base's",
          ErrorCode::kInvalidArgument, name);
  ServedModel model = read(name, folder);
  const std::lock_guard lock(mutex_);
  Entry& entry = adapters_[name];
  entry = {.folder = folder, .known_since = model.loaded_at, .model = std::move(model), .is_kept = true};
  entry.bytes = entry.model->adapter->num_bytes();
  entry.last_use = ++clock_;
  make_room();
}

void ModelRegistry::add(const std::string& name, const std::string& folder) {
  require(!name.empty() && name != options_.base_name, "an adapter needs a name that is not the base's",
          ErrorCode::kInvalidArgument, name);
  const std::lock_guard lock(mutex_);
  adapters_[name] = {.folder = folder, .known_since = std::time(nullptr), .model = std::nullopt};
}

bool ModelRegistry::unload(const std::string& name) {
  const std::lock_guard lock(mutex_);
  return adapters_.erase(name) > 0;
}

bool ModelRegistry::is_ready(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  const auto found = adapters_.find(name);
  return found == adapters_.end() || found->second.model;
}

/// `mutex_` held.
void ModelRegistry::refuse(const std::string& name) const {
  std::string known = options_.base_name;
  for (const auto& [other, entry] : adapters_) {
    if (known.size() > 200) {
      known += ", ...";
      break;
    }
    known += ", " + other;
  }
  throw ApiError(404, "there is no model \"" + name + "\"; there are: " + known, "model_not_found", "model");
}

ServedModel ModelRegistry::find(const std::string& name) {
  if (name.empty() || name == options_.base_name) return base();
  std::string folder;
  {
    const std::lock_guard lock(mutex_);
    const auto found = adapters_.find(name);
    if (found == adapters_.end()) refuse(name);
    found->second.last_use = ++clock_;
    if (found->second.model) return *found->second.model;
    folder = found->second.folder;
  }
  ServedModel model;
  try {
    model = read(name, folder);
  } catch (const Error& e) {
    throw ApiError(503, "the adapter \"" + name + "\" can't be read: " + e.message(), "adapter_unavailable", "model");
  }
  const std::lock_guard lock(mutex_);
  const auto found = adapters_.find(name);
  if (found == adapters_.end() || found->second.folder != folder) return model;  // unloaded or replaced meanwhile
  found->second.model = model;
  found->second.bytes = model.adapter->num_bytes();
  found->second.last_use = ++clock_;
  make_room();
  return model;
}

ModelRegistry::Counts ModelRegistry::counts() const {
  const std::lock_guard lock(mutex_);
  Counts counts{.registered = static_cast<std::int64_t>(adapters_.size())};
  for (const auto& [name, entry] : adapters_) {
    counts.loaded += entry.model ? 1 : 0;
    counts.bytes += entry.bytes;
  }
  return counts;
}

Json ModelRegistry::list(const std::function<bool(const std::string&)>& is_shown) const {
  const auto row = [&](const std::string& name, std::int64_t created, const Json& parent) {
    return Json{{"id", name},
                {"object", "model"},
                {"created", created},
                {"owned_by", "onggi"},
                {"root", options_.base_name},
                {"parent", parent},
                {"max_model_len", decoder_.config().max_positions}};
  };
  Json data = Json::array();
  if (is_shown(options_.base_name)) data.push_back(row(options_.base_name, started_at_, nullptr));
  const std::lock_guard lock(mutex_);
  for (const auto& [name, entry] : adapters_) {
    if (is_shown(name)) data.push_back(row(name, entry.known_since, options_.base_name));
  }
  return {{"object", "list"}, {"data", std::move(data)}};
}

}  // namespace onggi::server
