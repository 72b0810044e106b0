#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "onggi/pictures/brush.h"

namespace onggi::pictures {

/// A figure that stands for an aspect, drawn by code inside the brush's square, on a ground of `tones.ground`.
struct Motif {
  std::string_view name;
  void (*draw)(const Brush& brush, const Tones& tones, Rng& rng);
  bool turns = false;  ///< May stand at any angle.
};

/// All of them: the tables of motifs_*.cpp, one after another.
std::span<const Motif> motifs();

std::span<const Motif> nature_motifs();
std::span<const Motif> care_motifs();
std::span<const Motif> goods_motifs();
std::span<const Motif> sign_motifs();

/// Place in `motifs()` of a name. Throws kInvalidArgument with the nearest name.
int find_motif(std::string_view name);

/// Places of the motifs that suit an aspect (the table of aspect_motifs.cpp); for an aspect that is not in it, three
/// that follow from its name alone.
std::vector<int> motifs_of_aspect(std::string_view aspect);

}  // namespace onggi::pictures
