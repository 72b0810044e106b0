#include "onggi/tasks/label/pace.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <ctime>
#include <string>

namespace onggi::tasks {
namespace {

using std::chrono::milliseconds;

constexpr double kLowQuota = 0.1;
constexpr milliseconds kFirstDelay{500}, kLongestDelay{60'000}, kLongestAskedFor{600'000};

std::optional<double> number_of(std::string_view text) {
  double value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc() || end != text.data() + text.size() || !std::isfinite(value) || value < 0)
    return std::nullopt;
  return value;
}

milliseconds bounded(double ms) {
  return milliseconds(
      static_cast<std::int64_t>(std::min(std::ceil(ms), static_cast<double>(kLongestAskedFor.count()))));
}

}  // namespace

void Pace::Bucket::fill(PaceClock::time_point now) {
  if (per_minute <= 0) return;
  const double minutes = std::chrono::duration<double>(now - filled).count() / 60.0;
  // A second's worth may be saved up: servers count in short windows too.
  level = std::min(level + minutes * per_minute, std::max(1.0, per_minute / 60.0));
  filled = now;
}

PaceClock::time_point Pace::Bucket::ready(PaceClock::time_point now) const {
  if (per_minute <= 0) return now;
  const double minutes = std::chrono::duration<double>(now - filled).count() / 60.0;
  const double missing = 1.0 - (level + minutes * per_minute);
  if (missing <= 0) return now;
  return now + milliseconds(static_cast<std::int64_t>(std::ceil(missing / per_minute * 60'000.0)));
}

Pace::Pace(const Options& options, PaceClock::time_point now)
    : options_(options), window_(std::min(options.first_in_flight, options.most_in_flight)), paused_until_(now) {
  requests_ = {.per_minute = static_cast<double>(options.requests_per_minute), .level = 1, .filled = now};
  tokens_ = {.per_minute = static_cast<double>(options.tokens_per_minute), .level = 1, .filled = now};
}

std::optional<PaceClock::time_point> Pace::next_start(PaceClock::time_point now) const {
  if (num_in_flight_ >= window_) return std::nullopt;
  return std::max({paused_until_, requests_.ready(now), tokens_.ready(now)});
}

std::int64_t Pace::started(PaceClock::time_point now, std::int64_t tokens) {
  requests_.fill(now);
  tokens_.fill(now);
  requests_.level -= 1;
  tokens_.level -= static_cast<double>(tokens);
  ++num_in_flight_;
  return ++last_call_;
}

void Pace::ended(PaceClock::time_point now, std::int64_t call, Reception reception, std::int64_t more_tokens,
                 double quota_left) {
  --num_in_flight_;
  tokens_.fill(now);
  tokens_.level -= static_cast<double>(more_tokens);
  const bool wants_fewer =
      reception == Reception::kOverloaded || (reception == Reception::kGood && quota_left < kLowQuota);
  if (wants_fewer) {
    num_good_ = 0;
    if (call <= halved_after_) return;
    halved_after_ = last_call_;
    window_ = std::max(1, window_ / 2);
  } else if (reception == Reception::kGood && ++num_good_ >= window_) {
    num_good_ = 0;
    window_ = std::min(window_ + 1, options_.most_in_flight);
  }
}

void Pace::pause_until(PaceClock::time_point time) { paused_until_ = std::max(paused_until_, time); }

milliseconds retry_delay(int attempt, double draw, std::optional<milliseconds> asked_for) {
  const double doubled = static_cast<double>(kFirstDelay.count()) * std::exp2(std::clamp(attempt - 1, 0, 20));
  const double longest = std::min(doubled, static_cast<double>(kLongestDelay.count()));
  const milliseconds own(static_cast<std::int64_t>(longest * (0.5 + 0.5 * draw)));
  return asked_for ? std::max(own, *asked_for) : own;
}

std::optional<milliseconds> retry_after(std::string_view retry_after_ms, std::string_view retry_after,
                                        std::int64_t now_s) {
  if (const auto ms = number_of(retry_after_ms)) return bounded(*ms);
  if (const auto seconds = number_of(retry_after)) return bounded(*seconds * 1000.0);
  std::tm time{};
  const std::string date(retry_after);
  if (::strptime(date.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &time) == nullptr) return std::nullopt;
  return bounded(static_cast<double>(std::max<std::int64_t>(0, static_cast<std::int64_t>(::timegm(&time)) - now_s)) *
                 1000.0);
}

}  // namespace onggi::tasks
