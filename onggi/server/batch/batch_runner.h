#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "onggi/core/metrics.h"
#include "onggi/server/batch/batch_folder.h"
#include "onggi/server/batch/batch_run.h"
#include "onggi/server/batch/batch_store.h"
#include "onggi/server/batch/line_exchange.h"

namespace onggi::server {

class Backend;

struct BatchRunnerOptions {
  BatchLimits limits;
  int lines_at_once = 64;  ///< Asked and not yet answered.
};

/// Answers batches on a thread of its own, several in turn, whatever the store says is to do. Thread-safe.
class BatchRunner {
 public:
  /// `log` is given one JSON text an event, on the runner's thread. What is passed by reference must outlive this.
  BatchRunner(Backend& backend, BatchStore& store, const BatchFolder& folder, BatchRunnerOptions options,
              std::function<void(const std::string&)> log);
  ~BatchRunner() { stop(); }
  BatchRunner(const BatchRunner&) = delete;
  BatchRunner& operator=(const BatchRunner&) = delete;

  /// The store has news: a batch was made or is to be cancelled.
  void notify();
  /// Saves what is answered, gives up what is not, and ends the thread. The engine must still be there.
  void stop();

 private:
  using Clock = std::chrono::steady_clock;
  /// A batch that is being worked on.
  struct Open {
    BatchRecord batch;              ///< As it was when it was opened.
    std::unique_ptr<BatchRun> run;  ///< Null until it is opened (again).
    Clock::time_point rests_until = Clock::time_point::min();
    Clock::time_point saved_at = Clock::now();
    std::optional<OpenLine> next;  ///< Read, and not asked yet.
    /// Set while the next line waits for the owner's key: how long at least.
    std::optional<std::chrono::milliseconds> wait;
    std::string complaint;  ///< What was logged last, not to say it again and again.
    bool is_expiring = false;
  };
  /// A line on its way.
  struct Asked {
    std::string batch_id;
    OpenLine line;
    std::weak_ptr<LineExchange> exchange;
    int num_tries = 1;
    std::int64_t num_bytes = 0;
  };
  void run();
  void work();
  void open_batches();
  void take_answers(std::vector<LineInbox::Item> items);
  void advance(Open& open);
  bool may_ask() const;
  bool ask_next(Open& open);
  void ask(const Open& open, OpenLine line, int num_tries);
  void ask_lines();
  void reopen(Open& open);
  void expire(Open& open, std::int64_t time);
  void drop_lines(const Open& open);
  void give_up(Open& open);
  bool may_go_on(const BatchRecord& batch, std::int64_t time) const;
  bool make_room();
  void complain(Open& open, const std::string& event, const std::string& reason);
  void guarded(Open& open, const std::function<void()>& action);
  void fail(BatchRecord batch, const std::string& reason);
  void remove_expired_files();
  void log_event(const std::string& batch_id, const std::string& event, const std::string& reason = {});

  Backend& backend_;
  BatchStore& store_;
  const BatchFolder& folder_;
  const BatchRunnerOptions options_;
  const std::function<void(const std::string&)> log_;
  const std::shared_ptr<LineInbox> inbox_ = std::make_shared<LineInbox>();
  std::atomic<bool> is_stopping_{false}, has_news_{true};
  metrics::Counter &completed_lines_, &failed_lines_;
  metrics::Gauge &open_lines_, &open_batches_;

  // The thread's own.
  std::map<std::string, Open> open_;
  std::string last_asked_;  ///< The batch whose line was asked last.
  std::map<std::uint64_t, Asked> asked_;
  bool lacks_room_ = false;                                   ///< A batch that could go on has no place.
  Clock::time_point looks_again_ = Clock::time_point::max();  ///< For batches that wait without a place.
  std::uint64_t num_tickets_ = 0;
  std::int64_t asked_bytes_ = 0;
  std::int64_t files_looked_at_ = 0;
  std::thread thread_;
};

}  // namespace onggi::server
