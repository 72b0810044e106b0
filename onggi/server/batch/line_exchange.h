#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "onggi/http/server.h"

namespace onggi::server {

/// Where the answers to lines arrive, from whatever thread. Thread-safe.
class LineInbox {
 public:
  struct Item {
    std::uint64_t ticket = 0;
    int status = 0;
    std::string body;
  };

  void put(Item item);
  /// Ends a wait, now or the next.
  void notify();
  /// What has come; waits for news, at most this long.
  std::vector<Item> take(std::chrono::milliseconds patience);

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Item> items_;
  bool is_notified_ = false;
};

/// A request that comes from a file and is answered into an inbox: what a socket's exchange is to a client.
/// Thread-safe.
class LineExchange : public http::Exchange {
 public:
  /// Answered once, under `ticket`; with status 500 if it is dropped unanswered.
  LineExchange(http::Request request, std::uint64_t ticket, std::shared_ptr<LineInbox> inbox)
      : request_(std::move(request)), ticket_(ticket), inbox_(std::move(inbox)) {}
  ~LineExchange() override;

  /// The answer is not wanted any more: it does not arrive.
  void cancel();

  const http::Request& request() const override { return request_; }
  void respond(http::Response response) override;
  /// Lines are not streamed: an answer that begins as a stream is an error.
  void start_stream(http::Response head) override;
  void write(std::string /*bytes*/) override {}
  void finish() override {}
  bool is_gone() const override { return is_gone_.load(std::memory_order_acquire); }
  bool is_congested() const override { return false; }
  void on_gone(std::function<void()> callback) override;
  void on_relieved(std::function<void()> /*callback*/) override {}

 private:
  const http::Request request_;
  const std::uint64_t ticket_;
  const std::shared_ptr<LineInbox> inbox_;
  std::atomic<bool> is_gone_{false}, is_answered_{false};
  std::mutex mutex_;
  std::function<void()> gone_;
};

}  // namespace onggi::server
