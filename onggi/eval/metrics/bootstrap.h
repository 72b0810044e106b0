#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace onggi::eval {

/// A figure with its interval.
struct Interval {
  double value = 0, low = 0, high = 0;
};

struct BootstrapOptions {
  int num_resamples = 1000;
  std::uint64_t seed = 0;
  double level = 0.95;
};

/// Figures of a multiset of groups, given by index; always the same number of figures.
using GroupStatistics = std::function<std::vector<double>(std::span<const std::uint32_t> groups)>;

/// Percentile bootstrap over groups (a product's rows go in or out together): draws as many groups as there are, with
/// replacement, by philox(seed), and takes the linear percentiles of each figure. `value` is the figure of all groups.
/// For a paired comparison let a figure be the difference. Throws kInvalidArgument without groups or resamples.
std::vector<Interval> bootstrap(std::size_t num_groups, const GroupStatistics& statistics, const BootstrapOptions& options);

/// Difference of two systems on the same resamples.
struct PairedDifference {
  Interval difference;
  double share_not_above = 0;  ///< Resamples where it is 0 or less.
};
PairedDifference paired_bootstrap(std::size_t num_groups, const std::function<double(std::span<const std::uint32_t>)>& difference,
                                  const BootstrapOptions& options);

}  // namespace onggi::eval
