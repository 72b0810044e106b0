#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "onggi/http/message.h"

namespace onggi::http {

/// What an answering thread and the session share. The session takes bytes out, everyone else puts them in.
class Outbox {
 public:
  /// `wake`: tells the session, from any thread, that there is something to take. Not called once gone.
  Outbox(Request request, bool is_chunked, bool keeps_alive, std::int64_t max_queued_bytes, std::function<void()> wake)
      : request_(std::move(request)),
        is_chunked_(is_chunked),
        keeps_alive_(keeps_alive),
        max_queued_bytes_(max_queued_bytes),
        wake_(std::move(wake)) {}

  const Request& request() const { return request_; }
  void respond(const Response& response);
  void start_stream(const Response& head);
  void write(std::string_view bytes);
  void finish();
  /// 500, unless an answer has begun: then the stream is cut, so that the client knows.
  void abandon(const Response& failure);
  bool is_gone() const { return is_gone_.load(std::memory_order_acquire); }
  bool is_congested() const { return is_congested_.load(std::memory_order_acquire); }
  void on_gone(std::function<void()> callback);
  void on_relieved(std::function<void()> callback);

  // The session's side, on the I/O thread.
  struct Batch {
    std::string bytes;
    bool is_last = false;  ///< Nothing follows.
    bool is_cut = false;   ///< The answer broke off: close without its end.
  };
  Batch take();
  void sent(std::int64_t num_bytes);
  void mark_gone();
  void heartbeat();
  int status() const { return status_; }
  bool has_ended();

 private:
  void put(std::string_view bytes);  ///< `mutex_` held.
  void wake();                       ///< `mutex_` held.

  const Request request_;
  const bool is_chunked_, keeps_alive_;
  const std::int64_t max_queued_bytes_;
  const std::function<void()> wake_;
  std::mutex mutex_;
  std::string pending_;
  std::int64_t queued_bytes_ = 0;  ///< Pending, and taken but not sent.
  int status_ = 0;
  bool has_started_ = false, has_finished_ = false, is_cut_ = false, is_woken_ = false, is_event_stream_ = false;
  std::atomic<bool> is_gone_{false}, is_congested_{false};
  std::function<void()> gone_, relieved_;
};

}  // namespace onggi::http
