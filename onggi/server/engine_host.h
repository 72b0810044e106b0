#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "onggi/runtime/engine.h"
#include "onggi/server/server_metrics.h"

namespace onggi::server {

/// An engine on a thread of its own. Thread-safe; jobs' callbacks run on that thread and must not block it.
class EngineHost {
 public:
  struct Snapshot {
    runtime::EngineCounts counts;
    std::int64_t num_waiting = 0, num_running = 0;
    std::int64_t num_held_tokens = 0;    ///< Of rows that run.
    std::int64_t num_cached_tokens = 0;  ///< In the prefix cache.
    double busy_seconds = 0;             ///< In steps, since the start.
  };

  /// What is passed by reference must outlive this.
  EngineHost(nn::Context& context, models::Decoder& decoder, const text::Tokenizer& tokenizer,
             runtime::EngineOptions options, ServerMetrics& metrics);
  ~EngineHost() { stop(); }
  EngineHost(const EngineHost&) = delete;
  EngineHost& operator=(const EngineHost&) = delete;

  void submit(std::vector<runtime::Job> jobs);
  const runtime::EngineOptions& options() const { return options_; }
  /// Ends the thread; what runs and waits fails, what comes later is forgotten. What the callbacks use must still be
  /// there.
  void stop();
  /// Asks the jobs' wishes again soon: a reader is there again, or gone.
  void notify();
  Snapshot snapshot() const;

 private:
  void run();
  void publish();

  const runtime::EngineOptions options_;
  ServerMetrics& metrics_;
  runtime::Engine engine_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<runtime::Job> arrived_;
  bool is_notified_ = false, is_stopping_ = false;
  Snapshot snapshot_;
  std::thread thread_;
};

}  // namespace onggi::server
