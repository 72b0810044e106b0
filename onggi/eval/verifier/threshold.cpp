#include "onggi/eval/verifier/threshold.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include <boost/math/distributions/beta.hpp>
#include <boost/math/distributions/binomial.hpp>

#include "onggi/core/error.h"
#include "onggi/eval/metrics/detection.h"

namespace onggi::eval {
namespace {

/// Places of the cards by falling score; equal scores in the order given.
std::vector<std::size_t> best_first(std::span<const ScoredCard> cards) {
  std::vector<std::size_t> order(cards.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) { return cards[a].score > cards[b].score; });
  return order;
}

/// The first place at or after `count` where the score changes: ties go together.
std::size_t end_of_ties(std::span<const ScoredCard> cards, std::span<const std::size_t> order, std::size_t count) {
  while (count > 0 && count < order.size() && cards[order[count]].score == cards[order[count - 1]].score) ++count;
  return count;
}

/// Lower bound of a share at a one-sided level.
double lower_bound_of(std::int64_t right, std::int64_t count, double level) {
  if (right == 0) return 0;
  const boost::math::beta_distribution<double> beta(static_cast<double>(right), static_cast<double>(count - right + 1));
  return boost::math::quantile(beta, 1 - level);
}

}  // namespace

Interval exact_interval(std::int64_t right, std::int64_t count, double level) {
  if (count == 0) return {.value = 0, .low = 0, .high = 1};
  const double tail = (1 - level) / 2;
  return {.value = static_cast<double>(right) / static_cast<double>(count),
          .low = lower_bound_of(right, count, 1 - tail),
          .high = 1 - lower_bound_of(count - right, count, 1 - tail)};
}

Threshold choose_threshold(std::span<const ScoredCard> cards, const ThresholdOptions& options) {
  require(options.target > 0 && options.target < 1,
          "the target precision is out of range, expected above 0 and below 1");
  require(options.assurance > 0 && options.assurance < 1,
          "the assurance is out of range, expected above 0 and below 1");
  Threshold chosen{.count = std::ssize(cards)};
  const auto order = best_first(cards);
  // With fewer cards even all right ones would not refuse "below the target".
  const auto fewest = static_cast<std::size_t>(std::ceil(std::log(1 - options.assurance) / std::log(options.target)));
  const std::size_t step = std::max<std::size_t>(1, cards.size() / 20);
  bool goes_on = true;
  std::size_t counted = 0;
  std::int64_t right = 0;
  for (std::size_t count = fewest; count <= cards.size(); count += step) {
    count = end_of_ties(cards, order, count);
    for (; counted < count; ++counted) right += cards[order[counted]].is_right ? 1 : 0;
    const auto accepted = static_cast<std::int64_t>(count);
    const double bound = lower_bound_of(right, accepted, options.assurance);
    if (bound > chosen.best_bound) {
      chosen.best_bound = bound;
      chosen.best_accepted = accepted;
    }
    goes_on = goes_on && bound >= options.target;
    if (!goes_on) continue;
    chosen.score = cards[order[count - 1]].score;
    chosen.accepted = accepted;
    chosen.right = right;
  }
  chosen.precision = exact_interval(chosen.right, chosen.accepted, 0.95);
  return chosen;
}

std::vector<CurvePoint> precision_curve(std::span<const ScoredCard> cards, int steps, const BootstrapOptions& options) {
  require(steps >= 1, "a curve needs at least one point");
  const auto order = best_first(cards);
  std::map<std::string, std::size_t> groups;
  for (const auto& card : cards) groups.emplace(card.group, groups.size());
  std::vector<CurvePoint> curve;
  for (int s = 1; s <= steps; ++s) {
    const std::size_t wanted = (cards.size() * static_cast<std::size_t>(s) + static_cast<std::size_t>(steps) - 1) /
                               static_cast<std::size_t>(steps);
    const std::size_t count = end_of_ties(cards, order, wanted);
    if (count == 0 || (!curve.empty() && curve.back().accepted == static_cast<std::int64_t>(count))) continue;
    std::vector<std::pair<double, double>> by_group(groups.size());  // accepted, right
    for (std::size_t i = 0; i < count; ++i) {
      auto& group = by_group[groups.at(cards[order[i]].group)];
      group.first += 1;
      group.second += cards[order[i]].is_right ? 1 : 0;
    }
    const auto precision = bootstrap(
        groups.size(),
        [&](std::span<const std::uint32_t> drawn) {
          double accepted = 0, right = 0;
          for (const auto g : drawn) accepted += by_group[g].first, right += by_group[g].second;
          return std::vector<double>{accepted > 0 ? right / accepted : 0};
        },
        options)[0];
    const auto right = std::accumulate(by_group.begin(), by_group.end(), 0.0,
                                       [](double sum, const auto& g) { return sum + g.second; });
    curve.push_back({.coverage = static_cast<double>(count) / static_cast<double>(cards.size()),
                     .score = cards[order[count - 1]].score,
                     .accepted = static_cast<std::int64_t>(count),
                     .right = static_cast<std::int64_t>(right),
                     .precision = precision});
  }
  return curve;
}

double auroc_of(std::span<const ScoredCard> cards) {
  std::vector<double> scores;
  std::vector<bool> is_right;
  for (const auto& card : cards) {
    scores.push_back(card.score);
    is_right.push_back(card.is_right);
  }
  const auto num_right = std::ranges::count(is_right, true);
  if (num_right == 0 || num_right == std::ssize(is_right)) return 0.5;
  return detection(scores, is_right).auroc;
}

}  // namespace onggi::eval
