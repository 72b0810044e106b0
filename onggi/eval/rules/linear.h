#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

namespace onggi::eval {

/// Sparse input: (feature hash, value).
using Features = std::vector<std::pair<std::uint64_t, float>>;

/// Adds features with weight/sqrt(number) each, so that long and short texts weigh the same.
void add_features(Features& features, std::span<const std::uint64_t> hashes, float weight);

struct LinearOptions {
  int epochs = 8;
  float learning_rate = 0.25f;
  float l2 = 1e-4f;
  int min_count = 2;  ///< Drop features of fewer items.
  std::uint64_t seed = 0;
};

/// Multinomial logistic regression by AdaGrad (Duchi et al. 2011) with one step size a feature, not a weight: 41 labels
/// share a square root. The same items and seed give the same bits. Immutable once fitted.
class LinearClassifier {
 public:
  struct Item {
    Features features;
    int label = 0;
  };
  static LinearClassifier fit(std::span<const Item> items, int num_labels, const LinearOptions& options);
  /// Probability of each label; features not seen in fitting count nothing.
  std::vector<float> probabilities(const Features& features) const;

 private:
  std::vector<std::pair<std::int32_t, float>> known(const Features& features) const;
  std::vector<float> softmax(std::span<const std::pair<std::int32_t, float>> features) const;

  int num_labels_ = 0;
  std::size_t stride_ = 0;  ///< Weights a feature: the labels, padded.
  std::unordered_map<std::uint64_t, std::int32_t> index_;
  std::vector<float> weights_;  ///< [feature][stride]; the last feature is the bias.
};

}  // namespace onggi::eval
