#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "onggi/pictures/card.h"
#include "onggi/pictures/palette.h"

namespace onggi::pictures {

/// Everything that was chosen for a card, as places in the tables of layouts, palettes, motifs, ... Two cards of one
/// design have the same look; `art` sees to what is drawn at random inside it.
struct Design {
  int layout = 0, palette = 0, motif = 0, arrangement = 0, typeface = 0, pattern = 0;
  Ground ground = Ground::kPaper;
  std::uint64_t seed = 0, art = 0;  ///< The random stream of the drawing.

  bool operator==(const Design&) const = default;
};

/// The design of a card's `attempt`: from seed, id and texts alone, so that a card keeps its look whatever stands
/// beside it. Later attempts are for cards whose text has no room in earlier designs, or that would look like another
/// card.
Design choose_design(const CardText& card, std::uint64_t seed, int attempt);

/// "arch/sage/paper/drop/podium/myeongjo": equal for cards that would look alike.
std::string design_signature(const Design& design);

}  // namespace onggi::pictures
