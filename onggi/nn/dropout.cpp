#include "onggi/nn/dropout.h"

#include <algorithm>
#include <cmath>

#include "onggi/core/random.h"

namespace onggi::nn {

void apply_dropout(Context& context, const AdapterDropout& dropout, std::uint64_t layer, const float* x,
                   std::int64_t num_tokens, std::int64_t width, float* y, bool accumulate) {
  constexpr std::int64_t kTokens = 16;
  const std::uint64_t stream = std::uint64_t{0xD5} << 56 | dropout.update << 20 | layer;
  const auto threshold = static_cast<std::uint64_t>(std::ldexp(static_cast<double>(dropout.probability), 32));
  const float scale = 1.0F / (1.0F - dropout.probability);
  context.parallel_for(num_tokens, kTokens, [&](std::int64_t begin, std::int64_t end, int) {
    for (std::int64_t t = begin; t < end; ++t) {
      const std::uint64_t key = dropout.token_keys[static_cast<std::size_t>(t)] << 20;
      const float* from = x + t * width;
      float* to = y + t * width;
      for (std::int64_t i = 0; i < width; i += 4) {
        const auto words = philox(dropout.seed, stream, key | static_cast<std::uint64_t>(i / 4));
        for (std::int64_t j = i; j < std::min(width, i + 4); ++j) {
          const float value = words[static_cast<std::size_t>(j - i)] >= threshold ? from[j] * scale : 0.0F;
          to[j] = accumulate ? to[j] + value : value;
        }
      }
    }
  });
}

}  // namespace onggi::nn
