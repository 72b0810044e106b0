#include "onggi/recommend/off_policy.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>

#include "onggi/core/error.h"
#include "onggi/core/files.h"

namespace onggi::recommend {
namespace {

std::string number(double value, const char* form = "%.6f") {
  char text[64];
  std::snprintf(text, sizeof text, form, value);
  return text;
}

/// Probabilities of a question's arms; what does not depend on the context is computed once.
class Answers {
 public:
  Answers(const LoggedData& log, const Policy& policy) : log_(log), policy_(policy) {}

  const std::vector<double>& of(const LoggedImpression& row) {
    // Whoever has seen the same features, slot and candidates gets the same answer.
    constexpr std::size_t kMaxNumbers = 20'000'000;
    const auto& arms = log_.candidate_sets[static_cast<std::size_t>(row.candidates)];
    if (known_.size() * arms.size() > kMaxNumbers) known_.clear();
    auto& answer = known_[{row.candidates, row.slot, row.features}];
    if (answer.empty()) answer = policy_.probabilities({.arms = arms, .slot = row.slot, .features = row.features});
    return answer;
  }

 private:
  const LoggedData& log_;
  const Policy& policy_;
  std::map<std::tuple<int, int, std::vector<double>>, std::vector<double>> known_;
};

}  // namespace

OffPolicyResult evaluate_policy(const LoggedData& log, const Policy& policy, const OffPolicyOptions& options,
                                ThreadPool& pool) {
  const RewardModel model(log, options.reward_model);
  std::vector<char> is_supported(static_cast<std::size_t>(log.num_slots) * log.arms.size(), 0);
  const auto support = [&](int slot, int arm) -> char& {
    return is_supported[static_cast<std::size_t>(slot) * log.arms.size() + static_cast<std::size_t>(arm)];
  };
  for (const auto& row : log.rows) support(row.slot, row.arm) = 1;
  OffPolicyResult result;
  std::vector<Term> terms;
  Answers answers(log, policy);
  for (std::size_t i = 0; i < log.rows.size(); ++i) {
    const auto& row = log.rows[i];
    const auto& arms = log.candidate_sets[static_cast<std::size_t>(row.candidates)];
    const auto& shares = answers.of(row);
    Term term{.reward = row.reward, .unit = row.unit};
    double sum = 0.0;
    for (std::size_t k = 0; k < arms.size(); ++k) {
      sum += shares[k];
      if (shares[k] == 0.0) continue;
      term.policy_expected += shares[k] * model.reward(i, arms[k]);
      if (!support(row.slot, arms[k])) result.unsupported += shares[k] / static_cast<double>(log.rows.size());
      if (arms[k] == row.arm) term.weight = shares[k] / row.propensity;
    }
    term.policy_expected /= sum;
    term.expected = model.reward(i, row.arm);
    terms.push_back(term);
  }
  result.estimates = estimate(terms, options.estimators, pool, options.truth);
  const Estimates& e = result.estimates;
  if (e.effective_sample < options.min_effective_sample)
    result.refusals.push_back("the effective sample is " + number(e.effective_sample, "%.1f") + " of " +
                              std::to_string(e.num_rows) + " impressions, expected at least " +
                              number(options.min_effective_sample, "%.0f") +
                              ": log more, or show more evenly (floor) first");
  if (result.unsupported > options.max_unsupported)
    result.refusals.push_back("the policy would show what the log never has there in " +
                              number(100.0 * result.unsupported, "%.2f") + " % of impressions, expected at most " +
                              number(100.0 * options.max_unsupported, "%.2f") + " %");
  const double expected_weight = 1.0 - result.unsupported;
  if (e.mean_weight_error > 0.0 && std::abs(e.mean_weight - expected_weight) > 4.0 * e.mean_weight_error)
    result.warnings.push_back("weights are " + number(e.mean_weight, "%.4f") + " on average, expected " +
                              number(expected_weight, "%.4f") + " +- " + number(e.mean_weight_error, "%.4f") +
                              ": the log's propensities are not those by which it was made");
  return result;
}

Json OffPolicyResult::to_json() const {
  Json list = Json::array();
  for (const auto& e : estimates.all) {
    Json one = {{"id", e.id}, {"value", e.value}, {"low", e.low}, {"high", e.high}};
    if (e.relative_error_mean > 0.0) {
      one["relative_error"] = e.relative_error;
      one["relative_error_mean"] = e.relative_error_mean;
      one["relative_error_deviation"] = e.relative_error_deviation;
    }
    list.push_back(std::move(one));
  }
  return {{"verdict", refusals.empty() ? "supported" : "refused"},
          {"refusals", refusals},
          {"warnings", warnings},
          {"impressions", estimates.num_rows},
          {"units", estimates.num_units},
          {"mean_reward", estimates.mean_reward},
          {"effective_sample", estimates.effective_sample},
          {"mean_weight", estimates.mean_weight},
          {"max_weight", estimates.max_weight},
          {"unsupported", unsupported},
          {"estimates", std::move(list)}};
}

std::string OffPolicyResult::to_text() const {
  const Estimates& e = estimates;
  std::string text = "impressions " + std::to_string(e.num_rows) + ", units " + std::to_string(e.num_units) +
                     ", click rate of the log " + number(e.mean_reward) + "\neffective sample " +
                     number(e.effective_sample, "%.1f") + ", weights: mean " + number(e.mean_weight, "%.4f") +
                     ", largest " + number(e.max_weight, "%.2f") + "; out of the log's reach " +
                     number(100.0 * unsupported, "%.2f") + " %\n\n";
  const bool has_truth = !e.all.empty() && e.all[0].relative_error_mean > 0.0;
  text += "estimator     value      interval               of the log's";
  text += has_truth ? "   relative error (resampled: mean, sd)\n" : "\n";
  for (const auto& one : e.all) {
    char line[200];
    std::snprintf(line, sizeof line, "%-12s  %.6f   %.6f to %.6f   %8.3f", one.id.c_str(), one.value, one.low, one.high,
                  e.mean_reward > 0.0 ? one.value / e.mean_reward : 0.0);
    text += line;
    if (has_truth) {
      std::snprintf(line, sizeof line, "       %.3f (%.3f, %.3f)", one.relative_error, one.relative_error_mean,
                    one.relative_error_deviation);
      text += line;
    }
    text += "\n";
  }
  for (const auto& warning : warnings) text += "\nWARNING: " + warning + "\n";
  for (const auto& refusal : refusals) text += "\nNOT TO BE RELIED ON: " + refusal + "\n";
  return text;
}

}  // namespace onggi::recommend
