#include "onggi/eval/evaluate.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <set>

#include "onggi/core/error.h"
#include "onggi/datasets/characters.h"

namespace onggi::eval {
namespace {

/// Rows of each product, products in order of appearance.
std::vector<std::vector<std::size_t>> rows_by_product(std::span<const ThemeRow> gold) {
  std::vector<std::vector<std::size_t>> groups;
  std::map<std::string_view, std::size_t> index;
  for (std::size_t i = 0; i < gold.size(); ++i) {
    const auto [entry, is_new] = index.try_emplace(gold[i].product, groups.size());
    if (is_new) groups.emplace_back();
    groups[entry->second].push_back(i);
  }
  return groups;
}

/// Distinct names in order of appearance.
std::vector<std::string> names_of(const std::vector<Card>& cards) {
  std::vector<std::string> names;
  for (const Card& card : cards) {
    if (std::ranges::find(names, card.name) == names.end()) names.push_back(card.name);
  }
  return names;
}

void count_confusion(const std::vector<std::string>& gold, const std::vector<std::string>& predicted, SystemResult& result) {
  std::vector<std::string> missed, extra;
  for (const auto& name : gold) {
    if (std::ranges::find(predicted, name) == predicted.end()) {
      missed.push_back(name);
    } else {
      ++result.confusion[{name, name}];
    }
  }
  std::ranges::copy_if(predicted, std::back_inserter(extra),
                       [&](const std::string& name) { return std::ranges::find(gold, name) == gold.end(); });
  for (std::size_t i = 0; i < std::max(missed.size(), extra.size()); ++i) {
    ++result.confusion[{i < missed.size() ? missed[i] : "", i < extra.size() ? extra[i] : ""}];
  }
}

void count_aspects(const std::vector<Card>& gold, const std::vector<Card>& predicted, SystemResult& result) {
  const auto pairs_of = [](const std::vector<Card>& cards) {
    std::set<std::pair<std::string, std::string>> pairs;
    for (const Card& card : cards) pairs.emplace(card.name, card.entity);
    return pairs;
  };
  const auto gold_pairs = pairs_of(gold), predicted_pairs = pairs_of(predicted);
  for (const auto& pair : gold_pairs) ++result.by_aspect[pair.first].pairs.expected;
  for (const auto& pair : predicted_pairs) {
    ++result.by_aspect[pair.first].pairs.predicted;
    result.by_aspect[pair.first].pairs.hits += gold_pairs.contains(pair);
  }
  const auto gold_names = names_of(gold), predicted_names = names_of(predicted);
  for (const auto& name : gold_names) ++result.by_aspect[name].rows.expected;
  for (const auto& name : predicted_names) {
    ++result.by_aspect[name].rows.predicted;
    result.by_aspect[name].rows.hits += std::ranges::find(gold_names, name) != gold_names.end();
  }
  count_confusion(gold_names, predicted_names, result);
}

/// Counts of every row, and everything of the result that needs no resampling.
std::vector<ThemeCounts> judge(std::span<const ThemeRow> gold, const System& system, std::span<const std::string> names,
                               SystemResult& result) {
  std::vector<ThemeCounts> counts;
  const std::vector<Card> none;
  for (std::size_t i = 0; i < gold.size(); ++i) {
    const ThemePrediction& prediction = system.predictions[i];
    const auto& predicted = prediction.cards ? *prediction.cards : none;
    counts.push_back(count_row(gold[i], prediction, names));
    result.counts += counts.back();
    if (!gold[i].category.empty()) result.by_category[gold[i].category] += counts.back();
    if (!gold[i].rating.empty()) result.by_rating[gold[i].rating] += counts.back();
    count_aspects(gold[i].gold, predicted, result);
    for (const Card& card : predicted) {
      for (const auto& fault : card_faults(card, gold[i].product, names)) ++result.faults[fault];
    }
  }
  return counts;
}

std::vector<ThemeCounts> sum_by_group(std::span<const ThemeCounts> rows, const std::vector<std::vector<std::size_t>>& groups) {
  std::vector<ThemeCounts> sums(groups.size());
  for (std::size_t g = 0; g < groups.size(); ++g) {
    for (const std::size_t row : groups[g]) sums[g] += rows[row];
  }
  return sums;
}

ThemeCounts total(std::span<const ThemeCounts> sums, std::span<const std::uint32_t> groups) {
  ThemeCounts all;
  for (const auto group : groups) all += sums[group];
  return all;
}

std::vector<ThemeExample> worst_first(std::span<const ThemeRow> gold, const System& system, std::span<const ThemeCounts> counts) {
  std::vector<ThemeExample> examples;
  for (std::size_t i = 0; i < gold.size(); ++i) {
    const ClassCounts& pairs = counts[i].pairs;
    const std::int64_t in_all = pairs.expected + pairs.predicted;
    examples.push_back({.row = gold[i],
                        .prediction = system.predictions[i],
                        .f1 = in_all == 0 ? 1.0 : 2.0 * static_cast<double>(pairs.hits) / static_cast<double>(in_all),
                        .mistakes = in_all - 2 * pairs.hits + (counts[i].valid == 0)});
  }
  std::ranges::stable_sort(examples, [](const ThemeExample& a, const ThemeExample& b) {
    return a.mistakes != b.mistakes ? a.mistakes > b.mistakes : a.f1 < b.f1;
  });
  return examples;
}

Json counts_json(const ThemeCounts& counts) {
  Json json = {{"rows", counts.rows}, {"gold_empty", counts.gold_empty}};
  for (const ThemeFigure& figure : theme_figures()) json[figure.id] = figure.value(counts);
  return json;
}

Json class_json(const ClassCounts& counts) {
  const PrecisionRecall score = counts.score();
  return {{"gold", counts.expected}, {"predicted", counts.predicted}, {"hits", counts.hits},
          {"precision", score.precision}, {"recall", score.recall}, {"f1", score.f1}};
}

Json interval_json(const Interval& interval) { return {{"value", interval.value}, {"low", interval.low}, {"high", interval.high}}; }

Json system_json(const SystemResult& system) {
  Json json = {{"name", system.name}};
  for (std::size_t f = 0; f < theme_figures().size(); ++f) json["figures"][theme_figures()[f].id] = interval_json(system.figures[f]);
  json["by_aspect"] = Json::object();
  for (const auto& [name, score] : system.by_aspect) {
    json["by_aspect"][name] = {{"pairs", class_json(score.pairs)}, {"rows", class_json(score.rows)}};
  }
  for (const auto& [key, slices] : {std::pair{"by_category", &system.by_category}, std::pair{"by_rating", &system.by_rating}}) {
    json[key] = Json::object();
    for (const auto& [value, counts] : *slices) json[key][value] = counts_json(counts);
  }
  json["card_faults"] = Json(system.faults);
  json["confusion"] = Json::array();
  for (const auto& [names, count] : system.confusion) {
    json["confusion"].push_back({{"gold", names.first}, {"predicted", names.second}, {"rows", count}});
  }
  return json;
}

/// Columns that a terminal gives to a text: Hangul takes two.
std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  for (const char32_t c : datasets::to_code_points(text)) width += datasets::is_hangul(c) ? 2 : 1;
  return width;
}

std::string padded(std::string text, std::size_t width) {
  const std::size_t now = display_width(text);
  return text + std::string(now < width ? width - now : 1, ' ');
}

std::string with_interval(const Interval& interval) {
  char text[64];
  std::snprintf(text, sizeof text, "%.3f (%.3f to %.3f)", interval.value, interval.low, interval.high);
  return text;
}

std::string short_number(double value, std::string_view figure) {
  char text[32];
  std::snprintf(text, sizeof text, figure == "expression_chrf" ? "%.1f" : "%.3f", value);
  return text;
}

}  // namespace

