#include "onggi/server/budget.h"

#include <algorithm>
#include <cmath>

namespace onggi::server {
namespace {

constexpr std::int64_t kDayMs = 86'400'000;

std::int64_t unix_ms(std::chrono::system_clock::time_point time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

/// Until the bucket holds `wanted`.
std::int64_t wait_ms(double level, double wanted, std::int64_t per_minute) {
  return std::max<std::int64_t>(
      1, static_cast<std::int64_t>(std::ceil((wanted - level) * 60'000.0 / static_cast<double>(per_minute))));
}

}  // namespace

Budget::Budget(KeyLimits limits) : limits_(limits) {
  requests_.level = static_cast<double>(limits.requests_per_minute);
  tokens_.level = static_cast<double>(limits.tokens_per_minute);
}

void Budget::Bucket::refill(double seconds, std::int64_t per_minute) {
  const auto full = static_cast<double>(per_minute);
  level = std::min(full, level + seconds * full / 60.0);
}

void Budget::set_limits(KeyLimits limits) {
  const std::lock_guard lock(mutex_);
  requests_.level += static_cast<double>(limits.requests_per_minute - limits_.requests_per_minute);
  tokens_.level += static_cast<double>(limits.tokens_per_minute - limits_.tokens_per_minute);
  limits_ = limits;
}

/// `mutex_` held.
void Budget::advance(const BudgetTime& now) {
  const double seconds = last_ ? std::chrono::duration<double>(now.steady - *last_).count() : 0.0;
  last_ = last_ ? std::max(*last_, now.steady) : now.steady;
  if (seconds > 0.0) {
    requests_.refill(seconds, limits_.requests_per_minute);
    tokens_.refill(seconds, limits_.tokens_per_minute);
  }
  const std::int64_t day = unix_ms(now.wall) / kDayMs;
  if (day != day_) tokens_today_ = 0;
  day_ = day;
}

/// `mutex_` held.
std::optional<Budget::Refusal> Budget::lacking_tokens(const BudgetTime& now) const {
  if (limits_.tokens_per_day > 0 && tokens_today_ >= limits_.tokens_per_day)
    return Refusal{"tokens_per_day", kDayMs - unix_ms(now.wall) % kDayMs};
  if (limits_.tokens_per_minute > 0 && tokens_.level <= 0.0)
    return Refusal{"tokens_per_minute", wait_ms(tokens_.level, 1.0, limits_.tokens_per_minute)};
  return std::nullopt;
}

std::optional<Budget::Refusal> Budget::token_refusal(BudgetTime now) {
  const std::lock_guard lock(mutex_);
  advance(now);
  return lacking_tokens(now);
}

std::optional<Budget::Refusal> Budget::admit(BudgetTime now) {
  const std::lock_guard lock(mutex_);
  advance(now);
  if (auto refusal = lacking_tokens(now)) return refusal;
  if (limits_.requests_per_minute > 0) {
    if (requests_.level < 1.0)
      return Refusal{"requests_per_minute", wait_ms(requests_.level, 1.0, limits_.requests_per_minute)};
    requests_.level -= 1.0;
  }
  return std::nullopt;
}

void Budget::charge(std::int64_t tokens, BudgetTime now) {
  const std::lock_guard lock(mutex_);
  advance(now);
  if (limits_.tokens_per_minute > 0)
    tokens_.level =
        std::min(static_cast<double>(limits_.tokens_per_minute), tokens_.level - static_cast<double>(tokens));
  tokens_today_ = std::max<std::int64_t>(0, tokens_today_ + tokens);
}

std::int64_t Budget::tokens_today(BudgetTime now) const {
  const std::lock_guard lock(mutex_);
  return unix_ms(now.wall) / kDayMs == day_ ? tokens_today_ : 0;
}

}  // namespace onggi::server
