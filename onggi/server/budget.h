#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string_view>

namespace onggi::server {

/// What a key may use; 0 is no limit.
struct KeyLimits {
  std::int64_t requests_per_minute = 0;
  std::int64_t tokens_per_minute = 0;
  std::int64_t tokens_per_day = 0;  ///< From midnight to midnight, UTC.
};

/// A moment on both clocks: days are of the wall's.
struct BudgetTime {
  std::chrono::steady_clock::time_point steady = std::chrono::steady_clock::now();
  std::chrono::system_clock::time_point wall = std::chrono::system_clock::now();
};

/// What is left of a key's limits. A minute's limit is a bucket that refills steadily and may be emptied at once;
/// tokens may take it below zero, and then nothing is admitted until it is above again. Counts are of this process: a
/// restart forgets them. Thread-safe.
class Budget {
 public:
  struct Refusal {
    std::string_view limit;  ///< "requests_per_minute", "tokens_per_minute" or "tokens_per_day".
    std::int64_t retry_after_ms = 0;
  };

  explicit Budget(KeyLimits limits);
  /// What was used stays used.
  void set_limits(KeyLimits limits);
  /// Counts a request, or says why it may not be.
  std::optional<Refusal> admit(BudgetTime now = {});
  /// Why nothing that takes tokens is admitted now; counts nothing.
  std::optional<Refusal> token_refusal(BudgetTime now = {});
  /// Takes tokens, or gives back where negative.
  void charge(std::int64_t tokens, BudgetTime now = {});
  std::int64_t tokens_today(BudgetTime now = {}) const;

 private:
  struct Bucket {
    double level = 0.0;
    void refill(double seconds, std::int64_t per_minute);
  };
  void advance(const BudgetTime& now);
  std::optional<Refusal> lacking_tokens(const BudgetTime& now) const;

  mutable std::mutex mutex_;
  KeyLimits limits_;
  Bucket requests_, tokens_;
  std::optional<std::chrono::steady_clock::time_point> last_;
  std::int64_t day_ = 0;
  std::int64_t tokens_today_ = 0;
};

}  // namespace onggi::server
