#include "onggi/recommend/score_table.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <unordered_map>

#include "onggi/recommend/quadrature.h"

namespace onggi::recommend {
namespace {

constexpr std::array<int, 3> kNumPieces = {24, 160, 160};  // Of the zones.
const double kLogLow = std::log(1e-13), kLogHigh = std::log(1e-15);

/// Where a falling function of the distance from `start` reaches `target`: walks away in growing steps, then halves.
template <class LogTail>
double tail_end(double start, double direction, double target, LogTail log_tail) {
  double step = 0.5;
  double inside = start;
  double outside = start + direction * step;
  while (log_tail(outside) > target) {
    inside = outside;
    step *= 1.5;
    outside = inside + direction * step;
  }
  for (int i = 0; i < 12; ++i) {
    const double middle = 0.5 * (inside + outside);
    (log_tail(middle) > target ? inside : outside) = middle;
  }
  return outside;
}

}  // namespace

template <class LogCdf, class Derivatives>
ScoreTable::ScoreTable(const std::array<double, 4>& ends, LogCdf log_cdf, Derivatives derivatives) {
  struct Knot {
    double value, slope, curve;  ///< The derivatives over a piece of length 1.
  };
  for (std::size_t z = 0; z < zones_.size(); ++z) {
    const double low = ends[z], length = ends[z + 1] - ends[z];
    const int num_pieces = length > 0.0 ? kNumPieces[z] : 0;
    zones_[z] = {low, ends[z + 1], num_pieces / std::max(length, 1e-300), num_pieces, static_cast<int>(pieces_.size())};
    const double width = num_pieces > 0 ? length / num_pieces : 0.0;
    const auto knot_at = [&](int i) {
      const double t = low + i * width;
      const double value = log_cdf(t);
      const auto [slope, curve] = derivatives(t, value);
      return Knot{value, slope * width, curve * width * width};
    };
    Knot left = num_pieces > 0 ? knot_at(0) : Knot{};
    for (int i = 0; i < num_pieces; ++i) {
      const Knot right = knot_at(i + 1);
      const double value = right.value - left.value - left.slope - 0.5 * left.curve;
      const double slope = right.slope - left.slope - left.curve;
      const double curve = right.curve - left.curve;
      pieces_.push_back({left.value, left.slope, 0.5 * left.curve, 10.0 * value - 4.0 * slope + 0.5 * curve,
                         -15.0 * value + 7.0 * slope - curve, 6.0 * value - 3.0 * slope + 0.5 * curve});
      left = right;
    }
  }
}

ScoreTable ScoreTable::of_beta(const Beta& beta) {
  const auto log_f = [&](double t) { return recommend::log_cdf(beta, t); };
  const double middle = std::log(beta.a) - std::log(beta.b);
  const double low = tail_end(middle, -1.0, kLogLow, log_f);
  const double high = tail_end(middle, 1.0, kLogHigh, [&](double t) { return log_survival(beta, t); });
  // Where x is small beside 1 / b the logarithm of F is a line; beyond a, 1 - F is an exponential.
  constexpr double kBodyMargin = 22.0;
  const double body_low = std::max(low, -std::log(std::max(beta.b, 1.0)) - kBodyMargin);
  const double body_high = std::max(body_low, std::min(high, std::log(std::max(beta.a, 1.0)) + kBodyMargin));
  return ScoreTable({low, body_low, body_high, high}, log_f, [&](double t, double value) {
    const double x = 1.0 / (1.0 + std::exp(-t)), rest = 1.0 / (1.0 + std::exp(t));
    const double slope = std::exp(log_logit_density(beta, t) - value);
    return std::pair(slope, slope * (beta.a * rest - beta.b * x - slope));
  });
}

const std::shared_ptr<const ScoreTable>& ScoreTable::normal() {
  static const auto kTable = [] {
    const auto log_f = [](double z) { return std::log(0.5 * std::erfc(-z / std::numbers::sqrt2)); };
    const double low = tail_end(0.0, -1.0, kLogLow, log_f);
    const double high = tail_end(0.0, 1.0, kLogHigh, [&](double z) { return log_f(-z); });
    return std::make_shared<const ScoreTable>(ScoreTable({low, low, high, high}, log_f, [](double z, double value) {
      const double slope = std::exp(-0.5 * z * z - 0.5 * std::log(2.0 * std::numbers::pi) - value);
      return std::pair(slope, slope * (-z - slope));
    }));
  }();
  return kTable;
}

ScoreTable::Place ScoreTable::find(double t) const {
  // Rounding may bring t just below an end: a tail without length has no piece for it.
  const Zone& zone = zones_[t < zones_[1].low && zones_[0].num_pieces > 0 ? 0 : t < zones_[1].high ? 1 : 2];
  const double place = std::max(0.0, (t - zone.low) * zone.per_unit);
  const int index = std::min(static_cast<int>(place), zone.num_pieces - 1);
  return {&pieces_[static_cast<std::size_t>(zone.first_piece + index)], place - index, zone.per_unit};
}

double ScoreTable::log_cdf(double t) const {
  if (t >= high()) return 0.0;
  const auto [piece, u, per_unit] = find(t);
  const auto& c = *piece;
  return c[0] + u * (c[1] + u * (c[2] + u * (c[3] + u * (c[4] + u * c[5]))));
}

double ScoreTable::slope(double t) const {
  if (t >= high()) return 0.0;
  const auto [piece, u, per_unit] = find(t);
  const auto& c = *piece;
  return per_unit * (c[1] + u * (2.0 * c[2] + u * (3.0 * c[3] + u * (4.0 * c[4] + u * 5.0 * c[5]))));
}

namespace {

double log_cdf_of(const Score& score, double t) { return score.table->log_cdf((t - score.location) / score.scale); }
double slope_of(const Score& score, double t) {
  return score.table->slope((t - score.location) / score.scale) / score.scale;
}

/// Scores that are distributed alike, as arms that nobody has clicked yet are, in the order in which they come.
struct Groups {
  std::vector<const Score*> first;
  std::vector<double> sizes;
  std::vector<std::size_t> of_score;

