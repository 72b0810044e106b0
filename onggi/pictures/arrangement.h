#pragma once

#include <span>
#include <string_view>

#include "onggi/pictures/motif.h"

namespace onggi::pictures {

/// What an area is filled with: a motif, once or many times, on a ground that is there already. Nothing is clipped
/// here.
struct ArtArea {
  Scene& scene;
  Rect area;
  const Motif& motif;
  const Tones& tones;
  Rng& rng;
};

/// A way to fill an area.
struct Arrangement {
  std::string_view name;
  void (*draw)(const ArtArea& art);
};

std::span<const Arrangement> arrangements();

/// A quiet pattern that covers an area, for behind a panel or a strip.
struct Pattern {
  std::string_view name;
  void (*draw)(const ArtArea& art);
};

std::span<const Pattern> patterns();

}  // namespace onggi::pictures
