#include "onggi/pictures/scene.h"

#include "onggi/core/error.h"

namespace onggi::pictures {

Paint Paint::linear(Point start, Point end, Color from, Color to) {
  Paint paint;
  paint.kind = Kind::kLinear;
  paint.from = from;
  paint.to = to;
  paint.start = start;
  paint.end = end;
  return paint;
}

Paint Paint::radial(Point center, double radius, Color from, Color to) {
  Paint paint = linear(center, {center.x + radius, center.y}, from, to);
  paint.kind = Kind::kRadial;
  return paint;
}

void Scene::fill(Path path, const Paint& paint) {
  items_.push_back({.kind = Item::Kind::kFill, .path = std::move(path), .paint = paint});
}

void Scene::stroke(Path path, const Paint& paint, double width) {
  items_.push_back({.kind = Item::Kind::kStroke, .path = std::move(path), .paint = paint, .width = width});
}

void Scene::dashed(Path path, const Paint& paint, double width, double on, double off) {
  stroke(std::move(path), paint, width);
  items_.back().dash = {on, off};
}

void Scene::clip(Path path) {
  items_.push_back({.kind = Item::Kind::kClip, .path = std::move(path)});
  ++depth_;
}

void Scene::unclip() {
  items_.push_back({.kind = Item::Kind::kUnclip});
  --depth_;
}

void Scene::fill_text(Path path, Color color) {
  require(depth_ == 0, "text inside a clip", ErrorCode::kInternal);
  fill(std::move(path), color);
  items_.back().is_text = true;
}

}  // namespace onggi::pictures
