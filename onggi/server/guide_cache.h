#pragma once

#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "onggi/decode/guide.h"
#include "onggi/server/server_metrics.h"

namespace onggi::server {

/// Guides by their text: a server sees few of them, many times. The least recently used goes first. Thread-safe; a
/// guide that is being compiled holds up nobody who asks for another.
class GuideCache {
 public:
  GuideCache(std::shared_ptr<const text::Tokenizer> tokenizer, std::size_t max_guides, ServerMetrics& metrics)
      : tokenizer_(std::move(tokenizer)), max_guides_(max_guides), metrics_(metrics) {}

  /// Throws as decode::compile_guide.
  std::shared_ptr<const decode::Guide> get(const Json& spec);

 private:
  using Entry = std::pair<std::string, std::shared_ptr<const decode::Guide>>;

  const std::shared_ptr<const text::Tokenizer> tokenizer_;
  const std::size_t max_guides_;
  ServerMetrics& metrics_;
  std::mutex mutex_;
  std::list<Entry> by_use_;  ///< Last used first.
  std::unordered_map<std::string, std::list<Entry>::iterator> by_text_;
};

}  // namespace onggi::server
