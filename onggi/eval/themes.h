#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "onggi/datasets/answers.h"
#include "onggi/datasets/rows.h"
#include "onggi/eval/metrics/classification.h"
#include "onggi/eval/metrics/overlap.h"

namespace onggi::eval {

using datasets::Card;

/// A review with its gold cards.
struct ThemeRow {
  std::string id, product, review;
  std::string category, rating;  ///< Empty where the data has none.
  std::vector<Card> gold;
};

/// Columns id, product, review and themes are needed; category and rating are used if there. Throws kInvalidArgument
/// with the row's place.
std::vector<ThemeRow> theme_rows(std::span<const datasets::Row> rows);

/// The same of one row whose cards are not known or not to be seen.
ThemeRow theme_row_without_cards(const datasets::Row& row);

/// Names of the gold cards, most frequent first (the first in byte order on ties).
std::vector<std::string> aspect_names(std::span<const ThemeRow> rows);

/// What a system answered for a row.
struct ThemePrediction {
  std::string id, text;
  std::optional<std::vector<Card>> cards;  ///< Nothing where the text is not a valid answer.
};

ThemePrediction make_prediction(std::string id, std::string text);

/// A JSON Lines file of {"id", "text"}, other members ignored; a row without text (marked as failed) is an invalid
/// answer. Throws as `datasets::read_rows`.
std::vector<ThemePrediction> read_predictions(const std::filesystem::path& path);

/// Throws kInvalidArgument unless the predictions have the gold's ids in the gold's order, naming the first that differs.
void require_same_ids(std::span<const ThemeRow> gold, std::span<const ThemePrediction> predictions, std::string_view name);

/// Everything counted over some rows; sums over rows are the counts of the set, so a bootstrap adds them up.
struct ThemeCounts {
  std::int64_t rows = 0, valid = 0;
  std::int64_t gold_empty = 0, empty_right = 0;  ///< Rows without gold theme, and those of them answered with [].
  ClassCounts pairs;                             ///< Sets of (entity, name) a row.
  ClassCounts aspects;                           ///< Sets of names a row.
  std::int64_t cards = 0, well_formed = 0;
  ChrfCounts expressions;                        ///< Of pairs that are in gold and prediction.

  ThemeCounts& operator+=(const ThemeCounts& other);
};

/// `names` is the closed list of aspects; empty does not check them.
ThemeCounts count_row(const ThemeRow& gold, const ThemePrediction& prediction, std::span<const std::string> names);

/// A figure of a set of rows. Shares and F1 are 0 to 1, chrF 0 to 100.
struct ThemeFigure {
  std::string_view id, title;
  double (*value)(const ThemeCounts& counts);
};

/// f1, aspect_f1, precision, recall, empty, valid, well_formed, expression_chrf. The first two, `empty` and `valid` equal
/// score_themes.py.
std::span<const ThemeFigure> theme_figures();

/// What is wrong with a card, as codes: ending (not adnominal), length (not 5 to 30 characters), words (fewer than two),
/// characters, aspect (not in `names`), entity (not a noun of the product's name). Empty if well formed.
std::vector<std::string> card_faults(const Card& card, std::string_view product, std::span<const std::string> names);

}  // namespace onggi::eval
