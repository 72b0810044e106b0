#include "onggi/recommend/beta.h"

#include <cmath>
#include <limits>

#include "onggi/core/error.h"

namespace onggi::recommend {
namespace {

double log_gamma(double x) {
  int sign = 0;
  return lgamma_r(x, &sign);  // std::lgamma writes a global.
}

/// log(1 / (1 + e^-t)).
double log_sigmoid(double t) { return t > 0.0 ? -std::log1p(std::exp(-t)) : t - std::log1p(std::exp(t)); }

/// The continued fraction of I_x(a, b), for x below (a + 1) / (a + b + 2).
double continued_fraction(double a, double b, double x) {
  constexpr double kTiny = 1e-300;
  constexpr int kMaxTerms = 200'000;  // It takes some sqrt(max(a, b)) of them.
  double c = 1.0;
  double d = 1.0 - (a + b) * x / (a + 1.0);
  d = 1.0 / (std::abs(d) < kTiny ? kTiny : d);
  double h = d;
  for (int m = 1; m <= kMaxTerms; ++m) {
    const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1.0 + even * d;
    c = 1.0 + even / c;
    d = 1.0 / (std::abs(d) < kTiny ? kTiny : d);
    if (std::abs(c) < kTiny) c = kTiny;
    h *= d * c;
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1.0 + odd * d;
    c = 1.0 + odd / c;
    d = 1.0 / (std::abs(d) < kTiny ? kTiny : d);
    if (std::abs(c) < kTiny) c = kTiny;
    const double change = d * c;
    h *= change;
    if (std::abs(change - 1.0) < 4.0 * std::numeric_limits<double>::epsilon()) break;
  }
  return h;
}

double log1m_exp(double log_p) { return log_p > -0.69 ? std::log(-std::expm1(log_p)) : std::log1p(-std::exp(log_p)); }

}  // namespace

double log_beta(double a, double b) { return log_gamma(a) + log_gamma(b) - log_gamma(a + b); }

double log_cdf(const Beta& beta, double logit) {
  const auto [a, b] = beta;
  const double log_x = log_sigmoid(logit), log_rest = log_sigmoid(-logit);
  const double log_front = log_logit_density(beta, logit);
  const double x = std::exp(log_x);
  if (x < (a + 1.0) / (a + b + 2.0)) return log_front - std::log(a) + std::log(continued_fraction(a, b, x));
  return log1m_exp(log_front - std::log(b) + std::log(continued_fraction(b, a, std::exp(log_rest))));
}

double log_survival(const Beta& beta, double logit) { return log_cdf({beta.b, beta.a}, -logit); }

double log_logit_density(const Beta& beta, double logit) {
  return beta.a * log_sigmoid(logit) + beta.b * log_sigmoid(-logit) - log_beta(beta.a, beta.b);
}

double quantile(const Beta& beta, double probability) {
  require(probability > 0.0 && probability < 1.0, "expected a probability between 0 and 1");
  double low = 0.0, high = 1.0;
  for (int i = 0; i < 60; ++i) {
    const double x = 0.5 * (low + high);
    const double logit = std::log(x) - std::log1p(-x);
    (std::exp(log_cdf(beta, logit)) < probability ? low : high) = x;
  }
  return 0.5 * (low + high);
}

double probability_greater(const Beta& b, const Beta& a) {
  require(b.a >= 1.0 && b.a == std::floor(b.a), "expected whole clicks of the one that is to be greater");
  double sum = 0.0;
  for (double i = 0.0; i < b.a; ++i)
    sum += std::exp(log_beta(a.a + i, a.b + b.b) - std::log(b.b + i) - log_beta(1.0 + i, b.b) - log_beta(a.a, a.b));
  return sum;
}

}  // namespace onggi::recommend
