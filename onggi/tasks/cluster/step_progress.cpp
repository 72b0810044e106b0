#include "onggi/tasks/cluster/step_progress.h"

#include <chrono>
#include <cstdio>
#include <utility>

#include "onggi/train/progress.h"

namespace onggi::tasks {
namespace {

double clock_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

StepProgress::StepProgress(bool is_terminal, std::function<void(std::string_view)> write)
    : is_terminal_(is_terminal), write_(std::move(write)), shown_(clock_seconds()) {}

void StepProgress::show(std::string_view step, std::int64_t done, std::int64_t total) {
  const double now = clock_seconds();
  if (step != step_ || done <= 0) {
    step_ = step;
    began_ = now;
  }
  if (!write_ || now - shown_ < (is_terminal_ ? 0.2 : 10.0)) return;
  shown_ = now;
  const double rate = now > began_ ? static_cast<double>(done) / (now - began_) : 0;
  char line[160];
  std::snprintf(line, sizeof line, "%s%-20s %lld/%lld  %s left%s", is_terminal_ ? "\r" : "", step_.c_str(),
                static_cast<long long>(done), static_cast<long long>(total),
                train::format_duration(rate > 0 ? static_cast<double>(total - done) / rate : 0).c_str(),
                is_terminal_ ? "   " : "\n");
  write_(line);
  has_line_ = is_terminal_;
}

void StepProgress::finish() {
  if (std::exchange(has_line_, false)) write_("\n");
}

}  // namespace onggi::tasks
