#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "onggi/server/completion_reply.h"
#include "onggi/server/engine_host.h"
#include "onggi/server/guide_cache.h"
#include "onggi/http/server.h"
#include "onggi/server/model_registry.h"
#include "onggi/server/worker.h"
#include "onggi/text/chat_template.h"

namespace onggi::server {

struct ServiceOptions {
  std::int64_t max_body_bytes = 8 << 20;
  std::int64_t max_waiting_tokens = 400'000;  ///< Prompt and answer tokens of all requests that are not done; more are refused with 429.
  int default_max_tokens = 1024;              ///< Of a chat answer whose request names no limit.
  std::vector<std::string> key_hashes;        ///< SHA-256 in hex of the keys that open everything under /v1 and the tokenizer; none: no key is asked for.
  bool may_load_adapters = false;             ///< Whether /v1/load_lora_adapter and /v1/unload_lora_adapter are there.
  std::string version;
};

/// The OpenAI-compatible API over one engine.
class Service : public http::Service {
 public:
  /// `log` is given one JSON line a request; it is called on the I/O thread. What is passed by reference must outlive this.
  Service(EngineHost& engine, ModelRegistry& models, const models::Decoder& decoder, std::shared_ptr<const text::Tokenizer> tokenizer, ServiceOptions options,
          std::function<void(const std::string&)> log);

  http::Admission admit(const http::Head& head) override;
  void handle(std::shared_ptr<http::Exchange> exchange) override;
  http::Response protocol_error(int status, std::string_view message) override;
  void finished(const http::Record& record) override;

  /// From now on new work is refused with 503; /ready says so.
  void drain() { is_draining_ = true; }

 private:
  struct Route;
  static std::span<const Route> routes();
  const Route* find_route(const http::Head& head, bool& is_path_known) const;
  int retry_after_ms() const;
  bool has_key(const http::Head& head) const;

  void complete(const std::shared_ptr<http::Exchange>& exchange, bool is_chat);
  void start(const std::shared_ptr<http::Exchange>& exchange, bool is_chat);
  std::shared_ptr<runtime::AnswerSettings> settings_of(const CompletionRequest& request, const ServedModel& model);
  std::vector<std::vector<int>> prompts_of(const CompletionRequest& request) const;
  std::vector<int> text_ids(const std::string& text, bool with_bos) const;
  std::vector<int> chat_ids(const CompletionRequest& request) const;
  http::Response tokenize(const http::Request& request) const;
  http::Response detokenize(const http::Request& request) const;
  http::Response load_adapter(const http::Request& request);
  http::Response unload_adapter(const http::Request& request);
  http::Response metrics() const;

  EngineHost& engine_;
  ModelRegistry& models_;
  const models::Decoder& decoder_;
  const std::shared_ptr<const text::Tokenizer> tokenizer_;
  const ServiceOptions options_;
  const std::function<void(const std::string&)> log_;
  std::unique_ptr<text::ChatTemplate> template_;  ///< Null: the checkpoint's vocabulary fits no template.
  GuideCache guides_;
  std::atomic<bool> is_draining_{false};
  std::atomic<std::int64_t> open_tokens_{0};  ///< Of requests that are not done.
  mutable std::mutex mutex_;
  std::map<std::string, std::int64_t> ends_;  ///< Requests by how they ended.
  Worker worker_;  ///< Last: its tasks use everything above.
};

}  // namespace onggi::server
