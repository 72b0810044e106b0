#include "onggi/eval/report/report.h"

#include <algorithm>
#include <set>

#include "onggi/core/error.h"
#include "onggi/core/files.h"
#include "onggi/eval/report/html.h"

namespace onggi::eval {
namespace {

constexpr std::size_t kHeatMapNames = 20;  // the most frequent aspects fit a screen

std::string facts_html(const std::vector<std::pair<std::string, std::string>>& facts) {
  std::string html;
  for (const auto& [name, value] : facts) html += "<span>" + escape_html(name) + " <b>" + escape_html(value) + "</b></span>\n";
  return "<div class=\"facts\">\n" + html + "</div>\n";
}

std::string headline(const EvalResult& result) {
  std::string tiles;
  for (const char* id : {"f1", "aspect_f1", "empty", "valid", "well_formed", "expression_chrf"}) {
    const auto figure = std::ranges::find(theme_figures(), id, &ThemeFigure::id);
    const Interval& value = figure_of(result.systems[0], id);
    const int digits = std::string_view(id) == "expression_chrf" ? 1 : 3;
    tiles += "<div class=\"tile\"><span class=\"soft\">" + escape_html(figure->title) + "</span><b>" +
             number_text(value.value, digits) + "</b><span class=\"soft\">" + number_text(value.low, digits) + " to " +
             number_text(value.high, digits) + "</span></div>\n";
  }
  return "<div class=\"tiles\">\n" + tiles + "</div>\n";
}

std::string comparison(const EvalResult& result) {
  std::string html;
  for (const char* id : {"f1", "aspect_f1", "empty"}) {
    std::vector<Bar> bars;
    double limit = 0;
    for (std::size_t s = 0; s < result.systems.size(); ++s) {
      bars.push_back({result.systems[s].name, figure_of(result.systems[s], id), s == 0});
      limit = std::max(limit, bars.back().value.high);
    }
    const auto figure = std::ranges::find(theme_figures(), id, &ThemeFigure::id);
    html += "<h3>" + escape_html(figure->title) + "</h3>\n" + bar_chart(bars, std::max(limit * 1.02, 0.01));
  }
  std::vector<std::vector<std::string>> rows;
  for (std::size_t d = 0; d < result.differences.size(); ++d) {
    const PairedDifference& paired = result.differences[d];
    rows.push_back({result.systems[0].name + " minus " + result.systems[d + 1].name, number_text(paired.difference.value),
                    number_text(paired.difference.low) + " to " + number_text(paired.difference.high),
                    number_text(100 * paired.share_not_above, 1) + " %"});
  }
  const std::string heads[] = {"paired on the same resamples", "F1 difference", "95 % interval", "resamples at 0 or below"};
  return html + html_table(heads, rows);
}

std::string curves_html(const Curves& curves) {
  const Series series[] = {{"training loss", curves.loss}, {"evaluation loss", curves.eval_loss}};
  return line_chart(series, "step");
}

std::string confusion_html(const SystemResult& system) {
  std::vector<std::pair<std::int64_t, std::string>> frequent;
  for (const auto& [name, score] : system.by_aspect) frequent.emplace_back(-score.rows.expected, name);
  std::ranges::sort(frequent);
  HeatMap map{.row_title = "Rows: gold aspect", .column_title = "columns: predicted aspect. \"none\": missed, or too many; "
                                                                "\"other\": all aspects that are not shown"};
  for (std::size_t i = 0; i < std::min(kHeatMapNames, frequent.size()); ++i) map.rows.push_back(frequent[i].second);
  if (map.rows.empty()) return "";
  if (frequent.size() > kHeatMapNames) map.rows.push_back("other");
  map.rows.push_back("none");
  map.columns = map.rows;
  map.counts.resize(map.rows.size() * map.columns.size());
  const auto index_of = [&](const std::string& name) {
    const auto found = std::ranges::find(map.rows, name.empty() ? "none" : name);
    return static_cast<std::size_t>((found == map.rows.end() ? map.rows.end() - 2 : found) - map.rows.begin());
  };
  for (const auto& [names, count] : system.confusion) {
    map.counts[index_of(names.first) * map.columns.size() + index_of(names.second)] += count;
  }
  return heat_map(map);
}

std::string aspect_table(const SystemResult& system) {
  std::vector<std::pair<std::string, AspectScore>> aspects(system.by_aspect.begin(), system.by_aspect.end());
  std::ranges::stable_sort(aspects, [](const auto& a, const auto& b) { return a.second.rows.expected > b.second.rows.expected; });
  std::vector<std::vector<std::string>> rows;
  for (const auto& [name, score] : aspects) {
    const PrecisionRecall pairs = score.pairs.score(), names = score.rows.score();
    rows.push_back({name, std::to_string(score.rows.expected), std::to_string(score.rows.predicted), number_text(names.precision, 2),
                    number_text(names.recall, 2), number_text(names.f1, 2), number_text(pairs.f1, 2)});
  }
  const std::string heads[] = {"aspect", "gold", "predicted", "precision", "recall", "aspect F1", "F1"};
  return html_table(heads, rows);
}

std::string slice_table(std::string_view title, const std::map<std::string, ThemeCounts>& slices) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& [value, counts] : slices) {
    std::vector<std::string> row = {value, std::to_string(counts.rows)};
    for (const char* id : {"f1", "aspect_f1", "precision", "recall"}) {
      row.push_back(number_text(std::ranges::find(theme_figures(), id, &ThemeFigure::id)->value(counts), 2));
    }
    row.push_back(counts.gold_empty == 0 ? "-" : std::to_string(counts.empty_right) + " of " + std::to_string(counts.gold_empty));
    rows.push_back(std::move(row));
  }
  const std::string heads[] = {std::string(title), "rows", "F1", "aspect F1", "precision", "recall", "empty right"};
  return html_table(heads, rows);
}

