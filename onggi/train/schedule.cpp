#include "onggi/train/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>

#include "onggi/core/error.h"

namespace onggi::train {

ScheduleKind schedule_kind(std::string_view name) {
  if (name == "constant") return ScheduleKind::kConstant;
  if (name == "linear") return ScheduleKind::kLinear;
  if (name == "cosine") return ScheduleKind::kCosine;
  if (name == "wsd") return ScheduleKind::kWsd;
  throw Error(ErrorCode::kInvalidArgument,
              "unknown schedule \"" + std::string(name) + "\"; choose constant, linear, cosine or wsd");
}

void Schedule::check() const {
  require(std::isfinite(peak) && peak > 0.0,
          [&] { return "learning rate must be a number above 0, found " + std::to_string(peak); });
  require(min_share >= 0.0 && min_share <= 1.0, "the lowest share of the learning rate must be in [0, 1]");
  require(warmup_steps >= 0 && decay_steps >= 0 && total_steps >= 0, "counts of steps must not be negative");
  require(warmup_steps < std::max<std::int64_t>(total_steps, 1), [&] {
    return "warm-up takes " + std::to_string(warmup_steps) + " steps, and the run has " + std::to_string(total_steps);
  });
  require(kind != ScheduleKind::kWsd || warmup_steps + decay_steps <= total_steps, [&] {
    return "warm-up and decay take " + std::to_string(warmup_steps + decay_steps) + " steps, and the run has " +
           std::to_string(total_steps);
  });
}

double Schedule::rate(std::int64_t step) const {
  const auto at = static_cast<double>(step);
  const auto warmup = static_cast<double>(warmup_steps);
  const auto total = static_cast<double>(total_steps);
  if (step < warmup_steps) return peak * at / std::max(1.0, warmup);
  const double progress = std::clamp((at - warmup) / std::max(1.0, total - warmup), 0.0, 1.0);
  double share = 1.0;
  switch (kind) {
    case ScheduleKind::kConstant: break;
    case ScheduleKind::kLinear: share = 1.0 - progress; break;
    case ScheduleKind::kCosine: share = 0.5 * (1.0 + std::cos(std::numbers::pi * progress)); break;
    case ScheduleKind::kWsd:
      if (decay_steps > 0) share = std::clamp((total - at) / static_cast<double>(decay_steps), 0.0, 1.0);
      break;
  }
  return peak * (min_share + (1.0 - min_share) * share);
}

}  // namespace onggi::train
