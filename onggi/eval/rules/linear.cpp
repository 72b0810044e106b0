#include "onggi/eval/rules/linear.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "onggi/core/error.h"
#include "onggi/core/random.h"

namespace onggi::eval {
namespace {

constexpr std::uint64_t kShuffleStream = 0x6C696E65;  // "line"
constexpr std::size_t kBlock = 8;  // a loop of known length, which -O2 turns into vector code

/// y = keep * y + factor * x. `size` is a multiple of kBlock.
void scale_and_add(float* y, float keep, const float* x, float factor, std::size_t size) {
  for (std::size_t start = 0; start < size; start += kBlock) {
    for (std::size_t k = start; k < start + kBlock; ++k) y[k] = keep * y[k] + factor * x[k];
  }
}

}  // namespace

void add_features(Features& features, std::span<const std::uint64_t> hashes, float weight) {
  if (hashes.empty()) return;
  const float value = weight / std::sqrt(static_cast<float>(hashes.size()));
  for (const auto hash : hashes) features.emplace_back(hash, value);
}

LinearClassifier LinearClassifier::fit(std::span<const Item> items, int num_labels, const LinearOptions& options) {
  require(num_labels > 0, "classifier: no labels");
  LinearClassifier model;
  model.num_labels_ = num_labels;
  std::unordered_map<std::uint64_t, std::pair<std::int32_t, std::size_t>> seen;  // count of items, last item
  std::vector<std::uint64_t> order;
  for (std::size_t i = 0; i < items.size(); ++i) {
    for (const auto& [feature, value] : items[i].features) {
      auto& [count, last] = seen[feature];
      if (count == 0) order.push_back(feature);
      if (count == 0 || last != i) ++count, last = i;
    }
  }
  for (const auto feature : order) {
    if (seen[feature].first >= options.min_count) model.index_.emplace(feature, static_cast<std::int32_t>(model.index_.size()));
  }
  model.stride_ = (static_cast<std::size_t>(num_labels) + kBlock - 1) / kBlock * kBlock;
  model.weights_.assign((model.index_.size() + 1) * model.stride_, 0.0f);
  std::vector<float> squares(model.index_.size() + 1, 1e-6f);
  std::vector<std::vector<std::pair<std::int32_t, float>>> inputs;
  for (const Item& item : items) inputs.push_back(model.known(item.features));
  std::vector<std::size_t> turn(items.size());
  std::iota(turn.begin(), turn.end(), std::size_t{0});
  for (int epoch = 0; epoch < options.epochs; ++epoch) {
    for (std::size_t i = turn.size(); i > 1; --i) {
      const auto draw = static_cast<std::uint64_t>(epoch) * turn.size() + i;
      std::swap(turn[i - 1], turn[uniform_int(options.seed, kShuffleStream, draw, i)]);
    }
    for (const std::size_t i : turn) {
      std::vector<float> gradient = model.softmax(inputs[i]);
      gradient[static_cast<std::size_t>(items[i].label)] -= 1;
      float norm = 0;
      for (const float g : gradient) norm += g * g;
      for (const auto& [feature, value] : inputs[i]) {
        const auto f = static_cast<std::size_t>(feature);
        squares[f] += norm * value * value;
        const float step = options.learning_rate / std::sqrt(squares[f]);
        const float keep = 1 - step * options.l2, change = step * value;
        scale_and_add(&model.weights_[f * model.stride_], keep, gradient.data(), -change, model.stride_);
      }
    }
  }
  return model;
}

std::vector<float> LinearClassifier::probabilities(const Features& features) const {
  std::vector<float> probabilities = softmax(known(features));
  probabilities.resize(static_cast<std::size_t>(num_labels_));
  return probabilities;
}

std::vector<std::pair<std::int32_t, float>> LinearClassifier::known(const Features& features) const {
  std::vector<std::pair<std::int32_t, float>> known;
  for (const auto& [feature, value] : features) {
    if (const auto entry = index_.find(feature); entry != index_.end()) known.emplace_back(entry->second, value);
  }
  std::ranges::sort(known);
  std::size_t kept = 0;  // equal features add up
  for (std::size_t i = 0; i < known.size(); ++i) {
    if (kept > 0 && known[kept - 1].first == known[i].first) {
      known[kept - 1].second += known[i].second;
    } else {
      known[kept++] = known[i];
    }
  }
  known.resize(kept);
  known.emplace_back(static_cast<std::int32_t>(index_.size()), 1.0f);
  return known;
}

std::vector<float> LinearClassifier::softmax(std::span<const std::pair<std::int32_t, float>> features) const {
  std::vector<float> scores(stride_, 0.0f);
  for (const auto& [feature, value] : features) {
    scale_and_add(scores.data(), 1.0f, &weights_[static_cast<std::size_t>(feature) * stride_], value, stride_);
  }
  const std::span real(scores.data(), static_cast<std::size_t>(num_labels_));
  const float highest = *std::ranges::max_element(real);
  float sum = 0;
  for (float& score : real) sum += score = std::exp(score - highest);
  for (float& score : real) score /= sum;
  return scores;  // what pads the stride stays 0
}

}  // namespace onggi::eval
