#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "onggi/pictures/scene.h"

namespace onggi::pictures {

/// Opaque pixels, 0xRRGGBB each, rows from the top.
struct Image {
  int width = 0, height = 0;
  std::vector<std::uint32_t> pixels;

  std::uint32_t at(int x, int y) const { return pixels[static_cast<std::size_t>(y) * width + x]; }
  std::uint32_t& at(int x, int y) { return pixels[static_cast<std::size_t>(y) * width + x]; }
};

enum class Layers { kAll, kWithoutText, kTextOnly };

/// The scene's items of these layers, scaled and drawn over `under` with its upper left corner at (left, top). The same
/// bits on one machine. Throws kExhausted without memory.
void draw(const Scene& scene, Layers layers, Image& under, double scale = 1, double left = 0, double top = 0);

/// A new image of ceil(width x scale) by ceil(height x scale) pixels, white where nothing is drawn.
Image render(const Scene& scene, double scale = 1, Layers layers = Layers::kAll);

/// PNG file: 8 bits a channel without alpha, or 256 chosen colours where `palette` (a third of the size; for sheets).
std::string encode_png(const Image& image, bool palette = false);

}  // namespace onggi::pictures
