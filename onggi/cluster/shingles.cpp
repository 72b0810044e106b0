#include "onggi/cluster/shingles.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "onggi/core/error.h"
#include "onggi/core/random.h"
#include "onggi/text/unicode.h"
#include "onggi/text/utf8.h"

namespace onggi::cluster {
namespace {

constexpr std::uint64_t kPermutationStream = 0x6D696E68;  // "minh"

/// The finishing step of SplitMix64 (Steele et al. 2014): a bijection that spreads every bit.
std::uint64_t mixed(std::uint64_t x) {
  x = (x ^ (x >> 30U)) * 0xBF58476D1CE4E5B9U;
  x = (x ^ (x >> 27U)) * 0x94D049BB133111EBU;
  return x ^ (x >> 31U);
}

std::u32string code_points(std::string_view text) {
  std::u32string result;
  for (std::size_t at = 0; at < text.size();) {
    const auto c = text::next_utf8(text, at);
    result += c.code;
    at += static_cast<std::size_t>(c.length);
  }
  return result;
}

template <class Keep>
std::string kept_characters(const std::string& text, Keep keep) {
  std::string result;
  for (const char32_t c : code_points(text)) {
    if (keep(text::char_class(c))) text::append_utf8(result, c);
  }
  return result;
}

}  // namespace

std::string without_spaces(std::string_view text) {
  return kept_characters(text::to_nfc(text), [](std::uint8_t bits) { return (bits & text::kSpace) == 0; });
}

std::string matching_key(std::string_view text) {
  auto key = kept_characters(text::to_nfkc_casefold(text),
                             [](std::uint8_t bits) { return (bits & (text::kLetter | text::kNumber)) != 0; });
  return key.empty() ? without_spaces(text) : key;
}

std::vector<std::uint64_t> grams_of(std::string_view text, int n) {
  require(n >= 1 && n <= 64, "character n-grams: n must be 1 to 64");
  const auto characters = code_points(text);
  std::vector<std::uint64_t> grams;
  const auto width = static_cast<std::size_t>(n);
  for (std::size_t first = 0; first + width <= characters.size(); ++first) {
    std::uint64_t hash = width;
    for (std::size_t i = 0; i < width; ++i) hash = mixed(hash + 0x9E3779B97F4A7C15U * (characters[first + i] + 1ULL));
    grams.push_back(hash);
  }
  return grams;
}

Shingles shingles_of(std::string_view text, int n) {
  const auto length =
      static_cast<int>(std::min<std::size_t>(code_points(text).size(), static_cast<std::size_t>(std::max(n, 1))));
  Shingles set = grams_of(text, length < n && length > 0 ? length : n);
  std::ranges::sort(set);
  set.erase(std::unique(set.begin(), set.end()), set.end());
  return set;
}

double jaccard(const Shingles& a, const Shingles& b) {
  if (a.empty() && b.empty()) return 1;
  std::size_t common = 0;
  for (auto i = a.begin(), j = b.begin(); i != a.end() && j != b.end();) {
    if (*i == *j) ++common;
    const bool advance_i = *i <= *j, advance_j = *j <= *i;
    i += advance_i ? 1 : 0;
    j += advance_j ? 1 : 0;
  }
  return static_cast<double>(common) / static_cast<double>(a.size() + b.size() - common);
}

MinHasher::MinHasher(int num_permutations, std::uint64_t seed) {
  require(num_permutations >= 1 && num_permutations <= 4096, "MinHash: the permutations must be 1 to 4096");
  for (int p = 0; p < num_permutations; ++p) {
    const auto r = philox(seed, kPermutationStream, static_cast<std::uint64_t>(p));
    factors_.push_back((static_cast<std::uint64_t>(r[0]) << 32U | r[1]) | 1U);
    offsets_.push_back(static_cast<std::uint64_t>(r[2]) << 32U | r[3]);
  }
}

void MinHasher::sign(const Shingles& set, std::span<std::uint64_t> signature) const {
  for (std::size_t p = 0; p < factors_.size(); ++p) {
    std::uint64_t least = std::numeric_limits<std::uint64_t>::max();
    for (const auto x : set) least = std::min(least, factors_[p] * x + offsets_[p]);
    signature[p] = least;
  }
}

double Bands::chance(double similarity) const { return 1 - std::pow(1 - std::pow(similarity, rows), bands); }

Bands best_bands(int num_permutations, double threshold, double miss) {
  require(threshold > 0 && threshold <= 1 && miss > 0 && miss < 1,
          "bands: the threshold must be above 0 and at most 1, the share missed between 0 and 1");
  constexpr int kSteps = 200;
  Bands best{.bands = num_permutations, .rows = 1};  // Misses the least of all.
  double least_area = std::numeric_limits<double>::infinity();
  for (int rows = 1; rows <= num_permutations; ++rows) {
    for (int bands = 1; bands * rows <= num_permutations; ++bands) {
      const Bands tried{.bands = bands, .rows = rows};
      if (1 - tried.chance(threshold) > miss) continue;
      double area = 0;
      for (int i = 0; i < kSteps; ++i) area += tried.chance((i + 0.5) * threshold / kSteps);
      if (area < least_area) least_area = area, best = tried;
    }
  }
  return best;
}

}  // namespace onggi::cluster
