#include "onggi/decode/log_softmax.h"

#include <algorithm>
#include <array>
#include <numeric>

namespace onggi::decode {

std::size_t ExpSums::index_at(double u) const {
  const double wanted = u * total_;
  double passed = 0.0;
  std::size_t block = 0, last = 0;
  for (; block < sums_.size(); ++block) {
    if (sums_[block] > 0.0F) last = block;
    if (wanted < passed + static_cast<double>(sums_[block])) break;
    passed += static_cast<double>(sums_[block]);
  }
  if (block == sums_.size()) block = last;
  const auto begin = static_cast<std::int64_t>(block) * kBlock;
  std::array<float, kBlock> weights{};
  const std::int64_t count = count_from(begin);
  kernels::kernels().exp_below(logits_.data() + begin, count, highest_, scale_, weights.data());
  std::int64_t chosen = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    const float weight = weights[static_cast<std::size_t>(i)];
    if (weight > 0.0F)
      chosen = i;  // The block's sum was added in another order: its last one is where that falls short.
    passed += static_cast<double>(weight);
    if (wanted < passed) break;
  }
  return static_cast<std::size_t>(begin + chosen);
}

std::vector<std::size_t> likeliest_indices(std::span<const float> logits, std::size_t count) {
  const auto before = [&](std::size_t a, std::size_t b) {
    return logits[a] != logits[b] ? logits[a] > logits[b] : a < b;
  };
  std::vector<std::size_t> kept(std::min(count, logits.size()));
  if (kept.empty()) return kept;
  std::iota(kept.begin(), kept.end(), std::size_t{0});
  std::ranges::make_heap(kept, before);  // The least likely on top.
  constexpr std::size_t kBlock = 256;
  for (std::size_t begin = kept.size(); begin < logits.size(); begin += kBlock) {
    const std::size_t end = std::min(begin + kBlock, logits.size());
    const auto size = static_cast<std::int64_t>(end - begin);
    if (kernels::kernels().highest(logits.data() + begin, size) <= logits[kept.front()]) continue;
    for (std::size_t i = begin; i < end; ++i) {
      if (!before(i, kept.front())) continue;
      std::ranges::pop_heap(kept, before);
      kept.back() = i;
      std::ranges::push_heap(kept, before);
    }
  }
  std::ranges::sort_heap(kept, before);
  return kept;
}

}  // namespace onggi::decode
