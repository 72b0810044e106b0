#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "onggi/recommend/policy.h"

namespace onggi::recommend {

/// A policy as it answers: a version that is live, with what it has learnt up to a batch. Immutable.
struct LivePolicy {
  std::int64_t version = 0;
  std::int64_t batch = 0;  ///< The last closed batch that it knows; 0: none.
  PolicySpec spec;
  std::shared_ptr<const Policy> policy;  ///< Frozen.
};

struct ShownCard {
  std::string impression_id;
  int arm = 0;
  double propensity = 0.0;
};

/// Cards for `num_slots` slots from the first on, none twice, fewer where there are fewer candidates. What stands in a
/// slot depends on the policy, the request's id, the candidates in their order and the features; its propensity is that
/// of the choice among those which the slots before left.
std::vector<ShownCard> choose_slate(const LivePolicy& live, const std::string& request_id,
                                    std::span<const int> candidates, std::span<const double> features, int num_slots);

}  // namespace onggi::recommend
