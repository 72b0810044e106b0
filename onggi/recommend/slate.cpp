#include "onggi/recommend/slate.h"

#include <algorithm>

namespace onggi::recommend {

std::vector<ShownCard> choose_slate(const LivePolicy& live, const std::string& request_id,
                                    std::span<const int> candidates, std::span<const double> features, int num_slots) {
  std::vector<int> left(candidates.begin(), candidates.end());
  std::vector<ShownCard> slate;
  for (int slot = 0; slot < num_slots && !left.empty(); ++slot) {
    const std::string id = request_id + "." + std::to_string(slot + 1);
    RandomStream draws = draws_of(live.spec.seed, id);
    const Question question{.arms = left, .slot = slot, .features = features};
    const std::size_t index = live.policy->choose(question, draws);
    slate.push_back({id, left[index], std::min(1.0, live.policy->probability(question, index))});
    left.erase(left.begin() + static_cast<std::ptrdiff_t>(index));
  }
  return slate;
}

}  // namespace onggi::recommend
