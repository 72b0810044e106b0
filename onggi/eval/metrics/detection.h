#pragma once

#include <span>
#include <vector>

namespace onggi::eval {

/// How well scores put what is sought above the rest.
struct Detection {
  double auroc = 0;              ///< Chance that a sought item scores above another; a tie counts half.
  double average_precision = 0;  ///< Sum over thresholds of precision times the recall gained; ties are one threshold.
};

/// As scikit-learn's roc_auc_score and average_precision_score. Throws kInvalidArgument unless there is at least one
/// item of each kind, the sizes are equal and no score is NaN.
Detection detection(std::span<const double> scores, const std::vector<bool>& is_sought);

/// What a cut finds: items with a score above it. 0 where nothing is above, or nothing is sought.
struct AtCut {
  double precision = 0, recall = 0;
};
AtCut at_cut(std::span<const double> scores, const std::vector<bool>& is_sought, double cut);

}  // namespace onggi::eval
