#pragma once

#include <functional>
#include <span>
#include <vector>

namespace onggi::recommend {

struct QuadratureOptions {
  double absolute = 1e-12;  ///< Of the whole integral, each value.
  double relative = 0.0;
  int max_pieces = 4000;
};

/// Integrals from `low` to `high` of functions that are computed together: `values` is called with a place and fills
/// one number a function. Gauss-Kronrod (7, 15), halving the piece with the largest error until all errors together are
/// small enough (as QUADPACK's QAG: Piessens et al. 1983).
std::vector<double> integrate(double low, double high, std::size_t num_functions,
                              const std::function<void(double, std::span<double>)>& values,
                              const QuadratureOptions& options);

}  // namespace onggi::recommend
