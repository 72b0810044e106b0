#pragma once

#include <span>
#include <vector>

namespace onggi::recommend {

/// Ridge regression of one arm's reward on the context, kept up to date: A = ridge I + sum x x^T, b = sum r x (Li et
/// al. 2010, disjoint LinUCB). The inverse is updated by Sherman and Morrison's formula and made anew by Cholesky's
/// decomposition every 256 rows, before rounding adds up.
class LinearArm {
 public:
  LinearArm(std::size_t num_features, double ridge);

  /// Throws kInvalidArgument if x has another length.
  void observe(std::span<const double> x, double reward);
  /// x . A^-1 b.
  double mean(std::span<const double> x) const;
  /// x^T A^-1 x, which times the noise's variance is that of `mean`.
  double variance(std::span<const double> x) const;

 private:
  void invert();

  std::size_t size_;
  std::vector<double> a_, inverse_, b_, weights_;
  int num_updates_ = 0;
};

/// Solves A y = b for a symmetric positive definite A (rows one after another) by Cholesky's decomposition. Throws
/// kInvalidArgument if A is not.
std::vector<double> solve_positive(std::vector<double> a, std::vector<double> b);

}  // namespace onggi::recommend