std::string chip(const Card& card, std::string_view kind) {
  return "<span class=\"chip " + std::string(kind) + "\">" + escape_html(card.expression) + " <b>&lsquo;" +
         escape_html(card.entity) + "&rsquo;</b><small>" + escape_html(card.name) + "</small></span>\n";
}

bool has_pair(const std::vector<Card>& cards, const Card& card) {
  return std::ranges::any_of(cards, [&](const Card& c) { return c.entity == card.entity && c.name == card.name; });
}

std::string example_html(const ThemeExample& example) {
  const std::vector<Card> none;
  const auto& predicted = example.prediction.cards ? *example.prediction.cards : none;
  std::string gold, answer;
  for (const Card& card : example.row.gold) gold += chip(card, has_pair(predicted, card) ? "hit" : "miss");
  for (const Card& card : predicted) answer += chip(card, has_pair(example.row.gold, card) ? "hit" : "extra");
  if (!example.prediction.cards) answer = "<span class=\"chip extra\">not a valid answer</span><code>" + escape_html(example.prediction.text.substr(0, 400)) + "</code>";
  const std::string nothing = "<span class=\"chip\">[ ]</span>";
  return "<article class=\"example\"><div class=\"head\"><b>" + escape_html(example.row.product) + "</b><span>" +
         escape_html(example.row.category) + "</span>" +
         (example.row.rating.empty() ? "" : "<span>" + escape_html(example.row.rating) + " / 5</span>") + "<span>" +
         escape_html(example.row.id) + "</span></div><p>" + escape_html(example.row.review) +
         "</p><div class=\"sides\"><div><h4>gold</h4>" + (gold.empty() ? nothing : gold) + "</div><div><h4>prediction</h4>" +
         (answer.empty() ? nothing : answer) + "</div></div></article>\n";
}

std::string examples_html(const EvalResult& result, int max_examples) {
  constexpr std::size_t kOpen = 12;
  std::string html;
  const std::size_t count = std::min(result.examples.size(), static_cast<std::size_t>(std::max(max_examples, 0)));
  for (std::size_t i = 0; i < count; ++i) {
    if (i == kOpen) html += "<details><summary>" + std::to_string(count - kOpen) + " more</summary>\n";
    html += example_html(result.examples[i]);
  }
  return html + (count > kOpen ? "</details>\n" : "");
}

std::string products_html(std::span<const CardRow> rows, std::size_t max_products) {
  struct Product {
    std::string name, category;
    std::int64_t reviews = 0;
    std::vector<std::pair<std::string, std::vector<Card>>> aspects;
  };
  std::vector<Product> products;
  for (const CardRow& row : rows) {
    auto product = std::ranges::find(products, row.product, &Product::name);
    if (product == products.end()) {
      products.push_back({row.product, row.category});
      product = products.end() - 1;
    }
    ++product->reviews;
    for (const Card& card : row.cards) {
      auto aspect = std::ranges::find(product->aspects, card.name, &std::pair<std::string, std::vector<Card>>::first);
      if (aspect == product->aspects.end()) {
        product->aspects.push_back({card.name, {}});
        aspect = product->aspects.end() - 1;
      }
      if (std::ranges::find(aspect->second, card) == aspect->second.end()) aspect->second.push_back(card);
    }
  }
  std::ranges::stable_sort(products, std::ranges::greater{}, &Product::reviews);
  std::string html;
  for (std::size_t p = 0; p < std::min(products.size(), max_products); ++p) {
    const Product& product = products[p];
    html += "<article class=\"product\"><h3>" + escape_html(product.name) + "</h3><p class=\"soft\">" +
            escape_html(product.category) + (product.category.empty() ? "" : ", ") + std::to_string(product.reviews) +
            (product.reviews == 1 ? " review" : " reviews") + "</p>\n";
    for (const auto& [name, cards] : product.aspects) {
      html += "<div class=\"aspect\">" + escape_html(name) + "</div>\n";
      for (const Card& card : cards) {
        html += "<div class=\"card\">" + escape_html(card.expression) + " <b>&lsquo;" + escape_html(card.entity) + "&rsquo;</b></div>\n";
      }
    }
    html += "</article>\n";
  }
  return html.empty() ? "" : "<div class=\"products\">\n" + html + "</div>\n";
}

}  // namespace

