#include "onggi/pictures/path.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace onggi::pictures {
namespace {

// Control length of the cubic that stands for a quarter of the unit circle.
constexpr double kQuarter = 0.5522847498;

double radians(double degrees) { return degrees * std::numbers::pi / 180.0; }

/// Catmull-Rom through points[i], where `at` gives neighbours past the ends.
template <class At>
void add_smooth(Path& path, std::ptrdiff_t segments, At at) {
  path.move_to(at(0));
  for (std::ptrdiff_t i = 0; i < segments; ++i) {
    const Point p1 = at(i), p2 = at(i + 1);
    path.curve_to(p1 + (p2 - at(i - 1)) * (1.0 / 6), p2 - (at(i + 2) - p1) * (1.0 / 6), p2);
  }
}

}  // namespace

Point polar(Point center, double radius, double degrees) {
  return {center.x + radius * std::cos(radians(degrees)), center.y + radius * std::sin(radians(degrees))};
}

bool Rect::contains(const Rect& other) const {
  return other.x >= x && other.y >= y && other.right() <= right() && other.bottom() <= bottom();
}

bool Rect::intersects(const Rect& other) const {
  return other.x < right() && x < other.right() && other.y < bottom() && y < other.bottom();
}

Matrix Matrix::rotation(double degrees) {
  const double cosine = std::cos(radians(degrees)), sine = std::sin(radians(degrees));
  return {cosine, sine, -sine, cosine, 0, 0};
}

Matrix Matrix::then(const Matrix& n) const {
  return {n.a * a + n.c * b, n.b * a + n.d * b,       n.a * c + n.c * d,
          n.b * c + n.d * d, n.a * e + n.c * f + n.e, n.b * e + n.d * f + n.f};
}

Path& Path::move_to(Point p) {
  verbs_.push_back(Verb::kMove);
  points_.push_back(p);
  return *this;
}

Path& Path::line_to(Point p) {
  verbs_.push_back(Verb::kLine);
  points_.push_back(p);
  return *this;
}

Path& Path::curve_to(Point c1, Point c2, Point end) {
  verbs_.push_back(Verb::kCurve);
  points_.insert(points_.end(), {c1, c2, end});
  return *this;
}

Path& Path::quad_to(Point control, Point end) {
  const Point start = points_.back();
  return curve_to(start + (control - start) * (2.0 / 3), end + (control - end) * (2.0 / 3), end);
}

Path& Path::close() {
  verbs_.push_back(Verb::kClose);
  return *this;
}

Path& Path::add(const Path& other, const Matrix& matrix) {
  verbs_.insert(verbs_.end(), other.verbs_.begin(), other.verbs_.end());
  points_.reserve(points_.size() + other.points_.size());
  for (const Point p : other.points_) points_.push_back(matrix.apply(p));
  return *this;
}

Path Path::ellipse(Point c, double rx, double ry) {
  const double kx = rx * kQuarter, ky = ry * kQuarter;
  Path path;
  path.move_to({c.x + rx, c.y})
      .curve_to({c.x + rx, c.y + ky}, {c.x + kx, c.y + ry}, {c.x, c.y + ry})
      .curve_to({c.x - kx, c.y + ry}, {c.x - rx, c.y + ky}, {c.x - rx, c.y})
      .curve_to({c.x - rx, c.y - ky}, {c.x - kx, c.y - ry}, {c.x, c.y - ry})
      .curve_to({c.x + kx, c.y - ry}, {c.x + rx, c.y - ky}, {c.x + rx, c.y})
      .close();
  return path;
}

Path Path::rect(const Rect& r) {
  Path path;
  path.move_to({r.x, r.y})
      .line_to({r.right(), r.y})
      .line_to({r.right(), r.bottom()})
      .line_to({r.x, r.bottom()})
      .close();
  return path;
}

Path Path::round_rect(const Rect& r, double radius) {
  const double q = std::min({radius, r.w / 2, r.h / 2});
  const double k = q * (1 - kQuarter);
  Path path;
  path.move_to({r.x + q, r.y})
      .line_to({r.right() - q, r.y})
      .curve_to({r.right() - k, r.y}, {r.right(), r.y + k}, {r.right(), r.y + q})
      .line_to({r.right(), r.bottom() - q})
      .curve_to({r.right(), r.bottom() - k}, {r.right() - k, r.bottom()}, {r.right() - q, r.bottom()})
      .line_to({r.x + q, r.bottom()})
      .curve_to({r.x + k, r.bottom()}, {r.x, r.bottom() - k}, {r.x, r.bottom() - q})
      .line_to({r.x, r.y + q})
      .curve_to({r.x, r.y + k}, {r.x + k, r.y}, {r.x + q, r.y})
      .close();
  return path;
}

Path Path::line(Point from, Point to) {
  Path path;
  path.move_to(from).line_to(to);
  return path;
}

Path Path::polygon(std::span<const Point> points) {
  Path path;
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (i == 0) {
      path.move_to(points[i]);
    } else {
      path.line_to(points[i]);
    }
  }
  path.close();
  return path;
}

Path Path::arc(Point center, double radius, double from_degrees, double to_degrees) {
  const int parts = std::max(1, static_cast<int>(std::ceil(std::abs(to_degrees - from_degrees) / 60.0)));
  const double step = (to_degrees - from_degrees) / parts;
  const double k = radius * 4.0 / 3.0 * std::tan(radians(step) / 4);
  Path path;
  path.move_to(polar(center, radius, from_degrees));
  for (int i = 0; i < parts; ++i) {
    const double a = from_degrees + step * i, b = a + step;
    const Point p = polar(center, radius, a), q = polar(center, radius, b);
    path.curve_to(polar(p, k, a + 90), polar(q, -k, b + 90), q);
  }
  return path;
}

Path Path::smooth(std::span<const Point> points) {
  Path path;
  const auto last = static_cast<std::ptrdiff_t>(points.size()) - 1;
  if (last < 1) return path;
  add_smooth(path, last, [&](std::ptrdiff_t i) {
    return points[static_cast<std::size_t>(std::clamp<std::ptrdiff_t>(i, 0, last))];
  });
  return path;
}

Path Path::blob(std::span<const Point> points) {
  Path path;
  const auto count = static_cast<std::ptrdiff_t>(points.size());
  if (count < 3) return path;
  add_smooth(path, count, [&](std::ptrdiff_t i) { return points[static_cast<std::size_t>((i + count) % count)]; });
  path.close();
  return path;
}

Path Path::transformed(const Matrix& matrix) const {
  Path path;
  path.add(*this, matrix);
  return path;
}

Rect Path::bounds() const {
  if (points_.empty()) return {};
  double left = points_[0].x, right = left, top = points_[0].y, bottom = top;
  for (const Point p : points_) {
    left = std::min(left, p.x);
    right = std::max(right, p.x);
    top = std::min(top, p.y);
    bottom = std::max(bottom, p.y);
  }
  return {left, top, right - left, bottom - top};
}

}  // namespace onggi::pictures
