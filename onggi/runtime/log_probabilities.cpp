#include "onggi/runtime/log_probabilities.h"

#include "onggi/decode/log_softmax.h"

namespace onggi::runtime {

std::vector<TokenAlternative> likeliest(std::span<const int> ids, std::span<const float> logits, int count) {
  const auto order = decode::likeliest_indices(logits, static_cast<std::size_t>(count));
  if (order.empty()) return {};
  const decode::LogSoftmax log_softmax(logits, logits[order[0]]);
  std::vector<TokenAlternative> found;
  for (const std::size_t i : order) found.push_back({ids[i], log_softmax.of(logits[i])});
  return found;
}

}  // namespace onggi::runtime
