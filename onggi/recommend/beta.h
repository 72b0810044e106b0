#pragma once

namespace onggi::recommend {

/// Parameters of a Beta distribution: prior and what was seen. Both > 0.
struct Beta {
  double a = 1.0;  ///< Clicks.
  double b = 1.0;  ///< Impressions without one.

  double mean() const { return a / (a + b); }
  bool operator==(const Beta&) const = default;
};

/// log B(a, b).
double log_beta(double a, double b);
/// log P(X <= x) and log P(X > x) for X ~ Beta and x = 1 / (1 + e^-logit): precise in both tails, where x itself would
/// round to 0 or 1 (continued fraction of Lentz, as in Press et al. 2007, 6.4).
double log_cdf(const Beta& beta, double logit);
double log_survival(const Beta& beta, double logit);
/// The logarithm of the density of X's logit: a log x + b log(1 - x) - log B(a, b).
double log_logit_density(const Beta& beta, double logit);
/// P(X <= x) = probability, as x; by bisection.
double quantile(const Beta& beta, double probability);
/// P(B > A), by the sum over B's clicks (Miller 2015); b.a must be whole. For other parameters: score_table.h.
double probability_greater(const Beta& b, const Beta& a);

}  // namespace onggi::recommend
