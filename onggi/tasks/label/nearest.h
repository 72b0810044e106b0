#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace onggi::tasks {

/// Finds texts alike: TF-IDF over character 2- to 4-grams inside words, cosine. Immutable.
class NearestTexts {
 public:
  explicit NearestTexts(std::span<const std::string> texts);

  struct Hit {
    std::size_t index = 0;
    double similarity = 0;
  };
  /// The `count` texts most like `text` (the first of equals), without those that `may_use` refuses.
  template <class MayUse>
  std::vector<Hit> find(const std::string& text, std::size_t count, MayUse may_use) const {
    return best(similarities(text), count, may_use);
  }
  /// Of each text, 0 to 1.
  std::vector<double> similarities(const std::string& text) const;

  template <class MayUse>
  static std::vector<Hit> best(const std::vector<double>& similarities, std::size_t count, MayUse may_use) {
    std::vector<Hit> hits;
    for (std::size_t i = 0; i < similarities.size(); ++i) {
      if (may_use(i)) hits.push_back({i, similarities[i]});
    }
    keep_best(hits, count);
    return hits;
  }

 private:
  using Vector = std::vector<std::pair<std::uint32_t, float>>;
  Vector vector_of(const std::string& text) const;
  static void keep_best(std::vector<Hit>& hits, std::size_t count);

  std::unordered_map<std::uint64_t, std::uint32_t> grams_;
  std::vector<float> weights_;                                        ///< Inverse document frequency a gram.
  std::vector<std::vector<std::pair<std::uint32_t, float>>> places_;  ///< Of each gram: text and weight.
  std::size_t num_texts_ = 0;
};

}  // namespace onggi::tasks
