#pragma once

#include <filesystem>

#include "onggi/pictures/font.h"

namespace onggi::pictures {

/// Whether the fonts are there; tests that need them skip without.
inline bool has_fonts() { return std::filesystem::exists("/usr/share/fonts/truetype/nanum/NanumSquareEB.ttf"); }

inline const FontShelf& test_fonts() {
  static const FontShelf fonts;
  return fonts;
}

}  // namespace onggi::pictures
