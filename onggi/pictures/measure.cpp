#include "onggi/pictures/measure.h"

#include <algorithm>
#include <cmath>

namespace onggi::pictures {
namespace {

/// A window of pixels, inside the picture.
struct Window {
  int left, top, right, bottom;
  int width() const { return right - left; }
  int height() const { return bottom - top; }
};

Window window_around(const Rect& box, const Image& image) {
  return {std::clamp(static_cast<int>(std::floor(box.x)) - 3, 0, image.width),
          std::clamp(static_cast<int>(std::floor(box.y)) - 3, 0, image.height),
          std::clamp(static_cast<int>(std::ceil(box.right())) + 3, 0, image.width),
          std::clamp(static_cast<int>(std::ceil(box.bottom())) + 3, 0, image.height)};
}

float luminance_of(std::uint32_t pixel) { return luminance(rgb(pixel)); }

/// The strokes alone, black on white, on a canvas that goes on beyond the window by `pad` on each side.
Image draw_strokes(const PlacedText& text, const Window& window, int pad) {
  Scene strokes(window.width() + 2 * pad, window.height() + 2 * pad);
  strokes.fill_text(text.outline.transformed(Matrix::translation({pad - window.left * 1.0, pad - window.top * 1.0})),
                    rgb(0));
  return render(strokes);
}

TextMeasure measure_one(const PlacedText& text, const Image& ground, const Rect& safe) {
  TextMeasure result;
  const Window window = window_around(text.box, ground);
  if (window.width() <= 0 || window.height() <= 0) return {0, false, 0};
  constexpr int kPad = 4;
  const Image strokes = draw_strokes(text, window, kPad);
  std::vector<float> light(static_cast<std::size_t>(window.width()) * static_cast<std::size_t>(window.height()));
  for (int y = 0; y < window.height(); ++y) {
    for (int x = 0; x < window.width(); ++x)
      light[static_cast<std::size_t>(y) * static_cast<std::size_t>(window.width()) + static_cast<std::size_t>(x)] =
          luminance_of(ground.at(window.left + x, window.top + y));
  }
  const float own = luminance(text.color);
  result.contrast = 21;
  int min_x = 1 << 30, min_y = 1 << 30, max_x = -1, max_y = -1;
  for (int y = 0; y < strokes.height; ++y) {
    for (int x = 0; x < strokes.width; ++x) {
      if (strokes.at(x, y) > 0xC0C0C0) continue;  // Less than a quarter of the pixel: nobody sees it.
      ++result.ink;
      min_x = std::min(min_x, x - kPad + window.left);
      max_x = std::max(max_x, x - kPad + window.left);
      min_y = std::min(min_y, y - kPad + window.top);
      max_y = std::max(max_y, y - kPad + window.top);
      const int cx = std::clamp(x - kPad, 1, window.width() - 2), cy = std::clamp(y - kPad, 1, window.height() - 2);
      float sum = 0;
      for (int dy = -1; dy <= 1; ++dy) {
        for (int dx = -1; dx <= 1; ++dx)
          sum += light[static_cast<std::size_t>(cy + dy) * static_cast<std::size_t>(window.width()) +
                       static_cast<std::size_t>(cx + dx)];
      }
      result.contrast = std::min(result.contrast, contrast_ratio(own, sum / 9));
    }
  }
  result.is_whole =
      result.ink > 0 && safe.contains({1.0 * min_x, 1.0 * min_y, max_x - min_x + 1.0, max_y - min_y + 1.0});
  return result;
}

}  // namespace

std::vector<TextMeasure> measure_texts(const Scene& scene, std::span<const PlacedText> texts, const Image& ground) {
  const Rect safe = scene.area().inset(std::min(scene.width(), scene.height()) * kSafeMargin);
  std::vector<TextMeasure> result;
  for (const PlacedText& text : texts) {
    result.push_back(measure_one(text, ground, safe));
    for (const PlacedText& other : texts) {
      if (&other != &text && other.box.intersects(text.box)) result.back().is_whole = false;
    }
  }
  return result;
}

}  // namespace onggi::pictures
