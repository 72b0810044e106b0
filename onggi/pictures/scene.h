#pragma once

#include <array>
#include <utility>
#include <vector>

#include "onggi/pictures/color.h"
#include "onggi/pictures/path.h"

namespace onggi::pictures {

/// One colour, or a gradient between two: along a line, or from a circle's centre to its edge.
struct Paint {
  enum class Kind { kSolid, kLinear, kRadial };

  Kind kind = Kind::kSolid;
  Color from, to;    ///< A solid paint has only `from`.
  Point start, end;  ///< Of the line; a radial one has its centre in `start` and a point of its edge in `end`.

  Paint() = default;
  Paint(Color color) : from(color), to(color) {}  // NOLINT: a colour is a paint.
  static Paint linear(Point start, Point end, Color from, Color to);
  static Paint radial(Point center, double radius, Color from, Color to);
};

/// One thing drawn. Clips nest; text is never inside one.
struct Item {
  enum class Kind { kFill, kStroke, kClip, kUnclip };

  Kind kind = Kind::kFill;
  Path path;
  Paint paint;
  double width = 0;              ///< Of a stroke, whose ends and corners are round.
  std::array<double, 2> dash{};  ///< Of a stroke: length on, length off; 0 is a whole line.
  bool is_text = false;
};

/// A picture as outlines in drawing order, for files of vectors and of pixels alike. Confined to one thread while it is
/// made, immutable afterwards.
class Scene {
 public:
  Scene(double width, double height) : width_(width), height_(height) {}

  double width() const { return width_; }
  double height() const { return height_; }
  Rect area() const { return {0, 0, width_, height_}; }

  void fill(Path path, const Paint& paint);
  void stroke(Path path, const Paint& paint, double width);
  void dashed(Path path, const Paint& paint, double width, double on, double off);
  /// What follows is seen inside `path` only, until `unclip`.
  void clip(Path path);
  void unclip();
  /// Glyphs. Throws kInternal inside a clip, which could cut them.
  void fill_text(Path path, Color color);

  const std::vector<Item>& items() const { return items_; }

 private:
  double width_, height_;
  int depth_ = 0;
  std::vector<Item> items_;
};

/// Clips a scene as long as it lives.
class ClipScope {
 public:
  ClipScope(Scene& scene, Path path) : scene_(scene) { scene_.clip(std::move(path)); }
  ~ClipScope() { scene_.unclip(); }
  ClipScope(const ClipScope&) = delete;
  ClipScope& operator=(const ClipScope&) = delete;

 private:
  Scene& scene_;
};

}  // namespace onggi::pictures
