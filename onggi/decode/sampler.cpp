#include "onggi/decode/sampler.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "onggi/core/error.h"
#include "onggi/core/random.h"
#include "onggi/decode/log_softmax.h"

namespace onggi::decode {
void check_sampling(const SamplingOptions& o) {
  require(std::isfinite(o.temperature) && o.temperature >= 0.0F, "temperature must be 0 or more");
  require(o.top_k >= 0, "top_k must be 0 or more");
  require(o.top_p > 0.0F && o.top_p <= 1.0F, "top_p must be above 0 and at most 1");
  require(o.min_p >= 0.0F && o.min_p <= 1.0F, "min_p must be between 0 and 1");
}

Choice sample(std::span<const int> ids, std::span<const float> logits, const SamplingOptions& o, std::uint64_t seed,
              std::uint64_t row, std::uint64_t step) {
  require(!ids.empty() && ids.size() == logits.size(), "there is no token to choose from");
  check_sampling(o);
  std::size_t best = 0;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    require(!std::isnan(logits[i]), [&] { return "the logit of token " + std::to_string(ids[i]) + " is NaN"; });
    if (logits[i] > logits[best]) best = i;
  }
  const double highest = static_cast<double>(logits[best]);
  require(std::isfinite(highest), "no logit is finite, or one is infinite");
  const LogSoftmax log_softmax(logits, logits[best]);
  const auto choice = [&](std::size_t i) { return Choice{ids[i], log_softmax.of(logits[i])}; };
  if (o.temperature == 0.0F) return choice(best);

  // Most likely first where a cut needs it; what min_p drops need not be sorted.
  const auto weight = [&](std::size_t i) { return std::exp((static_cast<double>(logits[i]) - highest) / static_cast<double>(o.temperature)); };
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (const double w = weight(i); w > 0.0 && w >= static_cast<double>(o.min_p)) order.push_back(i);
  }
  const auto before = [&](std::size_t a, std::size_t b) { return logits[a] != logits[b] ? logits[a] > logits[b] : a < b; };
  if (o.top_k > 0 && static_cast<std::size_t>(o.top_k) < order.size()) {
    std::partial_sort(order.begin(), order.begin() + o.top_k, order.end(), before);
    order.resize(static_cast<std::size_t>(o.top_k));
  } else if (o.top_p < 1.0F) {
    std::sort(order.begin(), order.end(), before);
  }
  std::vector<double> weights;
  for (const std::size_t i : order) weights.push_back(weight(i));
  std::size_t keep = weights.size();
  const double total = std::accumulate(weights.begin(), weights.begin() + static_cast<std::ptrdiff_t>(keep), 0.0);
  double reached = 0.0;
  for (std::size_t i = 0; i < keep; ++i) {
    reached += weights[i];
    if (reached >= static_cast<double>(o.top_p) * total) {
      keep = i + 1;
      break;
    }
  }
  const double kept = std::accumulate(weights.begin(), weights.begin() + static_cast<std::ptrdiff_t>(keep), 0.0);
  const auto bits = philox(seed, row, step);
  const double u = (static_cast<double>(bits[0]) * 0x1.0p-32 + static_cast<double>(bits[1] >> 11) * 0x1.0p-53) * kept;
  double passed = 0.0;
  for (std::size_t i = 0; i < keep; ++i) {
    passed += weights[i];
    if (u < passed) return choice(order[i]);
  }
  return choice(order[keep - 1]);
}

}  // namespace onggi::decode
