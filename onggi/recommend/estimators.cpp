#include "onggi/recommend/estimators.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "onggi/core/error.h"
#include "onggi/recommend/random_stream.h"

namespace onggi::recommend {
namespace {

constexpr std::array<const char*, 7> kIds = {"ipw", "ipw_clipped", "snipw", "dm", "dr", "sndr", "switch_dr"};
using Values = std::array<double, kIds.size()>;

Values row_values(const Term& t, double mean_weight, double clip) {
  const double share = mean_weight > 0.0 ? t.weight / mean_weight : 0.0;
  const double surprise = t.reward - t.expected;
  return {t.reward * t.weight,
          t.reward * std::min(t.weight, clip),
          t.reward * share,
          t.policy_expected,
          t.policy_expected + t.weight * surprise,
          t.policy_expected + share * surprise,
          t.policy_expected + (t.weight <= clip ? t.weight * surprise : 0.0)};
}

/// Sums of a unit's rows.
struct Unit {
  Values sums{};
  double num_rows = 0.0, weight = 0.0;
};

/// The value below which a share of the sorted numbers lies, with a line between neighbours.
double percentile(const std::vector<double>& sorted, double share) {
  const double place = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (place - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

}  // namespace

Estimates estimate(std::span<const Term> terms, const EstimatorOptions& options, ThreadPool& pool, double truth) {
  require(!terms.empty(), "there is no impression to estimate from");
  require(options.num_resamples >= 1 && options.num_resamples <= 1'000'000, "expected 1 to 1,000,000 resamples");
  require(options.level > 0.0 && options.level < 1.0, "the level of the intervals is not between 0 and 1");
  Estimates result;
  result.num_rows = terms.size();
  const auto n = static_cast<double>(terms.size());
  double sum = 0.0, squares = 0.0;
  int last_unit = 0;
  for (const Term& t : terms) {
    require(std::isfinite(t.weight) && t.weight >= 0.0 && std::isfinite(t.reward) && std::isfinite(t.expected) &&
                std::isfinite(t.policy_expected) && t.unit >= 0,
            "a weight or reward is not a finite number");
    sum += t.weight;
    squares += t.weight * t.weight;
    result.max_weight = std::max(result.max_weight, t.weight);
    result.mean_reward += t.reward / n;
    last_unit = std::max(last_unit, t.unit);
  }
  result.mean_weight = sum / n;
  result.effective_sample = squares > 0.0 ? sum * sum / squares : 0.0;
  std::vector<Unit> units(static_cast<std::size_t>(last_unit) + 1);
  Values totals{};
  for (const Term& t : terms) {
    Unit& unit = units[static_cast<std::size_t>(t.unit)];
    const Values values = row_values(t, result.mean_weight, options.clip);
    for (std::size_t e = 0; e < values.size(); ++e) {
      unit.sums[e] += values[e];
      totals[e] += values[e];
    }
    unit.num_rows += 1.0;
    unit.weight += t.weight;
  }
  std::erase_if(units, [](const Unit& unit) { return unit.num_rows == 0.0; });
  result.num_units = units.size();
  double spread = 0.0;  // Of the units' sums about what their rows would have on average.
  for (const Unit& unit : units) spread += std::pow(unit.weight - unit.num_rows * result.mean_weight, 2);
  result.mean_weight_error = std::sqrt(spread) / n;

  const auto num_resamples = static_cast<std::size_t>(options.num_resamples);
  std::vector<std::vector<double>> resampled(kIds.size(), std::vector<double>(num_resamples));
  pool.run(options.num_resamples, [&](std::int64_t r, int) {
    constexpr std::uint64_t kStream = 1 << 20;
    RandomStream draws(static_cast<std::uint64_t>(options.seed), kStream + static_cast<std::uint64_t>(r));
    Values sums{};
    double num_rows = 0.0;
    for (std::size_t i = 0; i < units.size(); ++i) {
      const Unit& unit = units[draws.whole(units.size())];
      for (std::size_t e = 0; e < sums.size(); ++e) sums[e] += unit.sums[e];
      num_rows += unit.num_rows;
    }
    for (std::size_t e = 0; e < sums.size(); ++e) resampled[e][static_cast<std::size_t>(r)] = sums[e] / num_rows;
  });
  for (std::size_t e = 0; e < kIds.size(); ++e) {
    Estimate estimate{.id = kIds[e], .value = totals[e] / n};
    auto& values = resampled[e];
    if (truth > 0.0) {
      estimate.relative_error = std::abs(estimate.value - truth) / truth;
      double squares_of_errors = 0.0;
      for (const double value : values) {
        const double error = std::abs(value - truth) / truth;
        estimate.relative_error_mean += error / static_cast<double>(num_resamples);
        squares_of_errors += error * error / static_cast<double>(num_resamples);
      }
      estimate.relative_error_deviation =
          std::sqrt(std::max(0.0, squares_of_errors - std::pow(estimate.relative_error_mean, 2)));
    }
    std::ranges::sort(values);
    estimate.low = percentile(values, 0.5 * (1.0 - options.level));
    estimate.high = percentile(values, 0.5 * (1.0 + options.level));
    result.all.push_back(std::move(estimate));
  }
  return result;
}

}  // namespace onggi::recommend
