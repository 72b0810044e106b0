#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "onggi/eval/rules/entity_finder.h"
#include "onggi/eval/rules/linear.h"
#include "onggi/eval/themes.h"

namespace onggi::tasks {

/// A row cut up and counted once, for all the classifiers that learn from it or read it.
struct PreparedRow {
  const eval::ThemeRow* row = nullptr;
  std::vector<std::string> clauses;
  std::vector<eval::Features> clause_features;
  std::vector<eval::Features> theme_features;         ///< Of each given theme's expression, without the review.
  std::vector<eval::Features> theme_clause_features;  ///< The same as if it were a clause.
  std::vector<std::size_t> sources;                   ///< The clause that each theme was most likely written from.
  std::vector<double> source_shares;                  ///< How much of the expression stands there.
  eval::Features review_features;
};

/// How rare pairs and triples of characters are among texts: what two texts share counts the more the rarer it is.
/// Immutable.
class GramWeights {
 public:
  explicit GramWeights(std::span<const std::string> texts);
  /// Share of `text`, by weight, that `other` has as well; 0 where either is empty.
  double shared(const std::string& text, const std::string& other) const;

 private:
  double weight(std::uint64_t gram) const;
  std::unordered_map<std::uint64_t, int> counts_;
  double num_texts_ = 0;
};

/// `row` must outlive the result.
PreparedRow prepare_row(const eval::ThemeRow& row, const GramWeights& weights);

/// What classifiers that never saw a row's group make of it.
struct Reading {
  std::vector<std::vector<float>>
      clauses;        ///< Of each clause: probability of each name; what is missing to 1 is "none".
  double review = 0;  ///< Probability that the review has a theme.
  std::vector<std::vector<float>> themes;  ///< Of each given theme: probability of each name for its expression.
  std::map<std::string, double, std::less<>> entities;
};

/// Four small classifiers over character n-grams: the aspect of a clause, or none; the aspect of an expression; whether
/// a review has a theme; the noun in a product's name. Immutable once fitted.
class DoubtReader {
 public:
  static DoubtReader fit(std::span<const PreparedRow* const> rows, std::span<const std::string> names,
                         std::uint64_t seed);
  Reading read(const PreparedRow& row) const;

 private:
  eval::LinearClassifier clauses_, expressions_, reviews_;
  eval::EntityFinder entities_;
  std::size_t num_names_ = 0;
};

}  // namespace onggi::tasks