EvalResult evaluate_themes(std::span<const ThemeRow> gold, std::span<const System> systems, const EvaluateOptions& options) {
  require(!gold.empty() && !systems.empty(), "evaluation needs at least one row and one system");
  const auto names = options.names.empty() ? aspect_names(gold) : options.names;
  const auto groups = rows_by_product(gold);
  EvalResult result{.rows = static_cast<std::int64_t>(gold.size()), .products = static_cast<std::int64_t>(groups.size())};
  for (const ThemeRow& row : gold) result.gold_cards += static_cast<std::int64_t>(row.gold.size());
  std::vector<std::vector<ThemeCounts>> sums;
  for (const System& system : systems) {
    require_same_ids(gold, system.predictions, system.name);
    SystemResult judged{.name = system.name};
    const auto counts = judge(gold, system, names, judged);
    sums.push_back(sum_by_group(counts, groups));
    judged.figures = bootstrap(groups.size(), [&](std::span<const std::uint32_t> picks) {
      const ThemeCounts all = total(sums.back(), picks);
      std::vector<double> values;
      for (const ThemeFigure& figure : theme_figures()) values.push_back(figure.value(all));
      return values;
    }, options.bootstrap);
    if (result.systems.empty()) result.examples = worst_first(gold, system, counts);
    result.systems.push_back(std::move(judged));
  }
  const auto f1 = theme_figures()[0].value;
  for (std::size_t s = 1; s < systems.size(); ++s) {
    result.differences.push_back(paired_bootstrap(groups.size(), [&](std::span<const std::uint32_t> picks) {
      return f1(total(sums[0], picks)) - f1(total(sums[s], picks));
    }, options.bootstrap));
  }
  return result;
}

