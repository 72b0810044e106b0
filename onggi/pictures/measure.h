#pragma once

#include <span>
#include <vector>

#include "onggi/pictures/image.h"
#include "onggi/pictures/text_column.h"

namespace onggi::pictures {

/// What the pixels say of a text.
struct TextMeasure {
  float contrast = 0;    ///< WCAG ratio of its colour to the worst of what is right behind and beside its strokes.
  bool is_whole = true;  ///< All of its strokes are seen, inside the picture with a margin, and apart from other texts.
  std::int64_t ink = 0;  ///< Pixels that its strokes change.
};

/// Measures every text of `scene` on rendered pixels. `ground` is the scene without its text. What lies behind a text
/// is the mean of 3 x 3 pixels around each pixel that its strokes reach: smaller specks are not told apart by the eye.
std::vector<TextMeasure> measure_texts(const Scene& scene, std::span<const PlacedText> texts, const Image& ground);

/// Smallest distance of a text to the picture's edge, as a share of the narrow side.
constexpr double kSafeMargin = 0.02;

}  // namespace onggi::pictures
