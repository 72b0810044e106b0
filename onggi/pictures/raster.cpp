#include <cmath>
#include <memory>

#include <cairo/cairo.h>

#include "onggi/core/error.h"
#include "onggi/pictures/image.h"

namespace onggi::pictures {
namespace {

struct Destroy {
  void operator()(cairo_t* context) const { cairo_destroy(context); }
  void operator()(cairo_surface_t* surface) const { cairo_surface_destroy(surface); }
  void operator()(cairo_pattern_t* pattern) const { cairo_pattern_destroy(pattern); }
};

void trace(cairo_t* context, const Path& path) {
  cairo_new_path(context);
  const Point* p = path.points().data();
  for (const Path::Verb verb : path.verbs()) {
    switch (verb) {
      case Path::Verb::kMove:
        cairo_move_to(context, p[0].x, p[0].y);
        p += 1;
        break;
      case Path::Verb::kLine:
        cairo_line_to(context, p[0].x, p[0].y);
        p += 1;
        break;
      case Path::Verb::kCurve:
        cairo_curve_to(context, p[0].x, p[0].y, p[1].x, p[1].y, p[2].x, p[2].y);
        p += 3;
        break;
      case Path::Verb::kClose: cairo_close_path(context); break;
    }
  }
}

void set_source(cairo_t* context, const Paint& paint) {
  const auto stop = [](cairo_pattern_t* pattern, double at, Color c) {
    cairo_pattern_add_color_stop_rgba(pattern, at, c.r / 255.0, c.g / 255.0, c.b / 255.0, c.a);
  };
  std::unique_ptr<cairo_pattern_t, Destroy> pattern;
  switch (paint.kind) {
    case Paint::Kind::kSolid:
      cairo_set_source_rgba(context, paint.from.r / 255.0, paint.from.g / 255.0, paint.from.b / 255.0, paint.from.a);
      return;
    case Paint::Kind::kLinear:
      pattern.reset(cairo_pattern_create_linear(paint.start.x, paint.start.y, paint.end.x, paint.end.y));
      break;
    case Paint::Kind::kRadial:
      pattern.reset(cairo_pattern_create_radial(paint.start.x, paint.start.y, 0, paint.start.x, paint.start.y,
                                                std::hypot(paint.end.x - paint.start.x, paint.end.y - paint.start.y)));
      break;
  }
  stop(pattern.get(), 0, paint.from);
  stop(pattern.get(), 1, paint.to);
  cairo_set_source(context, pattern.get());
}

void draw_item(cairo_t* context, const Item& item) {
  switch (item.kind) {
    case Item::Kind::kFill:
      trace(context, item.path);
      set_source(context, item.paint);
      cairo_fill(context);
      break;
    case Item::Kind::kStroke:
      trace(context, item.path);
      set_source(context, item.paint);
      cairo_set_line_width(context, item.width);
      cairo_set_dash(context, item.dash.data(), item.dash[0] > 0 ? 2 : 0, 0);
      cairo_stroke(context);
      break;
    case Item::Kind::kClip:
      cairo_save(context);
      trace(context, item.path);
      cairo_clip(context);
      break;
    case Item::Kind::kUnclip: cairo_restore(context); break;
  }
}

}  // namespace

void draw(const Scene& scene, Layers layers, Image& under, double scale, double left, double top) {
  const std::unique_ptr<cairo_surface_t, Destroy> surface(
      cairo_image_surface_create_for_data(reinterpret_cast<unsigned char*>(under.pixels.data()), CAIRO_FORMAT_RGB24,
                                          under.width, under.height, under.width * 4));
  const std::unique_ptr<cairo_t, Destroy> context(cairo_create(surface.get()));
  cairo_translate(context.get(), left, top);
  cairo_scale(context.get(), scale, scale);
  cairo_rectangle(context.get(), 0, 0, scene.width(), scene.height());
  cairo_clip(context.get());
  cairo_set_line_cap(context.get(), CAIRO_LINE_CAP_ROUND);
  cairo_set_line_join(context.get(), CAIRO_LINE_JOIN_ROUND);
  for (const Item& item : scene.items()) {
    const bool is_clip = item.kind == Item::Kind::kClip || item.kind == Item::Kind::kUnclip;
    if (layers == Layers::kAll || is_clip || item.is_text == (layers == Layers::kTextOnly))
      draw_item(context.get(), item);
  }
  cairo_surface_flush(surface.get());
  const cairo_status_t status = cairo_status(context.get());
  require(
      status == CAIRO_STATUS_SUCCESS,
      [&] { return std::string("drawing a picture failed: ") + cairo_status_to_string(status); },
      ErrorCode::kExhausted);
  for (std::uint32_t& pixel : under.pixels) pixel &= 0xFFFFFF;
}

Image render(const Scene& scene, double scale, Layers layers) {
  Image image{static_cast<int>(std::ceil(scene.width() * scale - 1e-6)),
              static_cast<int>(std::ceil(scene.height() * scale - 1e-6)),
              {}};
  image.pixels.assign(static_cast<std::size_t>(image.width) * static_cast<std::size_t>(image.height), 0xFFFFFF);
  draw(scene, layers, image, scale);
  return image;
}

}  // namespace onggi::pictures