const Interval& figure_of(const SystemResult& system, std::string_view id) {
  const auto figures = theme_figures();
  const auto found = std::ranges::find(figures, id, &ThemeFigure::id);
  require(found != figures.end(), [&] { return "no figure \"" + std::string(id) + "\""; }, ErrorCode::kNotFound);
  return system.figures[static_cast<std::size_t>(found - figures.begin())];
}

Json EvalResult::to_json() const {
  Json json = {{"rows", rows}, {"products", products}, {"gold_cards", gold_cards}};
  json["systems"] = Json::array();
  for (const auto& system : systems) json["systems"].push_back(system_json(system));
  json["f1_differences"] = Json::array();
  for (std::size_t d = 0; d < differences.size(); ++d) {
    Json difference = {{"first", systems[0].name}, {"second", systems[d + 1].name}};
    difference["difference"] = interval_json(differences[d].difference);
    difference["share_not_above"] = differences[d].share_not_above;
    json["f1_differences"].push_back(difference);
  }
  return json;
}

std::string EvalResult::to_text() const {
  constexpr std::size_t kIntervalWidth = 25, kNumberWidth = 11, kWithInterval = 2;
  constexpr std::array kHeads = {"F1", "aspect F1", "precision", "recall", "empty", "valid", "formed", "expr. chrF"};
  std::size_t name_width = 8;
  for (const auto& system : systems) name_width = std::max(name_width, display_width(system.name) + 2);
  const auto width_of = [](std::size_t f) { return f < kWithInterval ? kIntervalWidth : kNumberWidth; };
  std::string text = padded("", name_width);
  for (std::size_t f = 0; f < kHeads.size(); ++f) text += padded(kHeads[f], width_of(f));
  text += "\n";
  for (const auto& system : systems) {
    text += padded(system.name, name_width);
    for (std::size_t f = 0; f < kHeads.size(); ++f) {
      const Interval& figure = system.figures[f];
      text += padded(f < kWithInterval ? with_interval(figure) : short_number(figure.value, theme_figures()[f].id), width_of(f));
    }
    text += "\n";
  }
  text += std::to_string(rows) + " rows, " + std::to_string(products) + " products, " + std::to_string(gold_cards) +
          " gold cards; in brackets 95 % intervals, bootstrap over products\n";
  for (std::size_t d = 0; d < differences.size(); ++d) {
    text += "F1 of " + systems[0].name + " minus " + systems[d + 1].name + ": " + with_interval(differences[d].difference) + "\n";
  }
  return text;
}

}  // namespace onggi::eval
