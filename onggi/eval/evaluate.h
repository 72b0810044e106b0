#pragma once

#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "onggi/core/json.h"
#include "onggi/eval/metrics/bootstrap.h"
#include "onggi/eval/themes.h"

namespace onggi::eval {

/// A system to judge: its name in tables and one prediction a gold row, in the gold's order.
struct System {
  std::string name;
  std::vector<ThemePrediction> predictions;
};

struct EvaluateOptions {
  std::vector<std::string> names;  ///< Closed list of aspects; empty takes those of the gold rows.
  BootstrapOptions bootstrap;      ///< Over products.
};

/// Counts of one aspect: sets of (entity, name) with this name, and rows that have the name.
struct AspectScore {
  ClassCounts pairs, rows;
};

struct SystemResult {
  std::string name;
  std::vector<Interval> figures;  ///< In the order of theme_figures().
  ThemeCounts counts;
  std::map<std::string, AspectScore> by_aspect;
  std::map<std::string, ThemeCounts> by_category, by_rating;
  std::map<std::string, std::int64_t> faults;  ///< Code of card_faults to cards that have it.
  /// (gold name, predicted name) to count. Names that a row has on both sides are on the diagonal; of the others the
  /// i-th gold one meets the i-th predicted one, and "" stands for none.
  std::map<std::pair<std::string, std::string>, std::int64_t> confusion;
};

/// A row beside what the first system answered.
struct ThemeExample {
  ThemeRow row;
  ThemePrediction prediction;
  double f1 = 0;               ///< Of the row's pairs; 1 where both sides are empty.
  std::int64_t mistakes = 0;   ///< Pairs missed and pairs too many; an invalid answer counts one more.
};

struct EvalResult {
  std::int64_t rows = 0, products = 0, gold_cards = 0;
  std::vector<SystemResult> systems;          ///< As given; the first is the one under test.
  std::vector<PairedDifference> differences;  ///< F1 of the first minus each other system, from systems[1] on.
  std::vector<ThemeExample> examples;         ///< All rows, worst first.

  /// Everything but the examples.
  Json to_json() const;
  /// A table for the terminal: a system a line, figures with intervals.
  std::string to_text() const;
};

/// Judges systems on the same rows. Throws kInvalidArgument where predictions do not match the rows, or there are none.
EvalResult evaluate_themes(std::span<const ThemeRow> gold, std::span<const System> systems, const EvaluateOptions& options = {});

/// Value of a figure by its id (see theme_figures). Throws kNotFound.
const Interval& figure_of(const SystemResult& system, std::string_view id);

}  // namespace onggi::eval
