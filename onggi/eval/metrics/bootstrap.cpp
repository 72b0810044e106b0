#include "onggi/eval/metrics/bootstrap.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "onggi/core/error.h"
#include "onggi/core/random.h"

namespace onggi::eval {
namespace {

constexpr std::uint64_t kBootstrapStream = 0x626F6F74;  // "boot"

/// Linear interpolation between order statistics (NumPy's default).
double percentile(std::span<const double> sorted, double share) {
  const double position = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(position);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (position - std::floor(position)) * (sorted[above] - sorted[below]);
}

/// The figures of every resample: result[figure][resample]; `values` gets the figures of all groups.
std::vector<std::vector<double>> resample(std::size_t num_groups, const GroupStatistics& statistics,
                                          const BootstrapOptions& options, std::vector<double>& values) {
  require(num_groups > 0 && num_groups < (std::size_t{1} << 32), "bootstrap: no groups");
  require(options.num_resamples > 0 && options.level > 0 && options.level < 1,
          "bootstrap: num_resamples must be above 0 and level between 0 and 1");
  std::vector<std::uint32_t> groups(num_groups);
  std::iota(groups.begin(), groups.end(), 0u);
  values = statistics(groups);
  std::vector<std::vector<double>> figures(values.size());
  std::uint64_t draw = 0;
  for (int r = 0; r < options.num_resamples; ++r) {
    for (auto& group : groups) {
      group = static_cast<std::uint32_t>(uniform_int(options.seed, kBootstrapStream, draw++, num_groups));
    }
    const auto resampled = statistics(groups);
    for (std::size_t f = 0; f < figures.size(); ++f) figures[f].push_back(resampled[f]);
  }
  return figures;
}

Interval interval_of(double value, std::vector<double>& figures, double level) {
  std::ranges::sort(figures);
  return {value, percentile(figures, (1 - level) / 2), percentile(figures, (1 + level) / 2)};
}

}  // namespace

std::vector<Interval> bootstrap(std::size_t num_groups, const GroupStatistics& statistics, const BootstrapOptions& options) {
  std::vector<double> values;
  auto figures = resample(num_groups, statistics, options, values);
  std::vector<Interval> intervals;
  for (std::size_t f = 0; f < figures.size(); ++f) intervals.push_back(interval_of(values[f], figures[f], options.level));
  return intervals;
}

PairedDifference paired_bootstrap(std::size_t num_groups,
                                  const std::function<double(std::span<const std::uint32_t>)>& difference,
                                  const BootstrapOptions& options) {
  std::vector<double> values;
  auto figures = resample(num_groups, [&](std::span<const std::uint32_t> groups) { return std::vector{difference(groups)}; },
                          options, values);
  const auto not_above = std::ranges::count_if(figures[0], [](double d) { return d <= 0; });
  PairedDifference result{.share_not_above = static_cast<double>(not_above) / static_cast<double>(figures[0].size())};
  result.difference = interval_of(values[0], figures[0], options.level);
  return result;
}

}  // namespace onggi::eval
