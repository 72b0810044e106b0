#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace onggi::train {

/// Most memory this process has held, in bytes (VmHWM); 0 where /proc does not say.
std::int64_t peak_memory_bytes();

/// "1.5 GiB", "820 MiB", "12 KiB", "7 B".
std::string format_bytes(std::int64_t bytes);
/// "0:07", "12:05", "3:04:59".
std::string format_duration(double seconds);

/// Where a run stands after an update.
struct ProgressSample {
  std::int64_t step = 0;
  std::int64_t total_steps = 0;
  std::int64_t tokens = 0;        ///< Of the plan, done so far.
  std::int64_t total_tokens = 0;  ///< Of the plan; the time left follows from these, since steps differ in size.
  double loss = 0.0;
  double learning_rate = 0.0;
};

struct ProgressOptions {
  bool is_terminal = false;  ///< Redraws one line; otherwise writes a plain line now and then.
  int width = 100;           ///< Columns of the terminal; longer lines are cut.
  double interval_s = 10.0;  ///< Between plain lines; a terminal is redrawn every 0.1 s.
};

/// Progress line of a training run: bar, step, tokens/s, time left, loss, rate, memory. It writes through `write` (to
/// stderr, say) and reads the time from `clock`, seconds from any start. Confined to one thread.
class Progress {
 public:
  /// `start` is where this session begins: a resumed run's rate counts what was done since.
  Progress(ProgressOptions options, ProgressSample start, std::function<void(std::string_view)> write,
           std::function<double()> clock);

  void update(const ProgressSample& sample);
  /// Writes a line of its own ("eval loss 0.71 at step 120") without tearing the bar.
  void message(std::string_view text);
  /// Draws the last sample and ends the line.
  void finish();

  /// Over the last updates; 0 before the first.
  double tokens_per_s() const;

 private:
  std::string line() const;
  void draw();

  ProgressOptions options_;
  std::function<void(std::string_view)> write_;
  std::function<double()> clock_;
  ProgressSample last_;
  std::deque<std::pair<double, std::int64_t>> recent_;  ///< (time, tokens) of the last updates.
  double drawn_at_ = 0.0;
  bool is_drawn_ = true;   ///< Whether `last_` has been shown.
  bool has_line_ = false;  ///< Whether the terminal's cursor is on our line.
};

}  // namespace onggi::train
