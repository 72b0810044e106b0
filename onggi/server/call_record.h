#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "onggi/server/key_ring.h"

namespace onggi::server {

/// What is known of a call in the end.
struct CallFacts {
  std::string request_id, peer, method, path;
  int status = 0;  ///< 0: the server ended first.
  std::int64_t sent_bytes = 0;
  double milliseconds = 0;  ///< From the request's head to the last byte of the answer.

  // Of the model's work, where there was some.
  std::string model, adapter, finish_reason;
  std::int64_t prompt_tokens = 0, cached_tokens = 0, generated_tokens = 0;
  std::optional<double> queue_ms, first_token_ms, total_ms;  ///< From the request's arrival.

  /// A line of the access log, as JSON.
  std::string line(const std::string& caller_name) const;
};

/// A call from its admission to the end of its work, which may be after the client left. The last to let go of it
/// closes it: then `ended` is called, on that thread. Thread-safe.
class CallRecord {
 public:
  using Ended = std::function<void(const CallRecord&, const CallFacts&)>;

  /// `caller` is null where no key was asked for.
  CallRecord(std::shared_ptr<const Caller> caller, Ended ended) : caller(std::move(caller)), ended_(std::move(ended)) {}
  ~CallRecord() { ended_(*this, facts_); }
  CallRecord(const CallRecord&) = delete;
  CallRecord& operator=(const CallRecord&) = delete;

  template <class Change>
  void update(Change change) {
    const std::lock_guard lock(mutex_);
    change(facts_);
  }
  std::string caller_name() const { return caller ? caller->name : std::string(); }

  const std::shared_ptr<const Caller> caller;

 private:
  std::mutex mutex_;
  CallFacts facts_;
  const Ended ended_;
};

}  // namespace onggi::server
