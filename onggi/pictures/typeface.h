#pragma once

#include <span>
#include <string_view>

#include "onggi/pictures/font.h"

namespace onggi::pictures {

/// Three weights that go together, by the names of font files.
struct Typeface {
  std::string_view name;
  std::string_view heavy, medium, small;
  double tracking = 0;  ///< Of heavy and medium, in ems: large Hangul stands too far apart.
};

std::span<const Typeface> typefaces();

/// A font file, then what stands in for its missing characters.
FontChain chain_of(const FontShelf& shelf, std::string_view name);

}  // namespace onggi::pictures
