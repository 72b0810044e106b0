#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
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
  std::shared_ptr<const nn::Adapter> adapter;  ///< Null: the base alone.
  std::string content_hash;                    ///< Of base and adapter: what cached keys and values depend on.
  std::int64_t loaded_at = 0;                  ///< Unix seconds.
};

/// The base and its adapters by name. Thread-safe; a request keeps the adapter that it began with, whatever is unloaded
/// or loaded anew meanwhile.
class ModelRegistry {
 public:
  /// `decoder` must outlive this. `hashes`: what an adapter's origin is checked against (nn::check_adapter_origin).
  ModelRegistry(const models::Decoder& decoder, std::string base_name, std::string base_hash,
                std::string tokenizer_hash, ServerMetrics& metrics);

  /// Reads and packs a PEFT folder under a name; the same name with other bytes takes the old one's place.
  /// Throws as nn::read_adapter and models::adapter_from_files, kInvalidArgument for the base's name.
  void load(const std::string& name, const std::string& folder);
  /// False if there is no adapter of that name.
  bool unload(const std::string& name);
  /// By name; the base for an empty one. Throws ApiError 404.
  ServedModel find(const std::string& name) const;
  const std::string& base_name() const { return base_name_; }
  /// Body of /v1/models.
  Json list() const;

 private:
  const models::Decoder& decoder_;
  const std::string base_name_, base_hash_, tokenizer_hash_;
  const std::int64_t started_at_;
  ServerMetrics& metrics_;
  mutable std::mutex mutex_;
  std::map<std::string, ServedModel> adapters_;
};

}  // namespace onggi::server
