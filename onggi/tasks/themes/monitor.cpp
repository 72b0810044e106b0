#include "onggi/tasks/themes/monitor.h"

#include <algorithm>

#include "onggi/core/files.h"
#include "onggi/datasets/rows.h"
#include "onggi/eval/report/html.h"

namespace onggi::tasks {
namespace {

constexpr std::size_t kMostThemes = 60;

using eval::escape_html;

std::string tile(const std::string& value, std::string_view title) {
  return "<div class=\"tile\"><b>" + value + "</b>" + escape_html(title) + "</div>";
}

/// A figure of a stage, "-" before it is known.
std::string figure(const StageBook& book, std::string_view stage, const char* name) {
  for (const auto& record : book.records()) {
    if (record.name == stage && record.counts.contains(name)) return record.counts[name].dump();
  }
  return "-";
}

std::string stage_table(const StageBook& book) {
  std::string html =
      "<table><thead><tr><th>stage</th><th>state</th><th>figures</th><th>seconds</th></tr></thead><tbody>";
  for (const auto& record : book.records()) {
    std::string figures;
    for (const auto& [name, value] : record.counts.items()) {
      if (value.is_object()) continue;
      figures += (figures.empty() ? "" : ", ") + escape_html(name) + " " + value.dump();
    }
    const std::string state = record.name == book.running() ? "at work" : (record.files.empty() ? "stopped" : "done");
    html += "<tr><td>" + escape_html(record.name) + "</td><td>" + state + "</td><td>" + figures + "</td><td>" +
            eval::number_text(record.seconds, 1) + "</td></tr>";
  }
  return html + "</tbody></table>";
}

/// Bars of a stage's reasons.
std::string reasons(const StageBook& book, std::string_view stage, const char* name) {
  for (const auto& record : book.records()) {
    if (record.name != stage || !record.counts.contains(name) || record.counts[name].empty()) continue;
    std::vector<eval::Bar> bars;
    double most = 1;
    for (const auto& [reason, count] : record.counts[name].items()) {
      const double value = count.get<double>();
      most = std::max(most, value);
      bars.push_back({.label = reason, .value = {.value = value, .low = value, .high = value}, .digits = 0});
    }
    return eval::bar_chart(bars, most);
  }
  return "<p class=\"soft\">none</p>";
}

std::string themes_table(const StageBook& book) {
  const auto path = book.path_of("cards.jsonl");
  if (!std::filesystem::exists(path)) return "<p class=\"soft\">not yet</p>";
  std::string html =
      "<table><thead><tr><th>entity, "
      "aspect</th><th>expressions</th><th>reviews</th><th>products</th></tr></thead><tbody>";
  const auto rows = datasets::read_rows(path);
  for (std::size_t i = 0; i < std::min(rows.size(), kMostThemes); ++i) {
    const auto& card = rows[i].fields;
    std::string expressions;
    for (const auto& e : card["expressions"])
      expressions += (expressions.empty() ? "" : "<br>") + escape_html(e.get<std::string>());
    html += "<tr><td>" + escape_html(card["entity"].get<std::string>()) + "<br><span class=\"soft\">" +
            escape_html(card["aspect"].get<std::string>()) + "</span></td><td>" + expressions + "</td><td>" +
            card["reviews"].dump() + "</td><td>" + std::to_string(card["products"].size()) + "</td></tr>";
  }
  html += "</tbody></table>";
  if (rows.size() > kMostThemes)
    html += "<p class=\"soft\">and " + std::to_string(rows.size() - kMostThemes) + " more in cards.jsonl</p>";
  return html;
}

}  // namespace

std::string monitor_html(const StageBook& book) {
  const bool is_running = !book.running().empty();
  std::string body = "<h1>Review themes</h1><p class=\"soft\">" +
                     (is_running ? "At work: " + escape_html(book.running()) + ". This page loads itself anew."
                                 : std::string("Nothing is at work.")) +
                     "</p>";
  body += "<div class=\"tiles\">" + tile(figure(book, "reviews", "in"), "reviews came in") +
          tile(figure(book, "reviews", "kept"), "were asked about") +
          tile(figure(book, "answers", "cards"), "cards were answered") +
          tile(figure(book, "verdicts", "accepted"), "cards were accepted") +
          tile(figure(book, "verdicts", "for_people"), "cards wait for a person") +
          tile(figure(book, "cards", "outliers"), "cards do not belong") +
          tile(figure(book, "cards", "themes"), "themes are shown") + "</div>";
  body += eval::html_section("Stages", "", stage_table(book));
  body += eval::html_section("Reviews left out", "left_out.jsonl names each", reasons(book, "reviews", "left_out"));
  body += eval::html_section("Cards rejected", "verdicts.jsonl names each; a card may break several rules",
                             reasons(book, "verdicts", "rejected"));
  body += eval::html_section("Shown", "entity and aspect, the best expressions", themes_table(book));
  const auto map = book.path_of("map.svg");
  if (!is_running && std::filesystem::exists(map))
    body += eval::html_section("Map of the expressions", "", read_file(map, std::size_t{1} << 24));
  auto page = eval::html_page("Review themes", body);
  if (is_running) {
    const auto head = page.find("<head>");
    if (head != std::string::npos) page.insert(head + 6, "<meta http-equiv=\"refresh\" content=\"2\">");
  }
  return page;
}

}  // namespace onggi::tasks
