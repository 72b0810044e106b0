#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string_view>

namespace onggi::tasks {

struct LabelSummary;

/// How far the labels are, and what they cost so far: a line now and then, or one that is redrawn on a terminal.
/// Confined to one thread.
class LabelProgress {
 public:
  LabelProgress(std::int64_t num_rows, std::int64_t num_before, bool is_terminal,
                std::function<void(std::string_view)> write);
  void show(const LabelSummary& summary, int num_in_flight, bool is_last);

 private:
  const std::int64_t num_rows_, num_before_;
  const bool is_terminal_;
  const std::function<void(std::string_view)> write_;
  const std::chrono::steady_clock::time_point start_;
  std::chrono::steady_clock::time_point shown_;
};

}  // namespace onggi::tasks
