#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include "onggi/recommend/random_stream.h"

namespace onggi::recommend {

/// 1 over their number for the largest values, 0 for the rest.
inline std::vector<double> best_shares(std::span<const double> values) {
  const double best = *std::ranges::max_element(values);
  const auto num_best = static_cast<double>(std::ranges::count(values, best));
  std::vector<double> shares;
  for (const double value : values) shares.push_back(value == best ? 1.0 / num_best : 0.0);
  return shares;
}

/// One of the largest values, each with the same probability.
inline std::size_t draw_best(std::span<const double> values, RandomStream& draws) {
  const double best = *std::ranges::max_element(values);
  auto left = draws.whole(static_cast<std::uint64_t>(std::ranges::count(values, best)));
  std::size_t index = 0;
  while (values[index] != best || left-- > 0) ++index;
  return index;
}

}  // namespace onggi::recommend
