#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "onggi/pictures/font.h"

namespace onggi::pictures {

/// What a card says: "{expression} {entity}", filed under an aspect, and the products that it was said of.
struct CardText {
  std::string id;  ///< Of the theme: with the seed it chooses the design.
  std::string expression, entity, aspect;
  std::vector<std::string> products;  ///< May be empty.
};

/// The card's texts made fit for drawing (`text::tidy_line`). Throws kInvalidArgument where expression, entity or
/// aspect is empty, longer than `kMaxTextChars`, or has a character that no font draws: named by code point and place,
/// so that nobody is shown a box in its stead.
CardText prepare_card(const CardText& card, const FontShelf& fonts);
constexpr std::size_t kMaxTextChars = 120;

/// "Cream", "Cream and 2 more" in Korean: what stands below the headline. Empty without products.
std::string products_line(const CardText& card);

/// The whole card in one sentence, for screen readers.
std::string alt_text(const CardText& card);

}  // namespace onggi::pictures
