#pragma once

#include <cstdint>
#include <vector>

#include "onggi/recommend/logged.h"

namespace onggi::recommend {

struct RewardModelOptions {
  /// "means": the click rate of each arm in each slot, held to the slot's by `strength` impressions. "logistic": a
  /// logistic regression on arm, slot and features, its weights held to 0 by `penalty`.
  std::string kind = "means";
  double strength = 50.0;
  double penalty = 1.0;
  int num_folds = 3;
  std::int64_t seed = 0;
};

/// The reward expected of an arm in a row's slot and context, each row's from a fit on the units of other folds: a
/// model that has seen a row's own reward would flatter itself.
class RewardModel {
 public:
  /// Throws kInvalidArgument for an unknown kind. With fewer units than folds a fold is a unit.
  RewardModel(const LoggedData& log, const RewardModelOptions& options);
  double reward(std::size_t row, int arm) const;

 private:
  double score(int fold, const LoggedImpression& row, int arm) const;
  void fit_means(int fold);
  void fit_logistic(int fold);

  const LoggedData& log_;
  RewardModelOptions options_;
  int num_folds_;
  std::vector<int> fold_of_unit_;
  std::vector<std::vector<double>> fits_;  ///< Of each fold: rates [slot][arm], or weights.
};

}  // namespace onggi::recommend
