#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "onggi/core/json.h"

namespace onggi::eval {

/// Logistic regression on a few numbers, standardised, with a ridge penalty on all weights but the intercept, fitted by
/// Newton's method (iteratively reweighted least squares) in double: the same data give the same bits. Immutable.
class Logistic {
 public:
  /// `features` has one row an item, all of one width. Throws kInvalidArgument without items of both kinds.
  static Logistic fit(std::span<const std::vector<double>> features, const std::vector<bool>& is_positive,
                      double ridge);
  double probability(std::span<const double> features) const;
  /// Of the standardised features.
  std::span<const double> weights() const { return weights_; }

  Json to_json() const;
  /// Throws kCorrupt with `where`.
  static Logistic from_json(const Json& json, std::string_view where);
  std::size_t num_features() const { return weights_.size(); }

 private:
  double intercept_ = 0;
  std::vector<double> weights_, means_, scales_;
};

}  // namespace onggi::eval
