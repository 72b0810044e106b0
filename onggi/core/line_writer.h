#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <thread>

namespace onggi {

/// Lines to a file or to standard error, written by a thread of its own: whoever has something to say never waits, also
/// where nobody reads the pipe or the disk is full. What finds no room in the queue is dropped and counted.
/// Thread-safe.
class LineWriter {
 public:
  struct Options {
    std::string path;  ///< Appended to; empty: standard error.
    std::size_t max_queued_bytes = 1 << 20;
    std::chrono::milliseconds last_words{500};  ///< What the destructor waits for the queue to be taken.
  };

  /// Throws kUnavailable where the file can't be opened.
  explicit LineWriter(Options options);
  ~LineWriter();
  LineWriter(const LineWriter&) = delete;
  LineWriter& operator=(const LineWriter&) = delete;

  /// `line` without its end.
  void write(std::string line);
  /// Opens the path anew before the next line: the old file has been moved away. Where that fails the old one goes on.
  void reopen();
  /// Lines that found no room, or that the file did not take.
  std::int64_t num_dropped() const { return num_dropped_.load(std::memory_order_relaxed); }

 private:
  void run();
  bool write_all(const std::string& text);
  bool wait_for_room();
  void open();

  const Options options_;
  int fd_ = -1;
  int wake_[2] = {-1, -1};  ///< A pipe: its reading end becomes readable when the writer is to end.
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::string> queue_;
  std::size_t queued_bytes_ = 0;
  bool is_stopping_ = false, must_reopen_ = false;
  std::chrono::steady_clock::time_point stops_at_;
  std::atomic<std::int64_t> num_dropped_{0};
  std::thread thread_;
};

}  // namespace onggi
