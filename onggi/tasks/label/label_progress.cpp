#include "onggi/tasks/label/label_progress.h"

#include <algorithm>
#include <string>
#include <utility>

#include "onggi/tasks/label/label.h"
#include "onggi/train/progress.h"

namespace onggi::tasks {

using Clock = std::chrono::steady_clock;

LabelProgress::LabelProgress(std::int64_t num_rows, std::int64_t num_before, bool is_terminal,
                             std::function<void(std::string_view)> write)
    : num_rows_(num_rows),
      num_before_(num_before),
      is_terminal_(is_terminal),
      write_(std::move(write)),
      start_(Clock::now()),
      shown_(start_) {}

void LabelProgress::show(const LabelSummary& summary, int num_in_flight, bool is_last) {
  const auto now = Clock::now();
  if (!is_last && now - shown_ < std::chrono::milliseconds(is_terminal_ ? 200 : 10'000)) return;
  shown_ = now;
  const std::int64_t num_done = summary.num_labelled + summary.num_failed;
  const double seconds = std::max(1e-9, std::chrono::duration<double>(now - start_).count());
  const double rate = static_cast<double>(num_done - num_before_) / seconds;
  char numbers[160];
  std::snprintf(numbers, sizeof numbers, "%lld/%lld rows  %.1f rows/s  %lld failed  %d calls under way",
                static_cast<long long>(num_done), static_cast<long long>(num_rows_), rate,
                static_cast<long long>(summary.num_failed), num_in_flight);
  std::string line = (is_terminal_ ? "\r" : "") + std::string(numbers);
  if (summary.has_prices) line += "  " + dollars_text(summary.spent);
  line += "  " + train::format_duration(rate > 0 ? static_cast<double>(num_rows_ - num_done) / rate : 0) + " left";
  line += is_terminal_ && !is_last ? "\x1b[K" : "\n";
  if (write_) write_(line);
}

}  // namespace onggi::tasks
