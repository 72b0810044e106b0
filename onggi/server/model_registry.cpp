#include "onggi/server/model_registry.h"

#include <chrono>
#include <ctime>

#include "onggi/core/error.h"
#include "onggi/core/hash.h"
#include "onggi/models/adapter_io.h"
#include "onggi/nn/adapter_files.h"
#include "onggi/server/api_error.h"

namespace onggi::server {
namespace {

std::int64_t bytes_of(const nn::Adapter& adapter) {
  std::size_t floats = 0;
  for (const auto& linear : adapter.linears) {
    if (!linear) continue;
    floats += linear->a.value.size() + linear->b.value.size() + linear->row_norm.size() +
              static_cast<std::size_t>(linear->a_panels.capacity() + linear->b_panels.capacity());
    if (linear->magnitude) floats += linear->magnitude->value.size();
  }
  return static_cast<std::int64_t>(floats * sizeof(float));
}

}  // namespace

ModelRegistry::ModelRegistry(const models::Decoder& decoder, std::string base_name, std::string base_hash,
                             std::string tokenizer_hash, ServerMetrics& metrics, std::int64_t memory_bytes)
    : decoder_(decoder),
      base_name_(std::move(base_name)),
      base_hash_(std::move(base_hash)),
      tokenizer_hash_(std::move(tokenizer_hash)),
      started_at_(std::time(nullptr)),
      metrics_(metrics),
      memory_bytes_(memory_bytes) {}

ServedModel ModelRegistry::base() const {
  return {.name = base_name_,
          .base_name = base_name_,
          .adapter = nullptr,
          .content_hash = base_hash_,
          .loaded_at = started_at_};
}

/// Without the lock: others are found meanwhile.
ServedModel ModelRegistry::read(const std::string& name, const std::string& folder) const {
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
      .base_name = base_name_,
      .adapter = std::make_shared<nn::Adapter>(models::adapter_from_files(context, decoder_, files, folder)),
      .content_hash = sha256_hex(base_hash_ + sha256_file(std::filesystem::path(folder) / "adapter_model.safetensors") +
                                 sha256_file(std::filesystem::path(folder) / "adapter_config.json")),
      .loaded_at = std::time(nullptr)};
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
    if (total <= memory_bytes_ || oldest == nullptr) return;
    oldest->model.reset();
    oldest->bytes = 0;
  }
}

void ModelRegistry::load(const std::string& name, const std::string& folder) {
  require(!name.empty() && name != base_name_, "an adapter needs a name that is not the base's",
          ErrorCode::kInvalidArgument, name);
  ServedModel model = read(name, folder);
  const std::lock_guard lock(mutex_);
  Entry& entry = adapters_[name];
  entry = {.folder = folder, .known_since = model.loaded_at, .model = std::move(model), .is_kept = true};
  entry.bytes = bytes_of(*entry.model->adapter);
  entry.last_use = ++clock_;
  make_room();
}

void ModelRegistry::add(const std::string& name, const std::string& folder) {
  require(!name.empty() && name != base_name_, "an adapter needs a name that is not the base's",
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
  std::string known = base_name_;
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
  if (name.empty() || name == base_name_) return base();
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
  found->second.bytes = bytes_of(*model.adapter);
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
                {"root", base_name_},
                {"parent", parent},
                {"max_model_len", decoder_.config().max_positions}};
  };
  Json data = Json::array();
  if (is_shown(base_name_)) data.push_back(row(base_name_, started_at_, nullptr));
  const std::lock_guard lock(mutex_);
  for (const auto& [name, entry] : adapters_) {
    if (is_shown(name)) data.push_back(row(name, entry.known_since, base_name_));
  }
  return {{"object", "list"}, {"data", std::move(data)}};
}

}  // namespace onggi::server
