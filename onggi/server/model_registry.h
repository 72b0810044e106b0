#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "onggi/core/json.h"
#include "onggi/models/decoder.h"
#include "onggi/nn/lora.h"
#include "onggi/server/server_metrics.h"

namespace onggi::server {

/// A name that requests may ask for.
struct ServedModel {
  std::string name;
  std::string base_name;
  std::shared_ptr<const nn::Adapter> adapter;  ///< Null: the base alone.
  std::string content_hash;                    ///< Of base and adapter: what cached keys and values depend on.
  std::int64_t loaded_at = 0;                  ///< Unix seconds.
};

/// The base and its adapters by name. Thread-safe; a request keeps the adapter that it began with, whatever is unloaded
/// or loaded anew meanwhile.
class ModelRegistry {
 public:
  struct Options {
    std::string base_name;
    std::string base_hash, tokenizer_hash;  ///< What an adapter's origin is checked against (nn::check_adapter_origin).
    nn::AdapterType adapter_type = nn::AdapterType::kF32;
    std::int64_t memory_bytes = std::int64_t{1} << 30;  ///< For adapters that were added.
  };
  /// What is passed by reference must outlive this.
  ModelRegistry(const models::Decoder& decoder, ServerMetrics& metrics, Options options);

  /// Reads and packs a PEFT folder under a name; the same name with other bytes takes the old one's place.
  /// Throws as nn::read_adapter and models::serving_adapter, kInvalidArgument for the base's name.
  void load(const std::string& name, const std::string& folder);
  /// Makes a PEFT folder known under a name: it is read when the first request asks for it, and let go again when
  /// `memory_bytes` are not enough for all. Throws kInvalidArgument for the base's name.
  void add(const std::string& name, const std::string& folder);
  /// False if there is no adapter of that name.
  bool unload(const std::string& name);
  /// Whether `find` has nothing to read.
  bool is_ready(const std::string& name) const;
  /// By name; the base for an empty one. Throws ApiError 404, and 503 where a folder that was added can't be read.
  ServedModel find(const std::string& name);
  struct Counts {
    std::int64_t registered = 0, loaded = 0, bytes = 0;
  };
  Counts counts() const;
  const std::string& base_name() const { return options_.base_name; }
  /// Body of /v1/models: those that `is_shown` says yes to.
  Json list(const std::function<bool(const std::string& name)>& is_shown) const;

 private:
  struct Entry {
    std::string folder;
    std::int64_t known_since = 0;      ///< Unix seconds.
    std::optional<ServedModel> model;  ///< Nothing: to be read.
    std::int64_t bytes = 0;
    std::uint64_t last_use = 0;
    bool is_kept = false;  ///< Never let go: it was loaded by itself.
  };
  ServedModel base() const;
  ServedModel read(const std::string& name, const std::string& folder) const;
  void make_room();
  [[noreturn]] void refuse(const std::string& name) const;

  const models::Decoder& decoder_;
  ServerMetrics& metrics_;
  const Options options_;
  const std::int64_t started_at_;
  mutable std::mutex mutex_;
  std::map<std::string, Entry> adapters_;
  std::uint64_t clock_ = 0;
};

}  // namespace onggi::server
