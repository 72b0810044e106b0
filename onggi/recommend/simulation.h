#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "onggi/recommend/policy.h"

namespace onggi::recommend {

/// A shop window of one place whose cards' click rates are known, to see what a policy loses in it.
struct World {
  std::int64_t num_steps = 100'000;
  std::vector<double> rates;       ///< Of each arm.
  std::int64_t rotates_every = 0;  ///< The rates move on to the next arm after so many steps; 0: never.
  std::int64_t arm_every = 0;      ///< One arm at the start, then another each so many steps; 0: all from the start.
  double mean_delay = 0.0;         ///< Steps from an impression to its click, exponential.
  /// With a delay: an impression counts when so many steps have passed, with its click if that came. 0: it counts as
  /// one without a click at once, which a click then corrects.
  std::int64_t window = 0;
  std::int64_t batch = 1;  ///< Steps between updates of the policy.
  /// Not empty: rewards are linear in a context of so many numbers instead. weights[arm]; the click rate is
  /// 0.5 + weights . x / 2 for an x on the unit sphere, drawn for each step.
  std::vector<std::vector<double>> weights;
};

struct Run {
  double regret = 0.0;        ///< Sum over steps of (best rate there is - the shown arm's rate).
  std::vector<double> curve;  ///< The regret at each tenth of the steps.
};

/// Lets the policy run through the world. The same seed gives the same run.
Run simulate(Policy& policy, const World& world, std::uint64_t seed);

/// Mean and standard deviation over runs.
struct Spread {
  double mean = 0.0, deviation = 0.0;
};
Spread spread_of(std::span<const double> values);

}  // namespace onggi::recommend