  explicit Groups(std::span<const Score> scores) {
    std::unordered_map<const ScoreTable*, std::size_t> known;
    for (const Score& score : scores) {
      // Normals share one table and hardly ever their place.
      const bool is_plain = score.location == 0.0 && score.scale == 1.0;
      const auto next = first.size();
      const auto group = is_plain ? known.try_emplace(score.table.get(), next).first->second : next;
      if (group == next) {
        first.push_back(&score);
        sizes.push_back(0.0);
      }
      sizes[group] += 1.0;
      of_score.push_back(group);
    }
  }
};

}  // namespace

double best_probability(std::span<const Score> scores, std::size_t index) {
  const Score& mine = scores[index];
  const Groups groups(scores);
  double low = mine.low();
  for (const Score* score : groups.first) low = std::max(low, score->low());
  // What can't reach `low` is below whatever counts.
  std::vector<std::pair<const Score*, double>> factors;
  for (std::size_t g = 0; g < groups.first.size(); ++g)
    if (groups.first[g]->high() > low) factors.emplace_back(groups.first[g], groups.sizes[g]);
  const auto density = [&](double t, std::span<double> value) {
    double log_product = 0.0;
    for (const auto& [score, times] : factors) log_product += times * log_cdf_of(*score, t);
    value[0] = std::exp(log_product) * slope_of(mine, t);
  };
  const double integral = integrate(low, mine.high(), 1, density, {.absolute = 1e-12, .relative = 1e-7})[0];
  return std::clamp(integral, kLeastProbability, 1.0);
}

std::vector<double> best_probabilities(std::span<const Score> scores) {
  std::vector<double> probabilities;
  for (const auto& ranks : rank_probabilities(scores, 1)) probabilities.push_back(ranks[0]);
  return probabilities;
}

std::vector<std::vector<double>> rank_probabilities(std::span<const Score> scores, int num_ranks) {
  const std::size_t num_scores = scores.size();
  const auto ranks = std::min(static_cast<std::size_t>(std::max(num_ranks, 1)), num_scores);
  // The ranks-th largest `low` bounds from below where any of the first ranks can lie.
  std::vector<double> lows;
  double high = -std::numeric_limits<double>::infinity();
  for (const Score& score : scores) {
    lows.push_back(score.low());
    high = std::max(high, score.high());
  }
  std::ranges::nth_element(lows, lows.begin() + static_cast<std::ptrdiff_t>(ranks - 1), std::greater<>());
  const double low = lows[ranks - 1];
  const Groups groups(scores);
  std::vector<double> cdf(num_scores);
  const auto best_densities = [&](double t, std::span<double> values) {
    double log_product = 0.0;  // No factor is 0: t is above every low().
    for (std::size_t g = 0; g < groups.first.size(); ++g)
      log_product += groups.sizes[g] * log_cdf_of(*groups.first[g], t);
    const double product = std::exp(log_product);
    for (std::size_t k = 0; k < num_scores; ++k) values[k] = product * slope_of(*groups.first[groups.of_score[k]], t);
  };
  const auto densities = [&](double t, std::span<double> values) {
    if (ranks == 1) return best_densities(t, values);
    for (std::size_t k = 0; k < num_scores; ++k)
      cdf[k] = t < scores[k].low() ? 0.0 : std::exp(log_cdf_of(scores[k], t));
    std::vector<double> above(ranks);  // above[r]: that r of the other scores are larger than t.
    for (std::size_t k = 0; k < num_scores; ++k) {
      const double density = cdf[k] == 0.0 ? 0.0 : cdf[k] * slope_of(scores[k], t);
      for (std::size_t r = 0; r < ranks; ++r) values[k * ranks + r] = 0.0;
      if (density == 0.0) continue;
      std::ranges::fill(above, 0.0);
      above[0] = 1.0;
      for (std::size_t j = 0; j < num_scores; ++j) {
        if (j == k) continue;
        for (std::size_t r = ranks; r-- > 0;)
          above[r] = above[r] * cdf[j] + (r > 0 ? above[r - 1] * (1.0 - cdf[j]) : 0.0);
      }
      for (std::size_t r = 0; r < ranks; ++r) values[k * ranks + r] = density * above[r];
    }
  };
  const auto totals = integrate(low, high, num_scores * ranks, densities, {.absolute = 1e-8});
  std::vector<std::vector<double>> probabilities(num_scores);
  for (std::size_t k = 0; k < num_scores; ++k) {
    const auto begin = totals.begin() + static_cast<std::ptrdiff_t>(k * ranks);
    probabilities[k].assign(begin, begin + static_cast<std::ptrdiff_t>(ranks));
  }
  return probabilities;
}

}  // namespace onggi::recommend
