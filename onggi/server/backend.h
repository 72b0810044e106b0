#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "onggi/core/worker.h"
#include "onggi/models/decoder.h"
#include "onggi/server/engine_host.h"
#include "onggi/server/guide_cache.h"
#include "onggi/server/key_ring.h"
#include "onggi/server/model_registry.h"
#include "onggi/server/server_metrics.h"
#include "onggi/text/chat_template.h"
#include "onggi/text/tokenizer.h"

namespace onggi::server {

class Batches;

struct ServiceOptions {
  std::int64_t max_body_bytes = 8 << 20;
  std::int64_t max_waiting_tokens =
      400'000;  ///< Prompt and answer tokens of all requests that are not done; more are refused with 429.
  int default_max_tokens = 1024;   ///< Of a chat answer whose request names no limit.
  std::shared_ptr<KeyRing> keys;   ///< Null: no key is asked for.
  bool has_open_metrics = false;   ///< /metrics needs no key.
  bool may_load_adapters = false;  ///< Whether /v1/load_lora_adapter and /v1/unload_lora_adapter are there.
  std::string version;
};

/// What routes work with. Thread-safe, as its parts are.
class Backend {
 public:
  /// What is passed by reference must outlive this.
  Backend(EngineHost& engine, ModelRegistry& models, const models::Decoder& decoder,
          std::shared_ptr<const text::Tokenizer> tokenizer, ServiceOptions options, ServerMetrics& metrics);

  /// When a client that is refused now should come back.
  int retry_after_ms() const;

  EngineHost& engine;
  ModelRegistry& models;
  const models::Decoder& decoder;
  const std::shared_ptr<const text::Tokenizer> tokenizer;
  const ServiceOptions options;
  ServerMetrics& metrics;
  const std::unique_ptr<const text::ChatTemplate>
      chat_template;  ///< Null: the checkpoint's vocabulary fits no template.
  GuideCache guides;
  Batches* batches = nullptr;  ///< Set before the first request; null: the server keeps no files.
  std::atomic<bool> is_draining{false};
  std::atomic<std::int64_t> open_tokens{0};  ///< Of requests that are not done.

  // Last: their tasks use everything above.
  Worker worker;
  Worker loader;  ///< Reads adapters, so that requests for others go on meanwhile; its tasks use the worker.
};

}  // namespace onggi::server
