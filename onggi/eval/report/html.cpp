#include "onggi/eval/report/html.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "onggi/eval/report/style.h"

namespace onggi::eval {
namespace {

constexpr std::size_t kNumColors = 6;  // .c0 to .c5 of the style sheet

std::string plain(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", value);
  return text;
}

/// A step of 1, 2 or 5 times a power of ten that cuts `span` into at most five.
double tick_step(double span) {
  const double rough = span / 5, power = std::pow(10.0, std::floor(std::log10(rough)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= rough) return factor * power;
  }
  return 10 * power;
}

struct Range {
  double low = INFINITY, high = -INFINITY;
  void take(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
};

}  // namespace

std::string escape_html(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&': result += "&amp;"; break;
      case '<': result += "&lt;"; break;
      case '>': result += "&gt;"; break;
      case '"': result += "&quot;"; break;
      case '\'': result += "&#39;"; break;
      default: result.push_back(c);
    }
  }
  return result;
}

std::string html_page(std::string_view title, std::string_view body) {
  return "<!doctype html>\n<html lang=\"ko\">\n<meta charset=\"utf-8\">\n"
         "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>" + escape_html(title) +
         "</title>\n<style>" + std::string(kPageStyle) + "</style>\n" + std::string(body) + "\n</html>\n";
}

std::string html_section(std::string_view title, std::string_view note, std::string_view body) {
  if (body.empty()) return "";
  return "<section>\n<h2>" + escape_html(title) + "</h2>\n" +
         (note.empty() ? "" : "<p class=\"soft\">" + escape_html(note) + "</p>\n") + std::string(body) + "</section>\n";
}

std::string number_text(double value, int digits) {
  char text[32];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

std::string bar_chart(std::span<const Bar> bars, double limit) {
  std::string html = "<div class=\"bars\">\n";
  const auto x = [&](double value) { return plain(1000 * std::clamp(limit > 0 ? value / limit : 0, 0.0, 1.0)); };
  for (const Bar& bar : bars) {
    const Interval& v = bar.value;
    html += "<span class=\"label\">" + escape_html(bar.label) +
            "</span><svg viewBox=\"0 0 1000 18\" preserveAspectRatio=\"none\" aria-hidden=\"true\">"
            "<rect class=\"track\" width=\"1000\" height=\"18\"/><rect class=\"bar" + (bar.is_main ? " main" : "") +
            "\" width=\"" + x(v.value) + "\" height=\"18\"/>";
    if (v.high > v.low) {
      html += "<path class=\"whisker\" d=\"M" + x(v.low) + " 9H" + x(v.high) + "M" + x(v.low) + " 4V14M" + x(v.high) + " 4V14\"/>";
    }
    html += "</svg><span class=\"value\">" + number_text(v.value, bar.digits);
    if (v.high > v.low) {
      html += " <span class=\"range\">" + number_text(v.low, bar.digits) + " to " + number_text(v.high, bar.digits) + "</span>";
    }
    html += "</span>\n";
  }
  return html + "</div>\n";
}

std::string line_chart(std::span<const Series> series, std::string_view x_title) {
  Range x, y;
  bool has_line = false;
  for (const Series& line : series) {
    has_line |= line.points.size() > 1;
    for (const auto& [px, py] : line.points) x.take(px), y.take(py);
  }
  if (!has_line) return "";
  if (y.high - y.low < 1e-9) y.low -= 0.5, y.high += 0.5;
  const double step = tick_step(y.high - y.low);
  y.low = std::floor(y.low / step) * step;
  y.high = std::ceil(y.high / step) * step;
  const int num_steps = static_cast<int>(std::lround((y.high - y.low) / step));
  std::string ticks, grid, lines, legend;
  for (int i = num_steps; i >= 0; --i) {
    ticks += "<span>" + plain(std::round((y.low + i * step) / step) * step) + "</span>";
    const std::string at = plain(240.0 * (num_steps - i) / num_steps);
    if (i > 0) grid += "<path class=\"grid\" d=\"M0 " + at + "H1000\"/>";
  }
  for (std::size_t s = 0; s < series.size(); ++s) {
    if (series[s].points.size() < 2) continue;
    std::string path;
    for (const auto& [px, py] : series[s].points) {
      path += (path.empty() ? "M" : "L") + plain(1000 * (px - x.low) / std::max(x.high - x.low, 1e-9)) + " " +
              plain(240 * (y.high - py) / (y.high - y.low));
    }
    const std::string color = " c" + std::to_string(s % kNumColors);
    lines += "<path class=\"curve" + color + "\" d=\"" + path + "\"/>";
    legend += "<span><i class=\"" + color.substr(1) + "\"></i>" + escape_html(series[s].label) + "</span>";
  }
  return "<div class=\"legend\">" + legend + "</div>\n<div class=\"plot\"><div class=\"ticks y\">" + ticks +
         "</div><svg viewBox=\"0 0 1000 240\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"" + escape_html(x_title) +
         "\">" + grid + lines + "</svg><span></span><div class=\"ticks\"><span>" + plain(x.low) + "</span><span>" +
         escape_html(x_title) + "</span><span>" + plain(x.high) + "</span></div></div>\n";
}

std::string heat_map(const HeatMap& map) {
  std::string html = "<div class=\"scroll\"><table class=\"heat\"><thead><tr><th></th>";
  for (const auto& column : map.columns) html += "<th>" + escape_html(column) + "</th>";
  html += "</tr></thead><tbody>\n";
  for (std::size_t r = 0; r < map.rows.size(); ++r) {
    html += "<tr><th>" + escape_html(map.rows[r]) + "</th>";
    const auto* counts = &map.counts[r * map.columns.size()];
    std::int64_t sum = 0;
    for (std::size_t c = 0; c < map.columns.size(); ++c) sum += counts[c];
    for (std::size_t c = 0; c < map.columns.size(); ++c) {
      if (counts[c] == 0) {
        html += "<td></td>";
        continue;
      }
      const double share = static_cast<double>(counts[c]) / static_cast<double>(sum);
      html += std::string("<td style=\"background:rgb(var(--") + (map.rows[r] == map.columns[c] ? "heat" : "off") + ")/" +
              plain(0.12 + 0.6 * share) + ")\" title=\"" + escape_html(map.rows[r] + " / " + map.columns[c]) + "\">" +
              std::to_string(counts[c]) + "</td>";
    }
    html += "</tr>\n";
  }
  return html + "</tbody></table></div>\n<p class=\"soft\">" + escape_html(map.row_title) + " / " +
         escape_html(map.column_title) + "</p>\n";
}

std::string html_table(std::span<const std::string> heads, std::span<const std::vector<std::string>> rows) {
  if (rows.empty()) return "";
  std::string html = "<div class=\"scroll\"><table class=\"wide\"><thead><tr>";
  for (const auto& head : heads) html += "<th>" + escape_html(head) + "</th>";
  html += "</tr></thead><tbody>\n";
  for (const auto& row : rows) {
    html += "<tr>";
    for (const auto& cell : row) html += "<td>" + escape_html(cell) + "</td>";
    html += "</tr>\n";
  }
  return html + "</tbody></table></div>\n";
}

}  // namespace onggi::eval
