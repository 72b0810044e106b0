#include "onggi/tasks/doubt/reader.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <unordered_set>

#include "onggi/eval/rules/clauses.h"

namespace onggi::tasks {
namespace {

using eval::Card;
using eval::Features;
using eval::ngram_features;
using eval::ThemeRow;

constexpr int kEpochs = 6;

enum Tag : std::uint64_t {
  kGrams = 0,
  kClause = 10,
  kContext = 20,
  kProduct = 30,
  kReview = 40,
  kCategory = 50,
  kRating = 60
};

/// Whole words: of a product's name its noun is among them, and few words are seen by all that is to be learnt.
void add_words(Features& features, const std::string& text, std::uint64_t tag, float weight) {
  eval::add_features(features, ngram_features(text, 9, 9, tag), weight);
}

Features product_features(const ThemeRow& row) {
  Features features;
  add_words(features, row.product, kProduct, 1.5F);
  add_words(features, row.category, kCategory, 1.5F);
  return features;
}

Features context_features(const ThemeRow& row, const Features& product) {
  Features features = product;
  add_words(features, row.rating, kRating, 1.0F);
  return features;
}

Features with_text(const std::string& text, const Features& more) {
  Features features;
  eval::add_features(features, ngram_features(text, 1, 3, kClause), 3.0F);
  features.insert(features.end(), more.begin(), more.end());
  return features;
}

Features review_features(const ThemeRow& row) {
  Features features;
  eval::add_features(features, ngram_features(row.review, 1, 4, kReview), 3.0F);
  eval::add_features(features, ngram_features(row.rating, 1, 3, kRating), 3.0F);
  return features;
}

std::unordered_set<std::uint64_t> grams_of(const std::string& text) {
  const auto grams = ngram_features(text, 2, 3, kGrams);
  return {grams.begin(), grams.end()};
}

}  // namespace

GramWeights::GramWeights(std::span<const std::string> texts) : num_texts_(static_cast<double>(texts.size())) {
  for (const auto& text : texts) {
    for (const auto gram : grams_of(text)) ++counts_[gram];
  }
}

double GramWeights::weight(std::uint64_t gram) const {
  const auto found = counts_.find(gram);
  return std::log((1.0 + num_texts_) / (1.0 + (found == counts_.end() ? 0.0 : found->second))) + 0.1;
}

double GramWeights::shared(const std::string& text, const std::string& other) const {
  const auto wanted = ngram_features(text, 2, 3, kGrams);
  const auto there = grams_of(other);
  double sum = 0, found = 0;
  for (const auto gram : std::set<std::uint64_t>(wanted.begin(), wanted.end())) {
    const double w = weight(gram);
    sum += w;
    if (there.contains(gram)) found += w;
  }
  return sum > 0 ? found / sum : 0.0;
}

PreparedRow prepare_row(const ThemeRow& row, const GramWeights& weights) {
  PreparedRow prepared{.row = &row, .clauses = eval::split_clauses(row.review)};
  const Features product = product_features(row), context = context_features(row, product);
  for (const auto& clause : prepared.clauses) prepared.clause_features.push_back(with_text(clause, context));
  for (const Card& card : row.gold) {
    // An expression has to stand on its own: a wrong aspect's words are in the review as well.
    prepared.theme_features.push_back(with_text(card.expression, product));
    prepared.theme_clause_features.push_back(with_text(card.expression, context));
    std::size_t source = 0;
    double best = 0;
    for (std::size_t c = 0; c < prepared.clauses.size(); ++c) {
      const double share = weights.shared(card.expression, prepared.clauses[c]);
      if (share > best) source = c, best = share;
    }
    prepared.sources.push_back(source);
    prepared.source_shares.push_back(best);
  }
  prepared.review_features = review_features(row);
  return prepared;
}

DoubtReader DoubtReader::fit(std::span<const PreparedRow* const> rows, std::span<const std::string> names,
                             std::uint64_t seed) {
  std::vector<eval::LinearClassifier::Item> clause_items, expression_items, review_items;
  std::vector<ThemeRow> with_themes;
  const int none = static_cast<int>(names.size());
  for (const PreparedRow* prepared : rows) {
    const ThemeRow& row = *prepared->row;
    review_items.push_back({prepared->review_features, row.gold.empty() ? 0 : 1});
    if (!row.gold.empty()) with_themes.push_back(row);
    std::vector<std::set<int>> labels(prepared->clauses.size());
    for (std::size_t t = 0; t < row.gold.size(); ++t) {
      const int label = static_cast<int>(std::ranges::find(names, row.gold[t].name) - names.begin());
      expression_items.push_back({prepared->theme_features[t], label});
      clause_items.push_back({prepared->theme_clause_features[t], label});
      if (!labels.empty()) labels[prepared->sources[t]].insert(label);
    }
    for (std::size_t c = 0; c < labels.size(); ++c) {
      if (labels[c].empty()) labels[c].insert(none);
      for (const int label : labels[c]) clause_items.push_back({prepared->clause_features[c], label});
    }
  }
  DoubtReader reader;
  reader.num_names_ = names.size();
  reader.clauses_ = eval::LinearClassifier::fit(clause_items, none + 1, {.epochs = kEpochs, .seed = seed});
  reader.expressions_ = eval::LinearClassifier::fit(expression_items, none, {.epochs = kEpochs, .seed = seed});
  reader.reviews_ = eval::LinearClassifier::fit(review_items, 2, {.epochs = kEpochs, .seed = seed});
  reader.entities_ = eval::EntityFinder::fit(with_themes);
  return reader;
}

Reading DoubtReader::read(const PreparedRow& row) const {
  Reading reading;
  for (const auto& features : row.clause_features) {
    reading.clauses.push_back(clauses_.probabilities(features));
    reading.clauses.back().resize(num_names_);
  }
  reading.review = static_cast<double>(reviews_.probabilities(row.review_features)[1]);
  for (const auto& features : row.theme_features) reading.themes.push_back(expressions_.probabilities(features));
  reading.entities = entities_.probabilities(row.row->product);
  return reading;
}

}  // namespace onggi::tasks
