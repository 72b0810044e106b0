#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "onggi/eval/themes.h"

namespace onggi::eval {

/// Finds the noun of what a product is in the name that a shop gives it ("Eopyu Sika Subun Mist 120ml" -> "Mist"): a
/// dictionary of the training products' entities, and where it does not decide, a ranking of the name's word spans with
/// weights learnt from them (words that join the noun, brand first, sizes last). Immutable once fitted.
class EntityFinder {
 public:
  /// Uses products that have at least one gold card.
  static EntityFinder fit(std::span<const ThemeRow> rows);
  std::string find(std::string_view product) const;
  /// Every span of the name that may be the noun, with its probability. Sums to 1.
  std::map<std::string, double, std::less<>> probabilities(std::string_view product) const;

 private:
  struct Span {
    std::size_t first, last;  ///< Words, both included.
  };
  std::vector<std::uint64_t> features(const std::vector<std::string>& words, const Span& span, int known_elsewhere) const;
  float score(const std::vector<std::uint64_t>& features) const;
  std::vector<std::pair<std::string, float>> scored(std::string_view product) const;  ///< Never empty.
  static std::vector<Span> candidates(const std::vector<std::string>& words);

  std::unordered_map<std::string, int> known_;  ///< Entity to number of products.
  std::unordered_map<std::uint64_t, float> weights_;
};

}  // namespace onggi::eval
