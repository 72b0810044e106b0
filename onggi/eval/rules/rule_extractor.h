#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "onggi/eval/rules/entity_finder.h"
#include "onggi/eval/rules/linear.h"
#include "onggi/eval/themes.h"

namespace onggi::eval {

/// Cards without a language model, as good as rules and counts get them from training products alone: a baseline, and a
/// second reader beside a model. The entity from the product's name, an aspect for each clause from weighted character
/// n-grams (clauses of training reviews that a gold expression came from, and the rest as "none"), a judge of the whole
/// review against complaints, thresholds by cross-validation over products, and an expression made from the clause by a
/// table of endings. Sees product, review and, where the data has them, category and rating, as the model does.
/// Immutable once fitted.
class RuleExtractor {
 public:
  struct Options {
    int num_folds = 5;  ///< 0 = no cross-validation: `extract` keeps the default tuning, `opinion` needs none.
    std::uint64_t seed = 0;
  };
  /// What cross-validation chose.
  struct Tuning {
    float threshold = 0.1f;    ///< A card needs this much score.
    float review_power = 1;    ///< Score = clause probability * (probability that the review has a theme)^this.
    int max_cards = 3;
    double f1 = 0;             ///< On (entity, name), cross-validated.
  };

  /// What the extractor believes about a row, to be joined with what another reader believes.
  struct Opinion {
    /// The geometric mean of the best clause's probability of the name and the probability that the review has a theme.
    std::map<std::string, double, std::less<>> names;
    std::map<std::string, double, std::less<>> entities;  ///< Probabilities.
  };

  /// Throws kInvalidArgument where the rows have no theme at all.
  static RuleExtractor fit(std::span<const ThemeRow> train, const Options& options);
  /// From all of the row but its gold cards.
  std::vector<Card> extract(const ThemeRow& row) const;
  /// From all of the row but its gold cards.
  Opinion opinion(const ThemeRow& row) const;
  const Tuning& tuning() const { return tuning_; }

 private:
  /// The best clause for one aspect.
  struct Candidate {
    int aspect = 0;
    float clause_score = 0;
    std::size_t clause = 0;
  };
  struct Reading {
    std::vector<std::string> clauses;
    float review_score = 0;
    std::vector<Candidate> candidates;  ///< Highest score first.
  };
  void tune(std::span<const ThemeRow> train, const Options& options);
  void fit_parts(std::span<const ThemeRow> train, std::uint64_t seed);
  Reading read(const ThemeRow& row) const;
  static std::vector<Candidate> chosen(const Reading& reading, const Tuning& tuning);

  std::vector<std::string> names_;
  EntityFinder entities_;
  LinearClassifier clauses_, reviews_;
  Tuning tuning_;
};

}  // namespace onggi::eval