Curves read_curves(const std::filesystem::path& path) {
  const std::string text = read_file(path);
  Curves curves;
  std::string_view rest = text;
  for (std::int64_t line = 1; !rest.empty(); ++line) {
    const std::size_t end = rest.find('\n');
    if (end == std::string_view::npos && !Json::accept(rest)) break;  // being written
    const std::string_view record = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    if (record.find_first_not_of(" \r\t") == std::string_view::npos) continue;
    const Json entry = parse_json(record, path.string() + ":" + std::to_string(line));
    if (!entry.is_object() || !entry.contains("step") || !entry["step"].is_number()) continue;
    const double step = entry["step"].get<double>();
    for (const auto& [key, curve] : {std::pair{"loss", &curves.loss}, std::pair{"eval_loss", &curves.eval_loss}}) {
      if (entry.contains(key) && entry[key].is_number()) curve->emplace_back(step, entry[key].get<double>());
    }
  }
  return curves;
}

std::vector<CardRow> card_rows(std::span<const ThemeRow> rows, std::span<const ThemePrediction> predictions) {
  require_same_ids(rows, predictions, "cards");
  std::vector<CardRow> result;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (!predictions[i].cards || predictions[i].cards->empty()) continue;
    result.push_back({rows[i].product, rows[i].category, *predictions[i].cards});
  }
  return result;
}

std::string report_html(const EvalResult& result, const Curves& curves, const ReportOptions& options) {
  require(!result.systems.empty(), "report: no system was judged");
  const SystemResult& system = result.systems[0];
  std::vector<std::pair<std::string, std::string>> facts = {{"system", system.name}, {"rows", std::to_string(result.rows)},
      {"products", std::to_string(result.products)}, {"gold cards", std::to_string(result.gold_cards)}};
  std::ranges::copy_if(options.facts, std::back_inserter(facts), [&](const auto& fact) {
    return std::ranges::none_of(facts, [&](const auto& known) { return known.first == fact.first; });
  });
  std::vector<CardRow> cards;
  for (const ThemeExample& example : result.examples) {
    if (example.prediction.cards && !example.prediction.cards->empty()) {
      cards.push_back({example.row.product, example.row.category, *example.prediction.cards});
    }
  }
  const std::string slices = slice_table("category", system.by_category) + slice_table("rating", system.by_rating);
  const auto max_products = static_cast<std::size_t>(std::max(options.max_card_products, 0));
  return html_page(
      options.title,
      "<header><h1>" + escape_html(options.title) + "</h1>\n" + facts_html(facts) + headline(result) +
          "<p class=\"soft\">Small print: 95 % intervals, bootstrap over products.</p></header>\n" +
          html_section("Beside the baselines", "", comparison(result)) +
          html_section("Loss", "Nats a supervised token.", curves_html(curves)) +
          html_section("Which aspects are taken for which", "", confusion_html(system)) +
          html_section("By aspect", "", aspect_table(system)) + html_section("By category and rating", "", slices) +
          html_section("Examples, worst first", "Green: in both. Yellow: missed. Red: not in the gold.",
                       examples_html(result, options.max_examples)) +
          html_section("Theme cards", "What a shop would print, by product and aspect.", products_html(cards, max_products)));
}

void write_report(const std::filesystem::path& path, const EvalResult& result, const Curves& curves, const ReportOptions& options) {
  write_file_atomic(path, report_html(result, curves, options));
}

std::string cards_html(std::span<const CardRow> rows, std::string_view title) {
  std::size_t num_cards = 0;
  for (const CardRow& row : rows) num_cards += row.cards.size();
  return html_page(title, "<header><h1>" + escape_html(title) + "</h1><p class=\"soft\">" + std::to_string(num_cards) +
                              " cards from " + std::to_string(rows.size()) + " reviews</p></header>\n" +
                              products_html(rows, rows.size()));
}

void write_cards(const std::filesystem::path& path, std::span<const CardRow> rows, std::string_view title) {
  write_file_atomic(path, cards_html(rows, title));
}

}  // namespace onggi::eval
