#pragma once

#include <cstdint>
#include <string_view>

namespace onggi::train {

enum class ScheduleKind { kConstant, kLinear, kCosine, kWsd };

/// "constant", "linear", "cosine" or "wsd". Throws kInvalidArgument naming the choices.
ScheduleKind schedule_kind(std::string_view name);

/// Learning rate over a run, as transformers has it. Warm-up goes from 0 (the first update's rate) to the peak; then
/// linear and cosine fall to `min_share` of the peak at the end, wsd (warm-up, stable, decay) holds the peak and falls
/// linearly over its last `decay_steps`, constant holds.
struct Schedule {
  ScheduleKind kind = ScheduleKind::kCosine;
  double peak = 1e-4;
  std::int64_t total_steps = 0;
  std::int64_t warmup_steps = 0;
  std::int64_t decay_steps = 0;  ///< wsd only.
  double min_share = 0.0;        ///< Of the peak, in [0, 1].

  /// Throws kInvalidArgument: rate not above 0 or not finite, warm-up (and decay) longer than the run.
  void check() const;
  /// Rate of the update `step`, counted from 0. 0 is the answer past the end for what falls to 0.
  double rate(std::int64_t step) const;
};

}  // namespace onggi::train
