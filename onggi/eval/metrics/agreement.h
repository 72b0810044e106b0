#pragma once

#include <cstdint>
#include <span>

namespace onggi::eval {

/// How far two partitions of the same items agree; what their labels are called does not matter.
struct Agreement {
  double nmi = 0;  ///< Mutual information over the mean of the entropies; 1 where both are one class.
  double ari = 0;  ///< Rand index beyond chance (Hubert and Arabie 1985).
};

/// As scikit-learn's normalized_mutual_info_score and adjusted_rand_score. Throws kInvalidArgument where the sizes
/// differ.
Agreement agreement(std::span<const std::int32_t> a, std::span<const std::int32_t> b);

}  // namespace onggi::eval
