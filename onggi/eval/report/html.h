#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "onggi/eval/metrics/bootstrap.h"

namespace onggi::eval {

/// Text with & < > " ' as entities, for element content and quoted attributes.
std::string escape_html(std::string_view text);

/// A whole page: one file, no script, nothing from elsewhere; readable at 360 px and in the dark. `body` is HTML.
std::string html_page(std::string_view title, std::string_view body);

/// `<section>` with a heading; `note` (text) below it if not empty. `body` is HTML.
std::string html_section(std::string_view title, std::string_view note, std::string_view body);

/// 0.1234 as "0.123".
std::string number_text(double value, int digits = 3);

struct Bar {
  std::string label;
  Interval value;
  bool is_main = false;
  int digits = 3;  ///< After the point, in the value that is written beside the bar.
};

/// Horizontal bars with whiskers, one line each, from 0 to `limit`.
std::string bar_chart(std::span<const Bar> bars, double limit);

struct Series {
  std::string label;
  std::vector<std::pair<double, double>> points;  ///< x ascending.
};

/// Lines over one pair of axes, with a legend. Empty where no series has two points.
std::string line_chart(std::span<const Series> series, std::string_view x_title);

struct HeatMap {
  std::vector<std::string> rows, columns;
  std::vector<std::int64_t> counts;  ///< [row][column]
  std::string row_title, column_title;
};

/// A table whose cells are shaded by their share of the row; the diagonal has its own colour.
std::string heat_map(const HeatMap& map);

/// A table: the first column is text, the others numbers. Cells are text.
std::string html_table(std::span<const std::string> heads, std::span<const std::vector<std::string>> rows);

}  // namespace onggi::eval
