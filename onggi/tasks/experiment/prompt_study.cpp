#include "onggi/tasks/experiment/prompt_study.h"

#include <algorithm>
#include <functional>

#include "onggi/core/error.h"
#include "onggi/datasets/characters.h"
#include "onggi/eval/report/html.h"

namespace onggi::tasks {
namespace {

using eval::number_text;

constexpr std::string_view kCostNote = "Cost: generation alone, at the price of the machine that is stated above.";

std::string interval_text(const eval::Interval& value) {
  return number_text(value.value) + " (" + number_text(value.low) + " to " + number_text(value.high) + ")";
}

/// The table's columns, for the terminal and the page.
const std::vector<std::string>& heads() {
  static const std::vector<std::string> kHeads = {"prompt", "eval loss",      "F1",     "aspect F1",
                                                  "valid",  "prompt tokens",  "shared", "training tokens/s",
                                                  "rows/s", "cost per M rows"};
  return kHeads;
}

std::vector<std::vector<std::string>> table_rows(const PromptStudy& study) {
  std::vector<std::vector<std::string>> rows;
  for (std::size_t i = 0; i < study.prompts.size(); ++i) {
    const PromptFigures& p = study.prompts[i];
    const eval::SystemResult& system = study.judged.systems[i];
    rows.push_back(
        {p.name, number_text(p.eval_loss, 4), interval_text(eval::figure_of(system, "f1")),
         number_text(eval::figure_of(system, "aspect_f1").value), number_text(eval::figure_of(system, "valid").value),
         number_text(p.prompt_tokens, 1), std::to_string(p.prefix_tokens), number_text(p.training_tokens_per_s, 0),
         number_text(p.rows_per_s, 2), number_text(cost_per_million_rows(p.rows_per_s, study.price_per_hour), 2)});
  }
  return rows;
}

/// Columns that a terminal gives to a text: Hangul takes two.
std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  for (const char32_t c : datasets::to_code_points(text)) width += datasets::is_hangul(c) ? 2 : 1;
  return width;
}

std::string bars(const PromptStudy& study, std::string_view title, int digits,
                 const std::function<eval::Interval(std::size_t)>& value_of) {
  std::vector<eval::Bar> bars;
  double limit = 0.0;
  for (std::size_t i = 0; i < study.prompts.size(); ++i) {
    bars.push_back({.label = study.prompts[i].name, .value = value_of(i), .is_main = true, .digits = digits});
    limit = std::max({limit, bars.back().value.value, bars.back().value.high});
  }
  return "<h3>" + eval::escape_html(title) + "</h3>\n" + eval::bar_chart(bars, std::max(limit * 1.02, 1e-6));
}

std::string all_bars(const PromptStudy& study) {
  const auto judged = [&](const char* id) {
    return [&study, id](std::size_t i) { return eval::figure_of(study.judged.systems[i], id); };
  };
  const auto measured = [&](auto figure) {
    return [&study, figure](std::size_t i) {
      return eval::Interval{.value = static_cast<double>(study.prompts[i].*figure)};
    };
  };
  return bars(study, "Evaluation loss (nats a scored answer token; lower is better)", 4,
              measured(&PromptFigures::eval_loss)) +
         bars(study, "F1 on (entity, aspect)", 3, judged("f1")) + bars(study, "F1 on aspects", 3, judged("aspect_f1")) +
         bars(study, "Prompt tokens a row", 1, measured(&PromptFigures::prompt_tokens)) +
         bars(study, "Training tokens a second", 0, measured(&PromptFigures::training_tokens_per_s)) +
         bars(study, "Generated rows a second", 2, measured(&PromptFigures::rows_per_s)) +
         bars(study, "Cost of a million rows", 2, [&](std::size_t i) {
           return eval::Interval{.value = cost_per_million_rows(study.prompts[i].rows_per_s, study.price_per_hour)};
         });
}

std::string quality_by_length(const PromptStudy& study) {
  std::vector<eval::Series> series = {{"F1", {}}, {"aspect F1", {}}};
  for (std::size_t i = 0; i < study.prompts.size(); ++i) {
    series[0].points.emplace_back(study.prompts[i].prompt_tokens, eval::figure_of(study.judged.systems[i], "f1").value);
    series[1].points.emplace_back(study.prompts[i].prompt_tokens,
                                  eval::figure_of(study.judged.systems[i], "aspect_f1").value);
  }
  for (auto& line : series) std::ranges::sort(line.points);
  return eval::line_chart(series, "prompt tokens a row");
}

std::string loss_curves(const PromptStudy& study, eval::Curve eval::Curves::*curve) {
  std::vector<eval::Series> series;
  for (std::size_t i = 0; i < study.curves.size(); ++i)
    series.push_back({study.prompts[i].name, study.curves[i].*curve});
  return eval::line_chart(series, "update");
}

std::vector<std::vector<std::string>> difference_rows(const PromptStudy& study) {
  std::vector<std::vector<std::string>> rows;
  for (std::size_t i = 0; i < study.judged.differences.size(); ++i) {
    const auto& paired = study.judged.differences[i];
    rows.push_back({study.prompts[0].name + " minus " + study.prompts[i + 1].name, number_text(paired.difference.value),
                    number_text(paired.difference.low) + " to " + number_text(paired.difference.high),
                    number_text(100 * paired.share_not_above, 1) + " %"});
  }
  return rows;
}

Json interval_json(const eval::Interval& value) {
  return {{"value", value.value}, {"low", value.low}, {"high", value.high}};
}

}  // namespace

