#include "onggi/train/progress.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <fstream>

namespace onggi::train {
namespace {

constexpr std::size_t kRecentUpdates = 32;
constexpr double kTerminalInterval_s = 0.1;
constexpr int kBarWidth = 20;

template <class... Values>
std::string print(const char* format, Values... values) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), format, values...);
  return text.data();
}

std::string bar(double share) {
  const int full = static_cast<int>(std::clamp(share, 0.0, 1.0) * kBarWidth);
  return "[" + std::string(static_cast<std::size_t>(full), '#') +
         std::string(static_cast<std::size_t>(kBarWidth - full), '.') + "]";
}

double share_of(std::int64_t part, std::int64_t whole) {
  return whole > 0 ? static_cast<double>(part) / static_cast<double>(whole) : 0.0;
}

}  // namespace

std::int64_t peak_memory_bytes() {
  std::ifstream status("/proc/self/status");
  std::string word;
  while (status >> word) {
    if (word != "VmHWM:") continue;
    std::int64_t kib = 0;
    return status >> kib ? kib * 1024 : 0;
  }
  return 0;
}

std::string format_bytes(std::int64_t bytes) {
  const auto b = static_cast<double>(bytes);
  if (b >= 0x1p30) return print("%.1f GiB", b / 0x1p30);
  if (b >= 0x1p20) return print("%.0f MiB", b / 0x1p20);
  if (b >= 0x1p10) return print("%.0f KiB", b / 0x1p10);
  return std::to_string(bytes) + " B";
}

std::string format_duration(double seconds) {
  const auto s = static_cast<long long>(std::clamp(std::round(seconds), 0.0, 1e9));
  if (s >= 3600) return print("%lld:%02lld:%02lld", s / 3600, s / 60 % 60, s % 60);
  return print("%lld:%02lld", s / 60, s % 60);
}

Progress::Progress(ProgressOptions options, ProgressSample start, std::function<void(std::string_view)> write,
                   std::function<double()> clock)
    : options_(options), write_(std::move(write)), clock_(std::move(clock)), last_(start) {
  drawn_at_ = clock_();
  recent_.emplace_back(drawn_at_, start.tokens);
}

double Progress::tokens_per_s() const {
  const double seconds = recent_.back().first - recent_.front().first;
  return seconds > 0.0 ? static_cast<double>(recent_.back().second - recent_.front().second) / seconds : 0.0;
}

std::string Progress::line() const {
  const double rate = tokens_per_s();
  std::string text = options_.is_terminal ? bar(share_of(last_.tokens, last_.total_tokens)) + " " : "";
  text += "step " + std::to_string(last_.step) + "/" + std::to_string(last_.total_steps);
  text += print("  %.0f tok/s", rate);
  const auto left = static_cast<double>(last_.total_tokens - last_.tokens);
  text += "  left " + (rate > 0.0 ? format_duration(left / rate) : std::string("?"));
  text += print("  loss %.4f", last_.loss) + print("  lr %.2e", last_.learning_rate);
  return text + "  mem " + format_bytes(peak_memory_bytes());
}

void Progress::draw() {
  drawn_at_ = clock_();
  is_drawn_ = true;
  if (!options_.is_terminal) {
    write_(line() + "\n");
    return;
  }
  // Back to the first column, and what an earlier, longer line left is cleared.
  write_("\r" + line().substr(0, static_cast<std::size_t>(std::max(options_.width - 1, 1))) + "\x1b[K");
  has_line_ = true;
}

void Progress::update(const ProgressSample& sample) {
  last_ = sample;
  is_drawn_ = false;
  const double now = clock_();
  recent_.emplace_back(now, sample.tokens);
  if (recent_.size() > kRecentUpdates) recent_.pop_front();
  if (now - drawn_at_ >= (options_.is_terminal ? kTerminalInterval_s : options_.interval_s)) draw();
}

void Progress::message(std::string_view text) {
  write_((has_line_ ? "\r\x1b[K" : "") + std::string(text) + "\n");
  if (std::exchange(has_line_, false)) draw();
}

void Progress::finish() {
  if (!is_drawn_) draw();
  if (std::exchange(has_line_, false)) write_("\n");
}

}  // namespace onggi::train
