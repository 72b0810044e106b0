#include <algorithm>
#include <map>

#include "onggi/recommend/display_log.h"

namespace onggi::recommend {

void teach(Policy& policy, const ClosedBatch& batch) {
  for (const auto& count : batch.counts)
    policy.observe({.arm = count.arm,
                    .slot = count.slot,
                    .clicks = count.clicks,
                    .misses = count.misses,
                    .features = count.features});
  policy.close_batch();
}

Verification verify(DisplayLog& log) {
  struct Student {
    LivePolicy live;
    std::unique_ptr<Policy> policy;
  };
  std::map<std::int64_t, Student> students;
  Verification result;
  log.each_slate([&](const SlateRecord& slate) {
    auto it = students.find(slate.version);
    if (it == students.end()) {
      const PolicySpec spec = log.policy(slate.version).spec;
      it = students.emplace(slate.version, Student{{slate.version, -1, spec, nullptr}, make_policy(spec)}).first;
    }
    auto& [live, policy] = it->second;
    if (live.batch != slate.batch) {
      log.replay(std::max<std::int64_t>(live.batch, 0), slate.batch, uses_features(live.spec),
                 [&](const ClosedBatch& batch) { teach(*policy, batch); });
      live.batch = slate.batch;
      live.policy = policy->freeze();
    }
    const auto again = choose_slate(live, slate.request_id, slate.candidates, slate.features, slate.num_slots);
    for (std::size_t i = 0; i < slate.cards.size(); ++i) {
      ++result.num_impressions;
      const ShownCard& card = slate.cards[i];
      const bool is_same = i < again.size() && again[i].arm == card.arm && again[i].propensity == card.propensity;
      if (!is_same) result.differing.push_back(card.impression_id);
    }
  });
  return result;
}

}  // namespace onggi::recommend
