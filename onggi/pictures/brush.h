#pragma once

#include <cmath>

#include "onggi/pictures/palette.h"
#include "onggi/pictures/rng.h"
#include "onggi/pictures/scene.h"

namespace onggi::pictures {

/// Draws in units of its own: the square from -1 to 1, placed in the scene by a matrix that keeps angles.
class Brush {
 public:
  Brush(Scene& scene, const Matrix& place) : scene_(scene), place_(place) {}
  Brush(Scene& scene, Point center, double radius, double degrees = 0)
      : Brush(scene,
              Matrix::scaling(radius, radius).then(Matrix::rotation(degrees)).then(Matrix::translation(center))) {}

  void fill(const Path& path, const Paint& paint) const { scene_.fill(path.transformed(place_), placed(paint)); }
  void stroke(const Path& path, const Paint& paint, double width) const {
    scene_.stroke(path.transformed(place_), placed(paint), width * scale());
  }
  void dashed(const Path& path, const Paint& paint, double width, double on, double off) const {
    scene_.dashed(path.transformed(place_), placed(paint), width * scale(), on * scale(), off * scale());
  }
  void clip(const Path& path) const { scene_.clip(path.transformed(place_)); }
  void unclip() const { scene_.unclip(); }

  /// The same scene, with a square of `radius` at `center`, turned.
  Brush at(Point center, double radius, double degrees = 0) const {
    return {
        scene_,
        Matrix::scaling(radius, radius).then(Matrix::rotation(degrees)).then(Matrix::translation(center)).then(place_)};
  }
  /// Left and right exchanged.
  Brush mirrored() const { return {scene_, Matrix::scaling(-1, 1).then(place_)}; }

 private:
  double scale() const { return std::hypot(place_.a, place_.b); }
  Paint placed(Paint paint) const {
    paint.start = place_.apply(paint.start);
    paint.end = place_.apply(paint.end);
    return paint;
  }

  Scene& scene_;
  Matrix place_;
};

}  // namespace onggi::pictures
