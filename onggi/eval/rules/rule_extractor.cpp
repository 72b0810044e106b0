#include "onggi/eval/rules/rule_extractor.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <unordered_set>

#include "onggi/core/error.h"
#include "onggi/core/hash.h"
#include "onggi/eval/rules/adnominal.h"
#include "onggi/eval/rules/clauses.h"

namespace onggi::eval {
namespace {

enum Tag : std::uint64_t { kClause = 10, kContext = 20, kProduct = 30, kReview = 40, kCategory = 50, kRating = 60 };

using HashSet = std::unordered_set<std::uint64_t>;

HashSet bigrams(std::string_view text) {
  const auto hashes = ngram_features(text, 2, 2, 0);
  return {hashes.begin(), hashes.end()};
}

double overlap(const HashSet& a, const HashSet& b) {
  const auto common = std::ranges::count_if(a, [&](std::uint64_t h) { return b.contains(h); });
  return a.empty() || b.empty() ? 0 : static_cast<double>(common) / std::sqrt(static_cast<double>(a.size() * b.size()));
}

Features clause_features(std::string_view clause, const ThemeRow& row) {
  Features features;
  add_features(features, ngram_features(clause, 1, 4, kClause), 3.0f);
  add_features(features, ngram_features(row.review, 2, 3, kContext), 0.5f);
  add_features(features, ngram_features(row.product, 2, 3, kProduct), 1.5f);
  add_features(features, ngram_features(row.category, 2, 3, kCategory), 1.0f);
  add_features(features, ngram_features(row.rating, 1, 3, kRating), 1.0f);
  return features;
}

Features review_features(const ThemeRow& row) {
  Features features;
  add_features(features, ngram_features(row.review, 1, 4, kReview), 3.0f);
  add_features(features, ngram_features(row.rating, 1, 3, kRating), 3.0f);
  return features;
}

std::size_t fold_of(std::string_view product, int num_folds) {
  return std::stoull(sha256_hex("fold:" + std::string(product)).substr(0, 8), nullptr, 16) % static_cast<std::size_t>(num_folds);
}

/// The clause that an expression was most likely written from.
std::size_t source_clause(const std::vector<std::string>& clauses, std::string_view expression) {
  const HashSet wanted = bigrams(expression);
  std::size_t best = 0;
  double best_overlap = -1;
  for (std::size_t c = 0; c < clauses.size(); ++c) {
    const double o = overlap(wanted, bigrams(clauses[c]));
    if (o > best_overlap) best = c, best_overlap = o;
  }
  return best;
}

}  // namespace

void RuleExtractor::fit_parts(std::span<const ThemeRow> train, std::uint64_t seed) {
  std::vector<LinearClassifier::Item> clause_items, review_items;
  const int none = static_cast<int>(names_.size());
  const auto label_of = [&](const std::string& name) {
    return static_cast<int>(std::ranges::find(names_, name) - names_.begin());
  };
  for (const ThemeRow& row : train) {
    const auto clauses = split_clauses(row.review);
    review_items.push_back({review_features(row), row.gold.empty() ? 0 : 1});
    if (clauses.empty()) continue;
    std::vector<std::set<int>> labels(clauses.size());
    for (const Card& card : row.gold) {
      labels[source_clause(clauses, card.expression)].insert(label_of(card.name));
      clause_items.push_back({clause_features(card.expression, row), label_of(card.name)});
    }
    for (std::size_t c = 0; c < clauses.size(); ++c) {
      if (labels[c].empty()) labels[c].insert(none);
      for (const int label : labels[c]) clause_items.push_back({clause_features(clauses[c], row), label});
    }
  }
  clauses_ = LinearClassifier::fit(clause_items, none + 1, {.seed = seed});
  reviews_ = LinearClassifier::fit(review_items, 2, {.seed = seed});
  entities_ = EntityFinder::fit(train);
}

RuleExtractor::Reading RuleExtractor::read(const ThemeRow& row) const {
  Reading reading{.clauses = split_clauses(row.review), .review_score = reviews_.probabilities(review_features(row))[1]};
  std::vector<Candidate> best(names_.size());
  for (std::size_t c = 0; c < reading.clauses.size(); ++c) {
    const auto probabilities = clauses_.probabilities(clause_features(reading.clauses[c], row));
    for (std::size_t a = 0; a < names_.size(); ++a) {
      if (probabilities[a] > best[a].clause_score) best[a] = {static_cast<int>(a), probabilities[a], c};
    }
  }
  std::ranges::stable_sort(best, std::ranges::greater{}, &Candidate::clause_score);
  reading.candidates = std::move(best);
  return reading;
}

std::vector<RuleExtractor::Candidate> RuleExtractor::chosen(const Reading& reading, const Tuning& tuning) {
  std::vector<Candidate> chosen;
  const float factor = std::pow(reading.review_score, tuning.review_power);
  for (const Candidate& candidate : reading.candidates) {
    if (static_cast<int>(chosen.size()) == tuning.max_cards || candidate.clause_score * factor < tuning.threshold) break;
    chosen.push_back(candidate);
  }
  std::ranges::stable_sort(chosen, {}, &Candidate::clause);  // cards come in the review's order
  return chosen;
}

RuleExtractor RuleExtractor::fit(std::span<const ThemeRow> train, const Options& options) {
  RuleExtractor extractor;
  extractor.names_ = aspect_names(train);
  require(!extractor.names_.empty(), "rules: the training rows hold no theme");
  if (options.num_folds > 1) extractor.tune(train, options);
  extractor.fit_parts(train, options.seed);
  return extractor;
}

void RuleExtractor::tune(std::span<const ThemeRow> train, const Options& options) {
  struct Held {
    Reading reading;
    const ThemeRow* row;
    std::string entity;
  };
  std::vector<Held> held;
  for (int fold = 0; fold < options.num_folds; ++fold) {
    std::vector<ThemeRow> others;
    for (const ThemeRow& row : train) {
      if (fold_of(row.product, options.num_folds) != static_cast<std::size_t>(fold)) others.push_back(row);
    }
    RuleExtractor part;
    part.names_ = names_;
    part.fit_parts(others, options.seed);
    for (const ThemeRow& row : train) {
      if (fold_of(row.product, options.num_folds) != static_cast<std::size_t>(fold)) continue;
      held.push_back({part.read(row), &row, part.entities_.find(row.product)});
    }
  }
  for (const float review_power : {0.0f, 0.5f, 1.0f, 2.0f, 3.0f}) {
    for (const int max_cards : {1, 2, 3}) {
      for (int step = 1; step < 60; ++step) {
        Tuning tuning{.threshold = 0.01f * static_cast<float>(step), .review_power = review_power, .max_cards = max_cards};
        ClassCounts counts;
        for (const Held& item : held) {
          const auto cards = chosen(item.reading, tuning);
          counts.predicted += static_cast<std::int64_t>(cards.size());
          counts.expected += static_cast<std::int64_t>(item.row->gold.size());
          for (const Candidate& card : cards) {
            counts.hits += std::ranges::any_of(item.row->gold, [&](const Card& gold) {
              return gold.name == names_[static_cast<std::size_t>(card.aspect)] && gold.entity == item.entity;
            });
          }
        }
        tuning.f1 = counts.score().f1;
        if (tuning.f1 > tuning_.f1) tuning_ = tuning;
      }
    }
  }
}

RuleExtractor::Opinion RuleExtractor::opinion(const ThemeRow& row) const {
  const Reading reading = read(row);
  Opinion opinion{.names = {}, .entities = entities_.probabilities(row.product)};
  for (const Candidate& candidate : reading.candidates) {
    opinion.names[names_[static_cast<std::size_t>(candidate.aspect)]] = std::sqrt(candidate.clause_score * reading.review_score);
  }
  return opinion;
}

std::vector<Card> RuleExtractor::extract(const ThemeRow& row) const {
  const Reading reading = read(row);
  std::vector<Card> cards;
  const std::string entity = entities_.find(row.product);
  for (const Candidate& candidate : chosen(reading, tuning_)) {
    const auto aspect = static_cast<std::size_t>(candidate.aspect);
    const auto phrase = adnominal_phrase(reading.clauses[candidate.clause]);
    cards.push_back({.entity = entity, .expression = phrase ? *phrase : plain_expression(names_[aspect]), .name = names_[aspect]});
  }
  return cards;
}

}  // namespace onggi::eval
