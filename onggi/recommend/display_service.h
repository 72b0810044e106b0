#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>

#include "onggi/core/metrics.h"
#include "onggi/http/server.h"
#include "onggi/recommend/display_desk.h"

namespace onggi::recommend {

/// The API of `onggi display serve` (docs/how_to/display_cards.md). One thread of its own has the desk and its log: it
/// takes all requests that wait, answers them within one transaction, and tells the clients when that is durable.
class DisplayService : public http::Service {
 public:
  /// `desk` and `log` are this service's alone from now on.
  DisplayService(DisplayDesk& desk, DisplayLog& log);
  /// Answers what waits.
  ~DisplayService() override;

  http::Admission admit(const http::Head& head) override;
  void handle(std::shared_ptr<http::Exchange> exchange) override;
  http::Response protocol_error(int status, std::string_view message) override;
  void finished(const http::Record& record) override;

  /// From now on slates and outcomes are refused with 503.
  void drain() { is_draining_ = true; }
  /// Closed batches and new versions are seen at once, not within a second.
  void nudge();

 private:
  using Exchanges = std::vector<std::shared_ptr<http::Exchange>>;
  void run();
  void answer(Exchanges exchanges);
  http::Response answer_one(const http::Request& request, std::int64_t now_ms);
  std::int64_t now_ms();

  DisplayDesk& desk_;
  DisplayLog& log_;
  metrics::Registry registry_;
  metrics::Counter &slates_, &impressions_, &outcomes_, &refusals_, &commits_;
  metrics::Histogram& seconds_;
  std::atomic<bool> is_draining_{false};
  std::int64_t last_ms_ = 0;  ///< Of the desk's thread: its time never goes back.
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::shared_ptr<http::Exchange>> waiting_;
  bool is_stopping_ = false;
  std::thread thread_;
};

}  // namespace onggi::recommend
