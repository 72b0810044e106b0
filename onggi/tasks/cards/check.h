#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "onggi/core/thread_pool.h"
#include "onggi/tasks/cards/card_line.h"

namespace onggi::tasks {

/// What was measured on a folder of cards.
struct CardsCheck {
  std::int64_t num_cards = 0, num_pictures = 0, num_texts = 0, num_refused = 0;
  std::vector<std::string> problems;               ///< One line each, with the card's id.
  double least_contrast = 21, least_margin = 1e9;  ///< The margin: contrast as a share of what is needed.
  std::string least_card;
  std::int64_t num_designs = 0, num_pairs = 0;
  int nearest_slopes = 128;  ///< Of the pair of cards whose shapes are nearest.
  double nearest_color = 0;
  std::string nearest_pair;
  double draw_seconds = 0;  ///< Processor time of drawing and encoding, all threads together.
};

/// Draws every card of a folder that `draw_cards` wrote again and measures: the files hold these very bytes, every text
/// is whole and reaches its contrast on the pixels, no two cards are alike. Throws where the folder can't be read.
CardsCheck check_cards(const std::string& folder, const std::string& fonts, ThreadPool& pool);

}  // namespace onggi::tasks
