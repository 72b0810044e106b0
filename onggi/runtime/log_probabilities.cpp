#include "onggi/runtime/log_probabilities.h"

#include <algorithm>
#include <numeric>

#include "onggi/decode/log_softmax.h"

namespace onggi::runtime {

std::vector<TokenAlternative> likeliest(std::span<const int> ids, std::span<const float> logits, int count) {
  std::vector<std::size_t> order(ids.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto kept = std::min(order.size(), static_cast<std::size_t>(count));
  std::partial_sort(
      order.begin(), order.begin() + static_cast<std::ptrdiff_t>(kept), order.end(),
      [&](std::size_t a, std::size_t b) { return logits[a] != logits[b] ? logits[a] > logits[b] : ids[a] < ids[b]; });
  if (kept == 0) return {};
  const decode::LogSoftmax log_softmax(logits, logits[order[0]]);
  std::vector<TokenAlternative> found;
  for (std::size_t i = 0; i < kept; ++i) found.push_back({ids[order[i]], log_softmax.of(logits[order[i]])});
  return found;
}

}  // namespace onggi::runtime
