#include "onggi/cluster/ngram_vectors.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>
#include <utility>
#include <vector>

#include "onggi/cluster/shingles.h"
#include "onggi/core/error.h"

namespace onggi::cluster {
namespace {

/// Each gram of a text with how often it occurs, by hash.
std::vector<std::pair<std::uint64_t, int>> counted_grams(const std::string& text, const NgramOptions& options) {
  const std::string plain = without_spaces(text);
  std::vector<std::uint64_t> grams;
  for (int n = options.least; n <= options.most; ++n) {
    const auto more = grams_of(plain, n);
    grams.insert(grams.end(), more.begin(), more.end());
  }
  std::ranges::sort(grams);
  std::vector<std::pair<std::uint64_t, int>> counted;
  for (const auto gram : grams) {
    if (counted.empty() || counted.back().first != gram) counted.emplace_back(gram, 0);
    ++counted.back().second;
  }
  return counted;
}

}  // namespace

Vectors ngram_vectors(std::span<const std::string> texts, const NgramOptions& options, ThreadPool& pool) {
  require(options.least >= 1 && options.most >= options.least && options.most <= 64,
          "n-grams: the least must be 1 or more, the most not below it and at most 64");
  require(options.dimensions >= 1 && options.dimensions <= (1 << 16), "n-grams: the dimensions must be 1 to 65536");
  const auto size = static_cast<std::int64_t>(texts.size());
  std::vector<std::vector<std::pair<std::uint64_t, int>>> grams(texts.size());
  pool.run(size, [&](std::int64_t i, int) {
    grams[static_cast<std::size_t>(i)] = counted_grams(texts[static_cast<std::size_t>(i)], options);
  });
  std::unordered_map<std::uint64_t, int> frequency;
  for (const auto& of_text : grams) {
    for (const auto& [gram, count] : of_text) ++frequency[gram];
  }
  Vectors vectors{.num_rows = size, .dimensions = options.dimensions, .values = {}};
  vectors.values.assign(static_cast<std::size_t>(size * options.dimensions), 0.0F);
  pool.run(size, [&](std::int64_t i, int) {
    std::vector<double> sums(static_cast<std::size_t>(options.dimensions), 0.0);
    for (const auto& [gram, count] : grams[static_cast<std::size_t>(i)]) {
      const double rarity = std::log((1.0 + static_cast<double>(size)) / (1.0 + frequency.at(gram))) + 1;
      const double weight = (1 + std::log(count)) * rarity;
      sums[(gram >> 1U) % sums.size()] += (gram & 1U) != 0 ? weight : -weight;
    }
    double square = 0;
    for (const double value : sums) square += value * value;
    const auto row = vectors.row(i);
    for (std::size_t d = 0; square > 0 && d < sums.size(); ++d)
      row[d] = static_cast<float>(sums[d] / std::sqrt(square));
  });
  return vectors;
}

}  // namespace onggi::cluster
