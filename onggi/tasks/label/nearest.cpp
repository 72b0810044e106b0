#include "onggi/tasks/label/nearest.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "onggi/eval/rules/clauses.h"

namespace onggi::tasks {
namespace {

std::map<std::uint64_t, int> counts_of(const std::string& text) {
  std::map<std::uint64_t, int> counts;
  for (const auto gram : eval::ngram_features(text, 2, 4, 0)) ++counts[gram];
  return counts;
}

}  // namespace

NearestTexts::NearestTexts(std::span<const std::string> texts) : num_texts_(texts.size()) {
  std::vector<std::map<std::uint64_t, int>> counts;
  std::vector<int> documents;
  for (const auto& text : texts) {
    counts.push_back(counts_of(text));
    for (const auto& [gram, count] : counts.back()) {
      const auto [place, is_new] = grams_.try_emplace(gram, static_cast<std::uint32_t>(documents.size()));
      if (is_new) documents.push_back(0);
      ++documents[place->second];
    }
  }
  for (const int count : documents)
    weights_.push_back(std::log((1.0F + static_cast<float>(num_texts_)) / (1.0F + static_cast<float>(count))) + 1.0F);
  places_.resize(weights_.size());
  for (std::size_t i = 0; i < texts.size(); ++i) {
    for (const auto& [gram, weight] : vector_of(texts[i]))
      places_[gram].emplace_back(static_cast<std::uint32_t>(i), weight);
  }
}

NearestTexts::Vector NearestTexts::vector_of(const std::string& text) const {
  Vector vector;
  double squares = 0;
  for (const auto& [gram, count] : counts_of(text)) {
    const auto found = grams_.find(gram);
    if (found == grams_.end()) continue;
    const float weight = (1.0F + std::log(static_cast<float>(count))) * weights_[found->second];
    vector.emplace_back(found->second, weight);
    squares += static_cast<double>(weight) * weight;
  }
  for (auto& [gram, weight] : vector) weight /= static_cast<float>(std::sqrt(squares));
  return vector;
}

std::vector<double> NearestTexts::similarities(const std::string& text) const {
  std::vector<double> similarities(num_texts_, 0.0);
  for (const auto& [gram, weight] : vector_of(text)) {
    for (const auto& [index, other] : places_[gram]) similarities[index] += static_cast<double>(weight) * other;
  }
  return similarities;
}

void NearestTexts::keep_best(std::vector<Hit>& hits, std::size_t count) {
  const auto before = [](const Hit& a, const Hit& b) {
    return a.similarity != b.similarity ? a.similarity > b.similarity : a.index < b.index;
  };
  count = std::min(count, hits.size());
  std::ranges::partial_sort(hits, hits.begin() + static_cast<std::ptrdiff_t>(count), before);
  hits.resize(count);
}

}  // namespace onggi::tasks
