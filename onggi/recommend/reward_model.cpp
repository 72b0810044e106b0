#include "onggi/recommend/reward_model.h"

#include <algorithm>
#include <cmath>

#include "onggi/core/error.h"
#include "onggi/core/random.h"
#include "onggi/recommend/linear_arm.h"

namespace onggi::recommend {
namespace {

double sigmoid(double t) { return 1.0 / (1.0 + std::exp(-t)); }

}  // namespace

RewardModel::RewardModel(const LoggedData& log, const RewardModelOptions& options)
    : log_(log), options_(options), num_folds_(std::clamp(options.num_folds, 1, std::max(1, log.num_units))) {
  require(options.kind == "means" || options.kind == "logistic",
          [&] { return "the reward model is \"" + options.kind + "\", expected means or logistic"; });
  for (int unit = 0; unit < log.num_units; ++unit)
    fold_of_unit_.push_back(
        static_cast<int>(uniform_int(static_cast<std::uint64_t>(options.seed), 17, static_cast<std::uint64_t>(unit),
                                     static_cast<std::uint64_t>(num_folds_))));
  for (int fold = 0; fold < num_folds_; ++fold) {
    fits_.emplace_back();
    options.kind == "means" ? fit_means(fold) : fit_logistic(fold);
  }
}

double RewardModel::reward(std::size_t row, int arm) const {
  const LoggedImpression& impression = log_.rows[row];
  const int fold = fold_of_unit_[static_cast<std::size_t>(impression.unit)];
  if (options_.kind == "logistic") return sigmoid(score(fold, impression, arm));
  return fits_[static_cast<std::size_t>(fold)]
              [static_cast<std::size_t>(impression.slot) * log_.arms.size() + static_cast<std::size_t>(arm)];
}

void RewardModel::fit_means(int fold) {
  const std::size_t num_arms = log_.arms.size();
  const auto num_slots = static_cast<std::size_t>(log_.num_slots);
  std::vector<double> clicks(num_slots * num_arms), shown(num_slots * num_arms);
  std::vector<double> slot_clicks(num_slots), slot_shown(num_slots);
  double all_clicks = 0.0, all_shown = 0.0;
  for (const auto& row : log_.rows) {
    if (num_folds_ > 1 && fold_of_unit_[static_cast<std::size_t>(row.unit)] == fold) continue;
    const auto slot = static_cast<std::size_t>(row.slot);
    const std::size_t cell = slot * num_arms + static_cast<std::size_t>(row.arm);
    clicks[cell] += row.reward;
    shown[cell] += 1.0;
    slot_clicks[slot] += row.reward;
    slot_shown[slot] += 1.0;
    all_clicks += row.reward;
    all_shown += 1.0;
  }
  const double strength = options_.strength;
  const double all_rate = all_shown > 0.0 ? all_clicks / all_shown : 0.0;
  auto& rates = fits_.back();
  for (std::size_t slot = 0; slot < num_slots; ++slot) {
    const double slot_rate = (slot_clicks[slot] + strength * all_rate) / (slot_shown[slot] + strength);
    for (std::size_t arm = 0; arm < num_arms; ++arm) {
      const std::size_t cell = slot * num_arms + arm;
      rates.push_back((clicks[cell] + strength * slot_rate) / (shown[cell] + strength));
    }
  }
}

double RewardModel::score(int fold, const LoggedImpression& row, int arm) const {
  const auto& weights = fits_[static_cast<std::size_t>(fold)];
  const std::size_t num_arms = log_.arms.size();
  double sum = weights[0] + weights[1 + static_cast<std::size_t>(arm)] +
               weights[1 + num_arms + static_cast<std::size_t>(row.slot)];
  const std::size_t first = 1 + num_arms + static_cast<std::size_t>(log_.num_slots);
  for (std::size_t i = 0; i < row.features.size(); ++i) sum += weights[first + i] * row.features[i];
  return sum;
}

/// Newton's method; the intercept alone is not held to 0.
void RewardModel::fit_logistic(int fold) {
  const std::size_t num_arms = log_.arms.size(), num_features = log_.rows[0].features.size();
  const std::size_t size = 1 + num_arms + static_cast<std::size_t>(log_.num_slots) + num_features;
  constexpr std::size_t kMaxSize = 2000;
  require(size <= kMaxSize, [&] {
    return "the logistic reward model would have " + std::to_string(size) + " weights, expected at most " +
           std::to_string(kMaxSize);
  });
  auto& weights = fits_.back();
  weights.assign(size, 0.0);
  constexpr double kIntercept = 1e-6;
  std::vector<std::pair<std::size_t, double>> x;
  for (int iteration = 0; iteration < 30; ++iteration) {
    std::vector<double> gradient(size, 0.0), curvature(size * size, 0.0);
    for (std::size_t i = 0; i < size; ++i) {
      const double penalty = i == 0 ? kIntercept : options_.penalty;
      gradient[i] = -penalty * weights[i];
      curvature[i * size + i] = penalty;
    }
    for (const auto& row : log_.rows) {
      if (num_folds_ > 1 && fold_of_unit_[static_cast<std::size_t>(row.unit)] == fold) continue;
      x.assign({{0, 1.0},
                {1 + static_cast<std::size_t>(row.arm), 1.0},
                {1 + num_arms + static_cast<std::size_t>(row.slot), 1.0}});
      for (std::size_t i = 0; i < num_features; ++i)
        if (row.features[i] != 0.0) x.emplace_back(size - num_features + i, row.features[i]);
      const double p = sigmoid(score(fold, row, row.arm));
      for (const auto& [i, value] : x) {
        gradient[i] += (row.reward - p) * value;
        for (const auto& [j, other] : x) curvature[i * size + j] += p * (1.0 - p) * value * other;
      }
    }
    const auto step = solve_positive(std::move(curvature), std::move(gradient));
    double largest = 0.0;
    for (std::size_t i = 0; i < size; ++i) {
      weights[i] += std::clamp(step[i], -5.0, 5.0);
      largest = std::max(largest, std::abs(step[i]));
    }
    if (largest < 1e-8) break;
  }
}

}  // namespace onggi::recommend
