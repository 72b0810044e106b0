#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace onggi::tasks {

using PaceClock = std::chrono::steady_clock;

/// How the teacher took a call, as far as it matters for the next.
enum class Reception {
  kGood,
  kOverloaded,  ///< 429, 503, 529: it wants fewer.
  kOther,
};

/// When the next call may begin: an adaptive number under way, and limits a minute. The number begins low, is halved
/// where the teacher is overloaded (once a round: calls that were under way then don't count again) and grows by one
/// after as many good answers as it is (additive increase, multiplicative decrease; Chiu and Jain 1989). Times are the
/// caller's. Confined to one thread.
class Pace {
 public:
  struct Options {
    int most_in_flight = 16, first_in_flight = 4;
    std::int64_t requests_per_minute = 0;  ///< 0: no limit.
    std::int64_t tokens_per_minute = 0;
  };
  explicit Pace(const Options& options, PaceClock::time_point now);

  int window() const { return window_; }
  int num_in_flight() const { return num_in_flight_; }
  /// When a call may begin: now or before it; nothing where that needs an answer first.
  std::optional<PaceClock::time_point> next_start(PaceClock::time_point now) const;
  /// `tokens` as expected. Returns the call's number, for `ended`.
  std::int64_t started(PaceClock::time_point now, std::int64_t tokens);
  /// `more_tokens`: what it took beyond the expected, or less. `quota_left`: the share of its quota that the teacher
  /// says is left, 1 where it does not say.
  void ended(PaceClock::time_point now, std::int64_t call, Reception reception, std::int64_t more_tokens,
             double quota_left = 1.0);
  /// Nothing begins before.
  void pause_until(PaceClock::time_point time);

 private:
  /// Fills by the minute; a call may begin where it is not in debt.
  struct Bucket {
    double per_minute = 0, level = 0;
    PaceClock::time_point filled;
    void fill(PaceClock::time_point now);
    PaceClock::time_point ready(PaceClock::time_point now) const;
  };

  const Options options_;
  int window_, num_in_flight_ = 0, num_good_ = 0;
  std::int64_t last_call_ = 0, halved_after_ = 0;
  Bucket requests_, tokens_;
  PaceClock::time_point paused_until_;
};

/// How long to wait before try `attempt` (from 1): exponential from 0.5 s, at most 60 s, of which a random part, 0.5 to
/// 1, by `draw` in [0, 1); at least what the teacher asked for.
std::chrono::milliseconds retry_delay(int attempt, double draw, std::optional<std::chrono::milliseconds> asked_for);

/// Of the fields retry-after-ms and retry-after (seconds, or a date; RFC 9110 section 10.2.3), at most ten minutes.
/// `now_s` is seconds since 1970. Nothing where neither says a time.
std::optional<std::chrono::milliseconds> retry_after(std::string_view retry_after_ms, std::string_view retry_after,
                                                     std::int64_t now_s);

}  // namespace onggi::tasks
