#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "onggi/core/json.h"
#include "onggi/recommend/estimators.h"
#include "onggi/recommend/logged.h"
#include "onggi/recommend/policy.h"
#include "onggi/recommend/reward_model.h"

namespace onggi::recommend {

struct OffPolicyOptions {
  EstimatorOptions estimators;
  RewardModelOptions reward_model;
  double min_effective_sample = 100.0;
  double max_unsupported = 0.01;
  double truth = 0.0;  ///< The policy's mean reward where it is known; 0: it is not.
};

struct OffPolicyResult {
  Estimates estimates;
  double unsupported =
      0.0;  ///< Share of the policy's impressions that would be of an arm which the log never has there.
  std::vector<std::string> refusals;  ///< Why the estimates are not to be relied on; empty: they may be.
  std::vector<std::string> warnings;

  Json to_json() const;
  std::string to_text() const;
};

/// What the policy would have earned in place of the one that wrote the log. `policy` is frozen, its arms are numbered
/// as the log's.
OffPolicyResult evaluate_policy(const LoggedData& log, const Policy& policy, const OffPolicyOptions& options,
                                ThreadPool& pool);

/// Takes the first `share` of a log's impressions out of it: lessons, so that what teaches a policy does not judge it.
/// Throws kInvalidArgument unless something is left on both sides.
std::vector<LoggedImpression> take_lessons(LoggedData& log, double share);
/// A policy from a JSON file (docs/formats/display_log.md): probabilities of arms; posteriors of arms whose draws are
/// ranked; what a spec would do when it has learnt from `lessons`. Arms that the log lacks are added to it. Throws
/// kInvalidArgument or kCorrupt.
std::shared_ptr<const Policy> read_policy(const std::filesystem::path& path, LoggedData& log,
                                          std::span<const LoggedImpression> lessons = {});
/// The share of each arm in each slot of another log: what the policy that wrote it did on average.
std::shared_ptr<const Policy> frequency_policy(const LoggedData& other, LoggedData& log);

}  // namespace onggi::recommend
