#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "onggi/eval/metrics/bootstrap.h"

namespace onggi::eval {

/// A card with a score, whose truth is known.
struct ScoredCard {
  double score = 0;
  bool is_right = false;
  std::string group;  ///< A product: its cards are no independent witnesses.
};

/// Exact interval of a share, right of count (Clopper and Pearson 1934). [0, 1] for a count of 0.
Interval exact_interval(std::int64_t right, std::int64_t count, double level);

struct ThresholdOptions {
  double target = 0.8;     ///< Precision that accepted cards shall have.
  double assurance = 0.9;  ///< Chance that they have it, at least.
};

struct Threshold {
  /// Cards with a score of at least this are accepted; infinite where no threshold can be vouched for.
  double score = std::numeric_limits<double>::infinity();
  std::int64_t accepted = 0, right = 0, count = 0;
  Interval precision;  ///< Of the accepted cards, exact at 95 %.
  /// The best precision that could be vouched for, and at how many accepted cards; says what is missing where no
  /// threshold serves.
  double best_bound = 0;
  std::int64_t best_accepted = 0;
};

/// The threshold that accepts the most cards while "precision is below the target" is refused at each step from the
/// strictest one down, by the exact binomial test at level 1 - assurance: fixed-sequence testing (Angelopoulos et al.
/// 2021, arXiv:2110.01052), so that trying many thresholds costs nothing. The first step is the fewest cards that
/// could pass at all; steps are a twentieth of the cards. Throws kInvalidArgument for options out of (0, 1).
Threshold choose_threshold(std::span<const ScoredCard> cards, const ThresholdOptions& options);

/// Precision when so many of the best cards are accepted.
struct CurvePoint {
  double coverage = 0;  ///< Share of the cards that are accepted.
  double score = 0;     ///< The least score of an accepted one.
  std::int64_t accepted = 0, right = 0;
  Interval precision;  ///< By bootstrap over groups.
};

/// `steps` points of equal coverage, from few to all; ties of the score are accepted together.
std::vector<CurvePoint> precision_curve(std::span<const ScoredCard> cards, int steps, const BootstrapOptions& options);

/// Area under the receiver's curve: the chance that a right card has a higher score than a wrong one, ties half
/// (`detection`); 0.5 where one kind is missing.
double auroc_of(std::span<const ScoredCard> cards);

}  // namespace onggi::eval
