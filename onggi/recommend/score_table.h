#pragma once

#include <array>
#include <memory>
#include <span>
#include <vector>

#include "onggi/recommend/beta.h"

namespace onggi::recommend {

/// The logarithm of a distribution function, F, as polynomials of degree 5 that agree with it in value, slope and
/// curvature at some hundred places: 1e-8 off, and 20 times as quick as the function. Immutable.
class ScoreTable {
 public:
  /// Of the logit of a Beta variable.
  static ScoreTable of_beta(const Beta& beta);
  /// Of the standard normal; the one that all share.
  static const std::shared_ptr<const ScoreTable>& normal();

  double low() const { return zones_[0].low; }    ///< Below it F is under 1e-13 and taken as 0.
  double high() const { return zones_[2].high; }  ///< Above it 1 - F is under 1e-15 and taken as 0.
  /// log F; low() <= t.
  double log_cdf(double t) const;
  /// The slope of log F: density / F.
  double slope(double t) const;

 private:
  /// The body, where F bends, and tails that may be far longer and need fewer pieces for their length.
  struct Zone {
    double low = 0.0, high = 0.0, per_unit = 0.0;
    int num_pieces = 0, first_piece = 0;
  };
  struct Place {
    const std::array<double, 6>* piece;
    double u, per_unit;  ///< Where in the piece, 0 to 1; pieces a unit of t.
  };
  /// `ends`: of the left tail, the body and the right tail; a tail may have no length.
  template <class LogCdf, class Derivatives>
  ScoreTable(const std::array<double, 4>& ends, LogCdf log_cdf, Derivatives derivatives);
  Place find(double t) const;

  std::array<Zone, 3> zones_;
  std::vector<std::array<double, 6>> pieces_;  ///< Coefficients over [0, 1] of each piece, lowest power first.
};

/// One arm's score: what a draw of it is distributed as. `location` and `scale` (> 0) stretch the table.
struct Score {
  std::shared_ptr<const ScoreTable> table;
  double location = 0.0;
  double scale = 1.0;

  double low() const { return location + scale * table->low(); }
  double high() const { return location + scale * table->high(); }
};

/// The probability that `scores[index]` is the largest of independent draws, one of each score: the integral of its
/// density times the others' distribution functions, by adaptive Gauss-Kronrod quadrature to a relative 1e-7 or an
/// absolute 1e-12, whichever is more; at least `kLeastProbability`. Scores must not be empty.
double best_probability(std::span<const Score> scores, std::size_t index);
/// The same for all; each to an absolute 1e-8.
std::vector<double> best_probabilities(std::span<const Score> scores);
/// probabilities[k][r]: that score k is the (r+1)-th largest, r < num_ranks; each to an absolute 1e-8.
std::vector<std::vector<double>> rank_probabilities(std::span<const Score> scores, int num_ranks);

/// What was drawn has been possible, however small the integral's rounding left it.
inline constexpr double kLeastProbability = 1e-12;

}  // namespace onggi::recommend
