#include "onggi/eval/rules/entity_finder.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "onggi/core/random.h"
#include "onggi/datasets/characters.h"

namespace onggi::eval {
namespace {

constexpr std::size_t kMaxWords = 4;  // in an entity; the training data has at most three

std::vector<std::string> words_of(std::string_view name) {
  std::vector<std::string> words(1);
  for (const char c : datasets::collapse_spaces(name)) {
    if (c == ' ') {
      words.emplace_back();
    } else {
      words.back().push_back(c);
    }
  }
  return words;
}

std::string join(const std::vector<std::string>& words, std::size_t first, std::size_t last) {
  std::string text = words[first];
  for (std::size_t i = first + 1; i <= last; ++i) text += " " + words[i];
  return text;
}

/// Digits or Latin letters only: a size, a count, a model number.
bool is_size(std::string_view word) {
  return std::ranges::any_of(word, [](char c) { return c >= '0' && c <= '9'; }) ||
         std::ranges::all_of(word, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

std::uint64_t feature_hash(std::string_view name) {
  std::uint64_t hash = 14695981039346656037u;  // FNV-1a
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211u;
  return hash;
}

/// The last `n` characters.
std::string tail(const std::string& word, std::size_t n) {
  const auto code_points = datasets::to_code_points(word);
  return datasets::to_utf8(std::u32string_view(code_points).substr(code_points.size() - std::min(n, code_points.size())));
}

}  // namespace

std::vector<EntityFinder::Span> EntityFinder::candidates(const std::vector<std::string>& words) {
  std::vector<Span> spans;
  for (std::size_t first = words.size() > 1 ? 1 : 0; first < words.size(); ++first) {
    for (std::size_t last = first; last < std::min(words.size(), first + kMaxWords); ++last) {
      if (!is_size(words[last])) spans.push_back({first, last});
    }
  }
  if (spans.empty()) spans.push_back({0, 0});
  return spans;
}

std::vector<std::uint64_t> EntityFinder::features(const std::vector<std::string>& words, const Span& span, int known_elsewhere) const {
  std::size_t core = words.size();  // words before the sizes at the end
  while (core > 1 && is_size(words[core - 1])) --core;
  const std::size_t length = span.last - span.first + 1;
  const std::string& head = words[span.last];
  std::vector<std::string> names = {
      "length " + std::to_string(length),
      "right " + std::to_string(core - std::min(core, span.last + 1)),
      "left " + std::to_string(std::min<std::size_t>(span.first, 3)),
      "shape " + std::to_string(core) + " " + std::to_string(span.first) + " " + std::to_string(length),
      "known " + std::to_string(std::min(known_elsewhere, 2)) + " " + std::to_string(length),
      "head " + head, "head tail " + tail(head, 1), "head tail " + tail(head, 2),
      "before " + words[span.first > 0 ? span.first - 1 : 0], "before tail " + tail(words[span.first > 0 ? span.first - 1 : 0], 1),
      "first " + words[span.first], "first tail " + tail(words[span.first], 1),
      "first and head " + words[span.first] + " " + tail(head, 2)};
  for (std::size_t i = span.first; i < span.last; ++i) {
    names.push_back("inside " + words[i]);
    names.push_back("inside tail " + tail(words[i], 1));
    names.push_back("inside tail " + tail(words[i], 2));
    if (is_size(words[i])) names.push_back("inside size");
  }
  for (std::size_t i = span.last + 1; i < core; ++i) names.push_back("after " + words[i]);
  std::vector<std::uint64_t> hashes;
  for (const auto& name : names) hashes.push_back(feature_hash(name));
  return hashes;
}

float EntityFinder::score(const std::vector<std::uint64_t>& features) const {
  float sum = 0;
  for (const auto feature : features) {
    if (const auto weight = weights_.find(feature); weight != weights_.end()) sum += weight->second;
  }
  return sum;
}

EntityFinder EntityFinder::fit(std::span<const ThemeRow> rows) {
  constexpr int kEpochs = 10;
  constexpr float kLearningRate = 0.3f;
  constexpr std::size_t kMinProducts = 3;  // what fewer have says nothing of others
  constexpr std::uint64_t kStream = 0x656E74;  // "ent"
  EntityFinder finder;
  std::map<std::string, std::string> entity_of;
  for (const ThemeRow& row : rows) {
    if (!row.gold.empty()) entity_of.try_emplace(row.product, row.gold[0].entity);
  }
  for (const auto& [product, entity] : entity_of) ++finder.known_[entity];
  struct Item {
    std::vector<std::vector<std::uint64_t>> candidates;
    std::size_t gold;
  };
  std::vector<Item> items;
  for (const auto& [product, entity] : entity_of) {
    const auto words = words_of(product);
    Item item{.candidates = {}, .gold = 0};
    bool has_gold = false;
    for (const Span& span : candidates(words)) {
      const std::string text = join(words, span.first, span.last);
      const auto known = finder.known_.find(text);
      // Leave this product out of the dictionary: at prediction time a new product's entity may be unknown.
      const int elsewhere = known == finder.known_.end() ? 0 : known->second - (text == entity);
      if (text == entity) item.gold = item.candidates.size(), has_gold = true;
      item.candidates.push_back(finder.features(words, span, elsewhere));
    }
    if (has_gold) items.push_back(std::move(item));  // else a piece of a word, or words that do not stand together
  }
  std::unordered_map<std::uint64_t, std::size_t> products_with;
  for (const Item& item : items) {
    std::set<std::uint64_t> seen;
    for (const auto& candidate : item.candidates) seen.insert(candidate.begin(), candidate.end());
    for (const auto feature : seen) ++products_with[feature];
  }
  for (Item& item : items) {
    for (auto& candidate : item.candidates) std::erase_if(candidate, [&](std::uint64_t f) { return products_with[f] < kMinProducts; });
  }
  std::unordered_map<std::uint64_t, float> squares;
  for (std::uint64_t turn = 0; turn < kEpochs * items.size(); ++turn) {
    const Item& item = items[uniform_int(0, kStream, turn, items.size())];
    std::vector<float> scores;
    for (const auto& candidate : item.candidates) scores.push_back(finder.score(candidate));
    const float highest = *std::ranges::max_element(scores);
    float sum = 0;
    for (float& s : scores) sum += s = std::exp(s - highest);
    for (std::size_t c = 0; c < scores.size(); ++c) {
      const float gradient = scores[c] / sum - (c == item.gold ? 1.0f : 0.0f);
      for (const auto feature : item.candidates[c]) {
        float& square = squares[feature];
        square += gradient * gradient + 1e-8f;
        finder.weights_[feature] -= kLearningRate * gradient / std::sqrt(square);
      }
    }
  }
  return finder;
}

std::vector<std::pair<std::string, float>> EntityFinder::scored(std::string_view product) const {
  const auto words = words_of(product);
  std::vector<std::pair<std::string, float>> spans;
  for (const Span& span : candidates(words)) {
    std::string text = join(words, span.first, span.last);
    const auto known = known_.find(text);
    const float s = score(features(words, span, known == known_.end() ? 0 : known->second));
    spans.emplace_back(std::move(text), s);
  }
  return spans;
}

std::string EntityFinder::find(std::string_view product) const {
  const auto spans = scored(product);
  return std::ranges::max_element(spans, {}, &std::pair<std::string, float>::second)->first;
}

std::map<std::string, double, std::less<>> EntityFinder::probabilities(std::string_view product) const {
  const auto spans = scored(product);
  const double highest = std::ranges::max_element(spans, {}, &std::pair<std::string, float>::second)->second;
  std::map<std::string, double, std::less<>> probabilities;
  double sum = 0;
  for (const auto& [text, s] : spans) {
    const double weight = std::exp(s - highest);
    probabilities[text] += weight;
    sum += weight;
  }
  for (auto& [text, probability] : probabilities) probability /= sum;
  return probabilities;
}

}  // namespace onggi::eval