std::string study_text(const PromptStudy& study) {
  auto rows = table_rows(study);
  rows.insert(rows.begin(), heads());
  std::vector<std::size_t> widths(heads().size(), 0);
  for (const auto& row : rows) {
    for (std::size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], display_width(row[c]));
  }
  std::string text;
  for (const auto& row : rows) {
    for (std::size_t c = 0; c < row.size(); ++c) {
      const std::string space(widths[c] - display_width(row[c]), ' ');
      text += c == 0 ? row[c] + space : "  " + space + row[c];
    }
    text += "\n";
  }
  for (const auto& row : difference_rows(study)) text += "F1 of " + row[0] + ": " + row[1] + " (" + row[2] + ")\n";
  text += std::to_string(study.judged.rows) + " rows of " + std::to_string(study.judged.products) +
          " products; in brackets 95 % intervals, bootstrap over products; cost of generation at " +
          number_text(study.price_per_hour, 2) + " an hour\n";
  return text;
}

Json study_json(const PromptStudy& study) {
  Json json = {{"format", "onggi prompt study 1"},
               {"rows", study.judged.rows},
               {"products", study.judged.products},
               {"price_per_hour", study.price_per_hour}};
  for (const auto& [name, value] : study.facts) json["facts"][name] = value;
  json["prompts"] = Json::array();
  for (std::size_t i = 0; i < study.prompts.size(); ++i) {
    Json prompt = study.prompts[i].to_json();
    for (const auto& figure : eval::theme_figures()) {
      prompt[std::string(figure.id)] = interval_json(eval::figure_of(study.judged.systems[i], figure.id));
    }
    prompt["cost_per_million_rows"] = cost_per_million_rows(study.prompts[i].rows_per_s, study.price_per_hour);
    json["prompts"].push_back(std::move(prompt));
  }
  json["f1_differences"] = Json::array();
  for (std::size_t i = 0; i < study.judged.differences.size(); ++i) {
    const auto& paired = study.judged.differences[i];
    json["f1_differences"].push_back({{"first", study.prompts[0].name},
                                      {"second", study.prompts[i + 1].name},
                                      {"difference", interval_json(paired.difference)},
                                      {"share_not_above", paired.share_not_above}});
  }
  return json;
}

std::string study_html(const PromptStudy& study) {
  std::string facts;
  for (const auto& [name, value] : study.facts) {
    facts += "<span>" + eval::escape_html(name) + " <b>" + eval::escape_html(value) + "</b></span>\n";
  }
  const std::string difference_heads[] = {"paired on the same resamples", "F1 difference", "95 % interval",
                                          "resamples at 0 or below"};
  return eval::html_page(
      "Prompt study",
      "<header><h1>Prompt study</h1>\n<div class=\"facts\">\n" + facts +
          "</div>\n<p class=\"soft\">Every prompt trained alike, judged on the same rows. 95 % intervals, bootstrap "
          "over products.</p></header>\n" +
          eval::html_section("Table", kCostNote, eval::html_table(heads(), table_rows(study))) +
          eval::html_section("Figure by figure", "", all_bars(study)) +
          eval::html_section("Quality by length", "A point a prompt, by its mean tokens a row.",
                             quality_by_length(study)) +
          eval::html_section("Is the first prompt better?", "",
                             eval::html_table(difference_heads, difference_rows(study))) +
          eval::html_section("Training loss", "Nats a scored token.", loss_curves(study, &eval::Curves::loss)) +
          eval::html_section("Validation loss", "Nats a scored token.", loss_curves(study, &eval::Curves::eval_loss)));
}

}  // namespace onggi::tasks
