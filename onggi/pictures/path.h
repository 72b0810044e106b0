#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace onggi::pictures {

/// Units of a picture: pixels at scale 1, x to the right and y down.
struct Point {
  double x = 0, y = 0;
  bool operator==(const Point&) const = default;
};

inline Point operator+(Point a, Point b) { return {a.x + b.x, a.y + b.y}; }
inline Point operator-(Point a, Point b) { return {a.x - b.x, a.y - b.y}; }
inline Point operator*(Point a, double k) { return {a.x * k, a.y * k}; }

/// From `center`, `radius` away; angles in degrees, 0 to the right, growing clockwise on the screen.
Point polar(Point center, double radius, double degrees);

struct Rect {
  double x = 0, y = 0, w = 0, h = 0;

  double right() const { return x + w; }
  double bottom() const { return y + h; }
  Point center() const { return {x + w / 2, y + h / 2}; }
  /// Smaller by `by` on each side; larger where it is negative.
  Rect inset(double by) const { return {x + by, y + by, w - 2 * by, h - 2 * by}; }
  bool contains(const Rect& other) const;
  bool intersects(const Rect& other) const;
  bool operator==(const Rect&) const = default;
};

/// x' = a x + c y + e, y' = b x + d y + f.
struct Matrix {
  double a = 1, b = 0, c = 0, d = 1, e = 0, f = 0;

  static Matrix translation(Point by) { return {1, 0, 0, 1, by.x, by.y}; }
  static Matrix scaling(double x, double y) { return {x, 0, 0, y, 0, 0}; }
  static Matrix rotation(double degrees);
  Point apply(Point p) const { return {a * p.x + c * p.y + e, b * p.x + d * p.y + f}; }
  /// First this, then `next`.
  Matrix then(const Matrix& next) const;
};

/// Outline of lines and cubic curves, of any number of contours. Adding functions return the path, to be chained.
class Path {
 public:
  enum class Verb : std::uint8_t { kMove, kLine, kCurve, kClose };  ///< Points each: 1, 1, 3, 0.

  Path& move_to(Point p);
  Path& line_to(Point p);
  Path& curve_to(Point c1, Point c2, Point end);
  /// A quadratic curve, as the cubic that it is. Only after another segment.
  Path& quad_to(Point control, Point end);
  Path& close();

  Path& add(const Path& other, const Matrix& matrix = {});

  static Path circle(Point center, double radius) { return ellipse(center, radius, radius); }
  static Path ellipse(Point center, double rx, double ry);
  static Path rect(const Rect& r);
  static Path round_rect(const Rect& r, double radius);
  static Path line(Point from, Point to);
  static Path polygon(std::span<const Point> points);
  /// Open arc of a circle; see `polar` for the angles.
  static Path arc(Point center, double radius, double from_degrees, double to_degrees);
  /// Smooth open curve through all points (Catmull-Rom).
  static Path smooth(std::span<const Point> points);
  /// Smooth closed curve through all points.
  static Path blob(std::span<const Point> points);

  Path transformed(const Matrix& matrix) const;
  /// Smallest box of all points and control points: holds the outline.
  Rect bounds() const;
  bool empty() const { return verbs_.empty(); }

  std::span<const Verb> verbs() const { return verbs_; }
  std::span<const Point> points() const { return points_; }

 private:
  std::vector<Verb> verbs_;
  std::vector<Point> points_;
};

}  // namespace onggi::pictures
