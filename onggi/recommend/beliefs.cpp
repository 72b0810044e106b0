#include "onggi/recommend/beliefs.h"

#include <cmath>
#include <utility>

namespace onggi::recommend {

void Beliefs::observe(int arm, int slot, double clicks, double misses) {
  open_.push_back(
      {options_.is_by_slot ? static_cast<std::size_t>(slot) : 0, static_cast<std::size_t>(arm), clicks, misses});
}

void Beliefs::add(const Observation& observation, double sign) {
  if (seen_.size() <= observation.slot) seen_.resize(observation.slot + 1);
  auto& arms = seen_[observation.slot];
  if (arms.size() <= observation.arm) arms.resize(observation.arm + 1);
  Seen& seen = arms[observation.arm];
  const double kept =
      options_.discount == 1.0 ? 1.0 : std::pow(options_.discount, static_cast<double>(batch_ - seen.batch));
  seen = {kept * seen.clicks + sign * observation.clicks, kept * seen.misses + sign * observation.misses, batch_};
}

void Beliefs::close_batch() {
  ++batch_;
  for (const auto& observation : open_) add(observation, 1.0);
  if (options_.window_batches > 0) {
    window_.push_back(std::move(open_));
    if (window_.size() > static_cast<std::size_t>(options_.window_batches)) {
      for (const auto& observation : window_.front()) add(observation, -1.0);
      window_.pop_front();
    }
  }
  open_.clear();
}

Beta Beliefs::posterior(int arm, int slot) const {
  const std::size_t s = options_.is_by_slot ? static_cast<std::size_t>(slot) : 0;
  const auto k = static_cast<std::size_t>(arm);
  if (s >= seen_.size() || k >= seen_[s].size()) return options_.prior;
  const Seen& seen = seen_[s][k];
  const double kept =
      options_.discount == 1.0 ? 1.0 : std::pow(options_.discount, static_cast<double>(batch_ - seen.batch));
  return {options_.prior.a + kept * seen.clicks, options_.prior.b + kept * seen.misses};
}

}  // namespace onggi::recommend
