#include "onggi/cluster/map_svg.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <limits>
#include <string_view>

#include "onggi/text/utf8.h"

namespace onggi::cluster {
namespace {

constexpr double kWidth = 960, kHeight = 720, kLegendWidth = 300, kTop = 64, kMargin = 24;
constexpr double kRadius = 3.2, kNameHeight = 15;
constexpr int kNumColours = 8, kNumShapes = 5;
constexpr std::size_t kNameCharacters = 18, kLegendCharacters = 22, kTextCharacters = 200, kLegendRows = 34;

constexpr std::string_view kStyle = R"css(
.paper { fill: #ffffff; } .ink { fill: #1d2327; } .soft { fill: #5d6870; } .noise { fill: #9aa7b0; }
.cross { stroke: #1d2327; stroke-width: 1.4; fill: none; } .edge { stroke: #ffffff; stroke-width: .5; }
.name { font-weight: 600; paint-order: stroke; stroke: #ffffff; stroke-width: 3.5px; stroke-linejoin: round; }
text { font: 13px system-ui, "Apple SD Gothic Neo", "Noto Sans KR", "Noto Sans CJK KR", "Malgun Gothic", "NanumGothic", sans-serif; }
.c0 { fill: #0072b2; } .c1 { fill: #e69f00; } .c2 { fill: #009e73; } .c3 { fill: #cc79a7; } .c4 { fill: #d55e00; }
.c5 { fill: #56b4e9; } .c6 { fill: #b8a900; } .c7 { fill: #4a4a4a; }
@media (prefers-color-scheme: dark) { .paper { fill: #14191d; } .ink { fill: #e6eaed; } .soft { fill: #9fabb3; }
.noise { fill: #64727c; } .cross { stroke: #e6eaed; } .edge { stroke: #14191d; } .name { stroke: #14191d; }
.c0 { fill: #3d9be0; } .c6 { fill: #f0e442; } .c7 { fill: #c4c4c4; } }
)css";

std::string number(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f", value);
  return text.data();
}

/// Text for SVG: what XML does not allow becomes a space; at most this many characters, then an ellipsis.
std::string escaped(std::string_view text, std::size_t most) {
  std::string result;
  std::size_t count = 0;
  for (std::size_t at = 0; at < text.size();) {
    const auto c = text::next_utf8(text, at);
    at += static_cast<std::size_t>(c.length);
    if (count++ == most) return result + "\u2026";
    switch (c.code) {
      case U'&': result += "&amp;"; break;
      case U'<': result += "&lt;"; break;
      case U'>': result += "&gt;"; break;
      case U'"': result += "&quot;"; break;
      default: text::append_utf8(result, c.code < 0x20 || c.code == 0xFFFE || c.code == 0xFFFF ? U' ' : c.code);
    }
  }
  return result;
}

/// About how wide a text is at 13 px: Korean and other wide letters are square.
double width_of(std::string_view text, std::size_t most) {
  double width = 0;
  std::size_t count = 0;
  for (std::size_t at = 0; at < text.size() && count <= most; ++count) {
    const auto c = text::next_utf8(text, at);
    at += static_cast<std::size_t>(c.length);
    width += c.code < 0x1100 ? 7.5 : 13;
  }
  return width;
}

std::string_view colour_class(std::int32_t cluster) {
  static constexpr std::array<std::string_view, kNumColours> kClasses = {"c0", "c1", "c2", "c3",
                                                                         "c4", "c5", "c6", "c7"};
  return cluster < 0 ? "noise" : kClasses[static_cast<std::size_t>(cluster % kNumColours)];
}

/// The mark of a cluster, open, so that a title can stand in it.
std::string mark(std::int32_t cluster, double x, double y, double r) {
  const std::string head = " class=\"" + std::string(colour_class(cluster)) + " edge\"";
  const auto polygon = [&](std::initializer_list<Place> corners) {
    std::string points;
    for (const auto& [dx, dy] : corners) points += number(x + dx * r) + "," + number(y + dy * r) + " ";
    points.pop_back();
    return "polygon" + head + " points=\"" + points + "\"";
  };
  switch (cluster < 0 ? 0 : cluster / kNumColours % kNumShapes) {
    case 1: return polygon({{-0.9, -0.9}, {0.9, -0.9}, {0.9, 0.9}, {-0.9, 0.9}});
    case 2: return polygon({{0, -1.2}, {1.1, 0.8}, {-1.1, 0.8}});
    case 3: return polygon({{0, -1.3}, {1.3, 0}, {0, 1.3}, {-1.3, 0}});
    case 4: return polygon({{0, 1.2}, {1.1, -0.8}, {-1.1, -0.8}});
    default:
      return "circle" + head + " cx=\"" + number(x) + "\" cy=\"" + number(y) + "\" r=\"" +
             number(cluster < 0 ? 0.6 * r : r) + "\"";
  }
}

std::string text_at(std::string_view style, double x, double y, const std::string& escaped_text,
                    std::string_view more = "") {
  return "<text class=\"" + std::string(style) + "\" x=\"" + number(x) + "\" y=\"" + number(y) + "\"" +
         std::string(more) + ">" + escaped_text + "</text>\n";
}

/// From the plane of the points to the picture, without turning or stretching it.
class Frame {
 public:
  explicit Frame(const std::vector<MapPoint>& points) {
    for (const auto& point : points) {
      for (std::size_t a = 0; a < 2; ++a) {
        low_[a] = std::min(low_[a], point.place[a]);
        high_[a] = std::max(high_[a], point.place[a]);
      }
    }
    if (points.empty()) low_ = high_ = {0, 0};
    const double width = kWidth - 2 * kMargin, height = kHeight - kTop - kMargin;
    scale_ = std::min(width / std::max(1e-12, high_[0] - low_[0]), height / std::max(1e-12, high_[1] - low_[1]));
  }
  double x(const Place& p) const { return kWidth / 2 + (p[0] - (low_[0] + high_[0]) / 2) * scale_; }
  double y(const Place& p) const { return (kTop + kHeight - kMargin) / 2 - (p[1] - (low_[1] + high_[1]) / 2) * scale_; }

 private:
  Place low_ = {std::numeric_limits<double>::infinity(), std::numeric_limits<double>::infinity()};
  Place high_ = {-std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity()};
  double scale_ = 1;
};

struct Box {
  double x0 = 0, y0 = 0, x1 = 0, y1 = 0;
  bool meets(const Box& other) const { return x0 < other.x1 && other.x0 < x1 && y0 < other.y1 && other.y0 < y1; }
};

/// Names of the themes, the greatest first, each at the nearest height where it covers no other; left out where it
/// does.
std::string names(const std::vector<MapTheme>& themes, const Frame& frame) {
  std::vector<Box> taken;
  std::string svg;
  for (const auto& theme : themes) {
    const double width = width_of(theme.name, kNameCharacters);
    const double x = std::clamp(frame.x(theme.place), kMargin / 2 + width / 2, kWidth - kMargin / 2 - width / 2);
    for (const double shift : {-8.0, 18.0, -27.0, 37.0, -46.0, 56.0}) {
      const double y = std::clamp(frame.y(theme.place) + shift, kTop, kHeight - 8);
      const Box box{x - width / 2, y - kNameHeight, x + width / 2, y + 2};
      if (std::ranges::any_of(taken, [&](const Box& other) { return other.meets(box); })) continue;
      taken.push_back(box);
      svg += text_at("ink name", x, y, escaped(theme.name, kNameCharacters), " text-anchor=\"middle\"");
      break;
    }
  }
  return svg;
}

std::string legend(const std::vector<MapTheme>& themes, bool has_noise, bool has_outliers) {
  std::string svg;
  double y = kTop + 8;
  const double x = kWidth + 8;
  const auto row = [&](const std::string& drawn, const std::string& text) {
    svg += drawn + text_at("ink", x + 14, y + 4, text);
    y += 19;
  };
  const std::size_t shown = std::min(themes.size(), themes.size() > kLegendRows ? kLegendRows - 1 : kLegendRows);
  for (std::size_t i = 0; i < shown; ++i) {
    row("<" + mark(themes[i].cluster, x, y, 1.5 * kRadius) + "/>\n",
        escaped(themes[i].name, kLegendCharacters) + " <tspan class=\"soft\">" + std::to_string(themes[i].num_texts) +
            "</tspan>");
  }
  if (shown < themes.size()) row("", std::to_string(themes.size() - shown) + " more");
  if (has_noise) row("<" + mark(-1, x, y, 1.5 * kRadius) + "/>\n", "no theme");
  if (has_outliers) {
    const std::string at = number(x - 4) + "," + number(y - 4) + "l8,8m0,-8l-8,8";
    row("<path class=\"cross\" d=\"M" + at + "\"/>\n", "outlier");
  }
  return svg;
}

}  // namespace

std::string map_svg(const MapPicture& picture) {
  auto themes = picture.themes;
  std::ranges::stable_sort(themes, [](const auto& a, const auto& b) { return a.num_texts > b.num_texts; });
  const double width = kWidth + (themes.empty() ? 0 : kLegendWidth);
  const Frame frame(picture.points);
  std::string svg =
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " + number(width) + " " + number(kHeight) +
      "\" role=\"img\" aria-labelledby=\"t d\">\n<title id=\"t\">" + escaped(picture.title, kTextCharacters) +
      "</title>\n<desc id=\"d\">" + escaped(picture.note, kTextCharacters) + "</desc>\n<style>" + std::string(kStyle) +
      "</style>\n<rect class=\"paper\" width=\"" + number(width) + "\" height=\"" + number(kHeight) + "\"/>\n";
  svg +=
      text_at("ink", kMargin, 28, escaped(picture.title, kTextCharacters), " style=\"font-size:18px;font-weight:600\"");
  svg += text_at("soft", kMargin, 48, escaped(picture.note, kTextCharacters));
  bool has_noise = false, has_outliers = false;
  // Noise below what has a theme, outliers above all.
  for (const int layer : {0, 1, 2}) {
    for (const auto& point : picture.points) {
      if ((point.is_outlier ? 2 : point.cluster < 0 ? 0 : 1) != layer) continue;
      const double x = frame.x(point.place), y = frame.y(point.place);
      svg += "<g><" + mark(point.cluster, x, y, kRadius) + "/>";
      if (point.is_outlier) {
        svg += "<path class=\"cross\" d=\"M" + number(x - 4) + "," + number(y - 4) + "l8,8m0,-8l-8,8\"/>";
      }
      svg += "<title>" + escaped(point.text, kTextCharacters) + "</title></g>\n";
      has_noise = has_noise || point.cluster < 0;
      has_outliers = has_outliers || point.is_outlier;
    }
  }
  svg += names(themes, frame);
  if (!themes.empty()) svg += legend(themes, has_noise, has_outliers);
  return svg + "</svg>\n";
}

}  // namespace onggi::cluster
