#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "onggi/core/random.h"

namespace onggi::pictures {

/// Draws one after another from a stream of `core/random.h`. Confined to one thread.
class Rng {
 public:
  Rng(std::uint64_t seed, std::uint64_t stream) : seed_(seed), stream_(stream) {}

  double uniform() { return uniform_float(seed_, stream_, index_++); }
  double between(double low, double high) { return low + (high - low) * uniform(); }
  /// In [0, bound).
  int below(int bound) {
    return static_cast<int>(uniform_int(seed_, stream_, index_++, static_cast<std::uint64_t>(bound)));
  }
  bool chance(double share) { return uniform() < share; }
  /// 1 or -1.
  double sign() { return chance(0.5) ? 1.0 : -1.0; }

 private:
  std::uint64_t seed_, stream_, index_ = 0;
};

}  // namespace onggi::pictures
