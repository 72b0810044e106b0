#include "onggi/pictures/svg.h"

#include <array>
#include <cmath>

namespace onggi::pictures {
namespace {

/// Two digits after the point, trailing zeros left out: a hundredth of a pixel.
void append_number(std::string& out, double value) {
  const auto hundredths = std::llround(value * 100);
  const auto rest = std::abs(hundredths) % 100;
  if (hundredths < 0) out += '-';
  out += std::to_string(std::abs(hundredths) / 100);
  if (rest == 0) return;
  out += '.';
  out += static_cast<char>('0' + rest / 10);
  if (rest % 10 != 0) out += static_cast<char>('0' + rest % 10);
}

void append_attribute(std::string& out, std::string_view name, double value) {
  out += ' ';
  out += name;
  out += "=\"";
  append_number(out, value);
  out += '"';
}

void append_points(std::string& out, const Point* p, int count) {
  for (int i = 0; i < count; ++i) {
    if (i > 0) out += ' ';
    append_number(out, p[i].x);
    out += ' ';
    append_number(out, p[i].y);
  }
}

void append_outline(std::string& out, const Path& path) {
  out += " d=\"";
  const Point* p = path.points().data();
  for (const Path::Verb verb : path.verbs()) {
    constexpr std::array<char, 4> kLetters = {'M', 'L', 'C', 'Z'};
    constexpr std::array<int, 4> kCounts = {1, 1, 3, 0};
    const auto index = static_cast<std::size_t>(verb);
    out += kLetters[index];
    append_points(out, p, kCounts[index]);
    p += kCounts[index];
  }
  out += '"';
}

class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}

  void add(const Item& item) {
    switch (item.kind) {
      case Item::Kind::kFill: add_shape(item, "fill"); break;
      case Item::Kind::kStroke: add_shape(item, "stroke"); break;
      case Item::Kind::kClip: {
        const std::string id = next_id();
        out_ += "<clipPath id=\"" + id + "\"><path";
        append_outline(out_, item.path);
        out_ += "/></clipPath><g clip-path=\"url(#" + id + ")\">\n";
        break;
      }
      case Item::Kind::kUnclip: out_ += "</g>\n"; break;
    }
  }

 private:
  std::string next_id() { return "p" + std::to_string(++num_ids_); }

  void add_shape(const Item& item, const std::string& property) {
    std::string gradient;
    if (item.paint.kind != Paint::Kind::kSolid) gradient = add_gradient(item.paint);
    out_ += "<path";
    if (property == "stroke") {
      out_ += " fill=\"none\" stroke-linecap=\"round\" stroke-linejoin=\"round\"";
      append_attribute(out_, "stroke-width", item.width);
      if (item.dash[0] > 0) {
        out_ += " stroke-dasharray=\"";
        append_number(out_, item.dash[0]);
        out_ += ' ';
        append_number(out_, item.dash[1]);
        out_ += '"';
      }
    }
    out_ += ' ' + property + "=\"" + (gradient.empty() ? hex_text(item.paint.from) : "url(#" + gradient + ")") + '"';
    if (gradient.empty() && item.paint.from.a < 1) append_attribute(out_, property + "-opacity", item.paint.from.a);
    append_outline(out_, item.path);
    out_ += "/>\n";
  }

  std::string add_gradient(const Paint& paint) {
    const std::string id = next_id();
    const bool is_linear = paint.kind == Paint::Kind::kLinear;
    const std::string element = is_linear ? "linearGradient" : "radialGradient";
    out_ += '<' + element + " id=\"" + id + "\" gradientUnits=\"userSpaceOnUse\"";
    append_attribute(out_, is_linear ? "x1" : "cx", paint.start.x);
    append_attribute(out_, is_linear ? "y1" : "cy", paint.start.y);
    if (is_linear) {
      append_attribute(out_, "x2", paint.end.x);
      append_attribute(out_, "y2", paint.end.y);
    } else {
      append_attribute(out_, "r", std::hypot(paint.end.x - paint.start.x, paint.end.y - paint.start.y));
    }
    out_ += '>';
    add_stop(0, paint.from);
    add_stop(1, paint.to);
    out_ += "</" + element + '>';
    return id;
  }

  void add_stop(int offset, Color color) {
    out_ += "<stop offset=\"" + std::to_string(offset) + "\" stop-color=\"" + hex_text(color) + '"';
    if (color.a < 1) append_attribute(out_, "stop-opacity", color.a);
    out_ += "/>";
  }

  std::string& out_;
  int num_ids_ = 0;
};

}  // namespace

std::string escape_markup(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&#39;"; break;
      default: out += c;
    }
  }
  return out;
}

std::string encode_svg(const Scene& scene, std::string_view title, std::string_view description) {
  std::string out = "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" aria-labelledby=\"title desc\"";
  append_attribute(out, "width", scene.width());
  append_attribute(out, "height", scene.height());
  out += " viewBox=\"0 0 ";
  append_points(out, std::array<Point, 1>{{{scene.width(), scene.height()}}}.data(), 1);
  out += "\">\n<title id=\"title\">" + escape_markup(title) + "</title>\n<desc id=\"desc\">" +
         escape_markup(description) + "</desc>\n";
  Writer writer(out);
  for (const Item& item : scene.items()) writer.add(item);
  out += "</svg>\n";
  return out;
}

}  // namespace onggi::pictures
