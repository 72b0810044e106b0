#include "onggi/server/engine_host.h"

#include <chrono>

#include "onggi/core/error.h"

namespace onggi::server {

EngineHost::EngineHost(nn::Context& context, models::Decoder& decoder, const text::Tokenizer& tokenizer,
                       runtime::EngineOptions options, ServerMetrics& metrics)
    : options_(options), metrics_(metrics), engine_(context, decoder, tokenizer, options), thread_([this] { run(); }) {}

void EngineHost::stop() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  changed_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void EngineHost::submit(std::vector<runtime::Job> jobs) {
  {
    const std::lock_guard lock(mutex_);
    for (auto& job : jobs) arrived_.push_back(std::move(job));
  }
  changed_.notify_one();
}

void EngineHost::notify() {
  {
    const std::lock_guard lock(mutex_);
    is_notified_ = true;
  }
  changed_.notify_one();
}

EngineHost::Snapshot EngineHost::snapshot() const {
  const std::lock_guard lock(mutex_);
  Snapshot copy = snapshot_;
  copy.num_waiting += static_cast<std::int64_t>(arrived_.size());
  return copy;
}

void EngineHost::publish() {
  const std::lock_guard lock(mutex_);
  const runtime::EngineCounts& counts = engine_.counts();
  if (counts.steps > snapshot_.counts.steps)
    metrics_.iteration_tokens.observe(static_cast<double>(counts.computed_tokens - snapshot_.counts.computed_tokens));
  if (counts.mask_seconds > snapshot_.counts.mask_seconds)
    metrics_.mask_seconds.observe(counts.mask_seconds - snapshot_.counts.mask_seconds);
  snapshot_.counts = counts;
  snapshot_.num_held_tokens = engine_.num_held_tokens();
  snapshot_.num_cached_tokens = engine_.num_cached_tokens();
  snapshot_.num_waiting = static_cast<std::int64_t>(engine_.num_waiting());
  snapshot_.num_running = static_cast<std::int64_t>(engine_.num_running());
}

void EngineHost::run() {
  // A row that waits for its reader is asked again at the latest after this time.
  constexpr std::chrono::milliseconds kPause{20};
  auto step = runtime::Step::kIdle;
  while (true) {
    std::vector<runtime::Job> jobs;
    {
      std::unique_lock lock(mutex_);
      const auto has_news = [&] { return is_stopping_ || is_notified_ || !arrived_.empty(); };
      if (step == runtime::Step::kIdle) changed_.wait(lock, has_news);
      if (step == runtime::Step::kWaiting) changed_.wait_for(lock, kPause, has_news);
      is_notified_ = false;
      if (is_stopping_) break;
      jobs = std::move(arrived_);
      arrived_.clear();
    }
    const auto began = std::chrono::steady_clock::now();
    try {
      if (!jobs.empty()) engine_.submit(std::move(jobs));
      step = engine_.step();
    } catch (const std::exception& e) {
      // Of the step as a whole (out of memory, a checkpoint that went bad): its rows fail, the next ones may do better.
      engine_.fail_all(e.what());
      step = runtime::Step::kComputed;
    }
    publish();
    const std::lock_guard lock(mutex_);
    snapshot_.busy_seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  }
  engine_.fail_all("the server is stopping");
}

}  // namespace onggi::server
