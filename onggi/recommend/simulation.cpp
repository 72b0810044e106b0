#include "onggi/recommend/simulation.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

namespace onggi::recommend {
namespace {

/// What the policy is told later.
struct News {
  int arm;
  double clicks, misses;
  std::vector<double> features;
};

/// The rates of a step: those of the world, or of this step's context.
class Rates {
 public:
  Rates(const World& world, RandomStream& draws) : world_(world), draws_(draws) {}

  void move_to(std::int64_t step) {
    shift_ = world_.rotates_every > 0 ? static_cast<std::size_t>(step / world_.rotates_every) : 0;
    if (world_.weights.empty()) return;
    features_.resize(world_.weights[0].size());
    double norm = 0.0;
    for (double& x : features_) {
      x = draws_.normal();
      norm += x * x;
    }
    for (double& x : features_) x /= std::sqrt(norm);
  }
  double of(int arm) const {
    const auto k = static_cast<std::size_t>(arm);
    if (world_.weights.empty()) return world_.rates[(k + shift_) % world_.rates.size()];
    const auto& weights = world_.weights[k];
    return 0.5 + 0.5 * std::inner_product(weights.begin(), weights.end(), features_.begin(), 0.0);
  }
  const std::vector<double>& features() const { return features_; }

 private:
  const World& world_;
  RandomStream& draws_;
  std::size_t shift_ = 0;
  std::vector<double> features_;
};

}  // namespace

Run simulate(Policy& policy, const World& world, std::uint64_t seed) {
  constexpr std::uint64_t kWorldStream = 0, kPolicyStream = 1;
  RandomStream events(seed, kWorldStream), draws(seed, kPolicyStream);
  Rates rates(world, events);
  const std::size_t num_arms = world.weights.empty() ? world.rates.size() : world.weights.size();
  std::vector<int> arms(num_arms);
  std::iota(arms.begin(), arms.end(), 0);
  std::multimap<std::int64_t, News> news;  // By the step at which they are told.
  Run run;
  for (std::int64_t step = 0; step < world.num_steps; ++step) {
    rates.move_to(step);
    const std::size_t num_there =
        world.arm_every > 0 ? std::min(num_arms, static_cast<std::size_t>(step / world.arm_every) + 1) : num_arms;
    const std::span there(arms.data(), num_there);
    const int arm = there[policy.choose({.arms = there, .features = rates.features()}, draws)];
    double best = 0.0;
    for (const int other : there) best = std::max(best, rates.of(other));
    run.regret += best - rates.of(arm);
    const bool is_clicked = events.uniform() < rates.of(arm);
    const auto delay = static_cast<std::int64_t>(-world.mean_delay * std::log(events.uniform()));
    const double clicks = is_clicked ? 1.0 : 0.0;
    if (world.mean_delay == 0.0) {
      policy.observe({.arm = arm, .clicks = clicks, .misses = 1.0 - clicks, .features = rates.features()});
    } else if (world.window > 0) {
      const double in_time = is_clicked && delay <= world.window ? 1.0 : 0.0;
      news.emplace(step + world.window, News{arm, in_time, 1.0 - in_time, rates.features()});
    } else {
      policy.observe({.arm = arm, .misses = 1.0, .features = rates.features()});
      if (is_clicked) news.emplace(step + delay, News{arm, 1.0, -1.0, rates.features()});
    }
    while (!news.empty() && news.begin()->first <= step) {
      const News& n = news.begin()->second;
      policy.observe({.arm = n.arm, .clicks = n.clicks, .misses = n.misses, .features = n.features});
      news.erase(news.begin());
    }
    if ((step + 1) % world.batch == 0) policy.close_batch();
    if ((step + 1) * 10 % world.num_steps < 10) run.curve.push_back(run.regret);
  }
  return run;
}

Spread spread_of(std::span<const double> values) {
  const auto n = static_cast<double>(values.size());
  Spread spread;
  for (const double value : values) spread.mean += value / n;
  for (const double value : values) spread.deviation += (value - spread.mean) * (value - spread.mean);
  spread.deviation = n > 1 ? std::sqrt(spread.deviation / (n - 1)) : 0.0;
  return spread;
}

}  // namespace onggi::recommend
