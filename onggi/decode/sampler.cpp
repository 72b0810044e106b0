#include "onggi/decode/sampler.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "onggi/core/error.h"
#include "onggi/core/random.h"
#include "onggi/decode/log_softmax.h"
#include "onggi/kernels/kernels.h"

namespace onggi::decode {
namespace {

/// Tokens that a cut leaves, with weights relative to the likeliest one's.
struct Candidates {
  std::vector<std::size_t> indices;
  std::vector<float> weights;

  void weigh(std::span<const float> logits, float highest, float scale) {
    weights.resize(indices.size());
    std::ranges::transform(indices, weights.begin(), [&](std::size_t i) { return logits[i]; });
    kernels::kernels().exp_below(weights.data(), std::ssize(weights), highest, scale, weights.data());
  }
  /// How many of them reach this sum; one more than there are if they do not.
  std::size_t num_reaching(double wanted) const {
    double reached = 0.0;
    for (std::size_t i = 0; i < weights.size(); ++i) {
      reached += static_cast<double>(weights[i]);
      if (reached >= wanted) return i + 1;
    }
    return weights.size() + 1;
  }
  double total() const {
    double sum = 0.0;
    for (const float weight : weights) sum += static_cast<double>(weight);
    return sum;
  }
  void keep(std::size_t count) {
    if (count >= indices.size()) return;
    indices.resize(count);
    weights.resize(count);
  }
};

/// What min_p leaves, in the order of the logits.
Candidates above(std::span<const float> logits, float highest, float scale, float min_p) {
  Candidates found;
  std::vector<float> weights(logits.size());
  kernels::kernels().exp_below(logits.data(), std::ssize(logits), highest, scale, weights.data());
  for (std::size_t i = 0; i < weights.size(); ++i) {
    if (weights[i] < min_p) continue;
    found.indices.push_back(i);
    found.weights.push_back(weights[i]);
  }
  return found;
}

/// The likeliest `count` of the candidates, likeliest first.
void sort_likeliest(Candidates& candidates, std::span<const float> logits, std::size_t count) {
  std::vector<float> values(candidates.indices.size());
  std::ranges::transform(candidates.indices, values.begin(), [&](std::size_t i) { return logits[i]; });
  Candidates sorted;
  for (const std::size_t at : likeliest_indices(values, count)) {
    sorted.indices.push_back(candidates.indices[at]);
    sorted.weights.push_back(candidates.weights[at]);
  }
  candidates = std::move(sorted);
}

/// The fewest that reach this share of all.
Candidates nucleus(std::span<const float> logits, float highest, float scale, float top_p) {
  const double wanted = static_cast<double>(top_p) * ExpSums(logits, highest, scale).total();
  Candidates found;
  for (std::size_t count = 64;; count *= 8) {
    found.indices = likeliest_indices(logits, count);
    found.weigh(logits, highest, scale);
    const std::size_t kept = found.num_reaching(wanted);
    if (kept > found.indices.size() && count < logits.size()) continue;
    found.keep(kept);
    return found;
  }
}

/// Cuts by min_p, top_k and top_p, of which one at least cuts.
Candidates cut(std::span<const float> logits, float highest, float scale, const SamplingOptions& o) {
  const bool has_top_k = o.top_k > 0 && static_cast<std::size_t>(o.top_k) < logits.size();
  const auto top_k = has_top_k ? static_cast<std::size_t>(o.top_k) : logits.size();
  Candidates found;
  if (o.min_p > 0.0F) {
    found = above(logits, highest, scale, o.min_p);
    if (top_k < found.indices.size() || o.top_p < 1.0F) sort_likeliest(found, logits, top_k);
  } else if (has_top_k) {
    found.indices = likeliest_indices(logits, top_k);
    found.weigh(logits, highest, scale);
  } else {
    return nucleus(logits, highest, scale, o.top_p);
  }
  if (o.top_p < 1.0F) found.keep(found.num_reaching(static_cast<double>(o.top_p) * found.total()));
  return found;
}

std::size_t draw(const Candidates& candidates, double u) {
  const double wanted = u * candidates.total();
  double passed = 0.0;
  std::size_t chosen = 0;
  for (std::size_t i = 0; i < candidates.indices.size(); ++i) {
    if (candidates.weights[i] > 0.0F) chosen = i;
    passed += static_cast<double>(candidates.weights[i]);
    if (wanted < passed) break;
  }
  return candidates.indices[chosen];
}

[[noreturn]] void refuse_nan(std::span<const int> ids, std::span<const float> logits) {
  const auto at = std::ranges::find_if(logits, [](float logit) { return std::isnan(logit); }) - logits.begin();
  throw Error(ErrorCode::kInvalidArgument,
              "the logit of token " + std::to_string(ids[static_cast<std::size_t>(at)]) + " is NaN");
}

}  // namespace

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
  const float highest = kernels::kernels().highest(logits.data(), std::ssize(logits));
  require(highest != std::numeric_limits<float>::infinity(), "a logit is infinite");
  const ExpSums sums(logits, highest, 1.0F);
  if (std::isnan(sums.total()) && std::ranges::any_of(logits, [](float logit) { return std::isnan(logit); }))
    refuse_nan(ids, logits);
  require(std::isfinite(highest), "no logit is finite");
  const LogSoftmax log_softmax(sums, highest);
  const auto choice = [&](std::size_t i) { return Choice{ids[i], log_softmax.of(logits[i])}; };
  if (o.temperature == 0.0F)
    return choice(static_cast<std::size_t>(std::ranges::find(logits, highest) - logits.begin()));

  const auto bits = philox(seed, row, step);
  const double u = static_cast<double>(bits[0]) * 0x1.0p-32 + static_cast<double>(bits[1] >> 11) * 0x1.0p-53;
  // Near 0 the scale would be infinite, and the best token's weight NaN.
  const float scale = std::min(1.0F / o.temperature, std::numeric_limits<float>::max());
  const bool cuts = o.min_p > 0.0F || o.top_p < 1.0F || (o.top_k > 0 && static_cast<std::size_t>(o.top_k) < ids.size());
  if (cuts) return choice(draw(cut(logits, highest, scale, o), u));
  if (scale == 1.0F) return choice(sums.index_at(u));
  return choice(ExpSums(logits, highest, scale).index_at(u));
}

}  // namespace onggi::decode
