#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace onggi::cluster {

/// What two texts must share to be the same but for spacing: NFC without white space.
std::string without_spaces(std::string_view text);

/// The key by which short texts are the same: NFKC with case folded, letters and digits only; a text without any keeps
/// its other characters.
std::string matching_key(std::string_view text);

/// A set of character n-grams as sorted 64-bit hashes. A text shorter than n is one gram; an empty one has none.
using Shingles = std::vector<std::uint64_t>;

/// Of a text as `without_spaces` gives it. Throws kInvalidArgument unless n is 1 to 64.
Shingles shingles_of(std::string_view text, int n);
/// The hashes of all n-grams in their order, repeated ones too; none for a text shorter than n.
std::vector<std::uint64_t> grams_of(std::string_view text, int n);

/// Size of the intersection over that of the union; 1 for two empty sets.
double jaccard(const Shingles& a, const Shingles& b);

/// MinHash signatures (Broder 1997): permutations of the 64-bit numbers, x -> a x + b with a odd, drawn from a seed.
class MinHasher {
 public:
  MinHasher(int num_permutations, std::uint64_t seed);
  int num_permutations() const { return static_cast<int>(factors_.size()); }
  /// The least value of the set under each permutation; the greatest number for an empty set.
  void sign(const Shingles& set, std::span<std::uint64_t> signature) const;

 private:
  std::vector<std::uint64_t> factors_, offsets_;
};

/// Bands of rows for locality-sensitive hashing: sets with similarity s share a band with chance 1 - (1 -
/// s^rows)^bands.
struct Bands {
  int bands = 1;
  int rows = 1;
  double chance(double similarity) const;
};

/// The pair with bands * rows <= num_permutations that lets the fewest unlike sets through (the least area under its
/// curve below the threshold) among those that miss at most `miss` of the pairs at the threshold.
Bands best_bands(int num_permutations, double threshold, double miss);

}  // namespace onggi::cluster
