#include "onggi/eval/themes.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <utility>

#include "onggi/core/error.h"

namespace onggi::eval {
namespace {

using Pair = std::pair<std::string_view, std::string_view>;

double share(std::int64_t part, std::int64_t whole, double otherwise) {
  return whole == 0 ? otherwise : static_cast<double>(part) / static_cast<double>(whole);
}

/// Where neither side has anything, they agree: 1, as in score_themes.py.
double f1_of(const ClassCounts& counts) { return share(2 * counts.hits, counts.predicted + counts.expected, 1); }

constexpr std::array<ThemeFigure, 8> kFigures = {{
    {"f1", "F1 (entity, aspect)", [](const ThemeCounts& c) { return f1_of(c.pairs); }},
    {"aspect_f1", "F1 (aspect)", [](const ThemeCounts& c) { return f1_of(c.aspects); }},
    {"precision", "precision", [](const ThemeCounts& c) { return share(c.pairs.hits, c.pairs.predicted, 0); }},
    {"recall", "recall", [](const ThemeCounts& c) { return share(c.pairs.hits, c.pairs.expected, 0); }},
    {"empty", "reviews without theme", [](const ThemeCounts& c) { return share(c.empty_right, std::max<std::int64_t>(1, c.gold_empty), 0); }},
    {"valid", "valid answers", [](const ThemeCounts& c) { return share(c.valid, c.rows, 0); }},
    {"well_formed", "well-formed cards", [](const ThemeCounts& c) { return share(c.well_formed, c.cards, 1); }},
    {"expression_chrf", "expression chrF", [](const ThemeCounts& c) { return c.expressions.score(); }},
}};

template <class Set>
void add_sets(ClassCounts& counts, const Set& gold, const Set& predicted) {
  counts.expected += static_cast<std::int64_t>(gold.size());
  counts.predicted += static_cast<std::int64_t>(predicted.size());
  counts.hits += std::ranges::count_if(predicted, [&](const auto& item) { return gold.contains(item); });
}

void add(ClassCounts& counts, const ClassCounts& other) {
  counts.hits += other.hits;
  counts.predicted += other.predicted;
  counts.expected += other.expected;
}

std::string optional_text(const datasets::Row& row, std::string_view column) {
  return row.fields.contains(column) ? datasets::text_of(row, column) : "";
}

}  // namespace

ThemeRow theme_row_without_cards(const datasets::Row& row) {
  return {.id = row.id,
          .product = datasets::text_of(row, "product"),
          .review = datasets::text_of(row, "review"),
          .category = optional_text(row, "category"),
          .rating = optional_text(row, "rating"),
          .gold = {}};
}

std::vector<ThemeRow> theme_rows(std::span<const datasets::Row> rows) {
  std::vector<ThemeRow> result;
  result.reserve(rows.size());
  for (const auto& row : rows) {
    result.push_back(theme_row_without_cards(row));
    result.back().gold = datasets::cards_of(datasets::column_of(row, "themes"), datasets::place_of(row));
  }
  return result;
}

std::vector<std::string> aspect_names(std::span<const ThemeRow> rows) {
  std::map<std::string, std::int64_t> counts;
  for (const ThemeRow& row : rows) {
    for (const Card& card : row.gold) ++counts[card.name];
  }
  std::vector<std::pair<std::string, std::int64_t>> sorted(counts.begin(), counts.end());
  std::ranges::stable_sort(sorted, std::ranges::greater{}, &std::pair<std::string, std::int64_t>::second);
  std::vector<std::string> names;
  for (auto& [name, count] : sorted) names.push_back(name);
  return names;
}

ThemePrediction make_prediction(std::string id, std::string text) {
  auto cards = datasets::parse_cards(text);
  return {std::move(id), std::move(text), std::move(cards)};
}

std::vector<ThemePrediction> read_predictions(const std::filesystem::path& path) {
  std::vector<ThemePrediction> predictions;
  for (const auto& row : datasets::read_rows(path, {.format = "jsonl", .max_line_bytes = 16 << 20})) {
    const Json& text = datasets::column_of(row, "text");
    require(text.is_string() || text.is_null(), [&] { return std::string("column \"text\": expected text or null, found ") + text.type_name(); },
            ErrorCode::kInvalidArgument, datasets::place_of(row));
    predictions.push_back(make_prediction(row.id, text.is_string() ? text.get<std::string>() : ""));
  }
  return predictions;
}

void require_same_ids(std::span<const ThemeRow> gold, std::span<const ThemePrediction> predictions, std::string_view name) {
  for (std::size_t i = 0; i < std::max(gold.size(), predictions.size()); ++i) {
    const std::string expected = i < gold.size() ? "\"" + gold[i].id + "\"" : "no more rows";
    const std::string found = i < predictions.size() ? "\"" + predictions[i].id + "\"" : "the end";
    require(i < gold.size() && i < predictions.size() && gold[i].id == predictions[i].id, [&] {
      return "predictions must have the gold's ids in the gold's order: row " + std::to_string(i + 1) + " is " + found +
             ", expected " + expected;
    }, ErrorCode::kInvalidArgument, name);
  }
}

ThemeCounts& ThemeCounts::operator+=(const ThemeCounts& other) {
  rows += other.rows;
  valid += other.valid;
  gold_empty += other.gold_empty;
  empty_right += other.empty_right;
  add(pairs, other.pairs);
  add(aspects, other.aspects);
  cards += other.cards;
  well_formed += other.well_formed;
  expressions += other.expressions;
  return *this;
}

ThemeCounts count_row(const ThemeRow& gold, const ThemePrediction& prediction, std::span<const std::string> names) {
  ThemeCounts counts{.rows = 1, .valid = prediction.cards.has_value(), .gold_empty = gold.gold.empty()};
  const std::vector<Card> none;
  const std::vector<Card>& predicted = prediction.cards ? *prediction.cards : none;
  counts.empty_right = gold.gold.empty() && prediction.cards && predicted.empty();
  std::set<Pair> gold_pairs, predicted_pairs;
  std::set<std::string_view> gold_names, predicted_names;
  for (const Card& card : gold.gold) gold_pairs.emplace(card.entity, card.name), gold_names.insert(card.name);
  for (const Card& card : predicted) {
    predicted_names.insert(card.name);
    const bool is_new = predicted_pairs.emplace(card.entity, card.name).second;
    ++counts.cards;
    counts.well_formed += card_faults(card, gold.product, names).empty();
    const auto same = std::ranges::find_if(gold.gold, [&](const Card& g) { return g.entity == card.entity && g.name == card.name; });
    if (is_new && same != gold.gold.end()) counts.expressions += chrf_counts(card.expression, {&same->expression, 1});
  }
  add_sets(counts.pairs, gold_pairs, predicted_pairs);
  add_sets(counts.aspects, gold_names, predicted_names);
  return counts;
}

std::span<const ThemeFigure> theme_figures() { return kFigures; }

}  // namespace onggi::eval
