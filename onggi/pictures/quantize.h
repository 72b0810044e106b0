#pragma once

#include <cstdint>
#include <vector>

#include "onggi/pictures/image.h"

namespace onggi::pictures {

/// Pixels as numbers of at most 256 colours.
struct IndexedImage {
  std::vector<std::uint32_t> colors;  ///< 0xRRGGBB.
  std::vector<std::uint8_t> indices;
};

/// Median cut (Heckbert 1982) over the image's colours, 5 bits a channel; each pixel takes its box's mean.
IndexedImage quantize(const Image& image);

}  // namespace onggi::pictures
