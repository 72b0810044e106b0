#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "onggi/datasets/rows.h"
#include "onggi/pictures/card.h"

namespace onggi::tasks {

/// A card with the place of the row that it comes from, for messages.
struct CardRow {
  pictures::CardText card;
  std::string place;  ///< "file:line".
};

struct CardRows {
  std::vector<CardRow> cards;
  std::int64_t num_without = 0;  ///< Rows that hold no card: an empty list, or an answer that is none.
};

/// The cards of rows, in order. A row is one of
/// - a theme: `entity`, `expression` (or `expressions`, best first) and `name` (or `aspect`), with `products` or
/// `product`;
/// - a labelled row: a list `themes` of {entity, expression, name}, and perhaps `product`;
/// - an answer of `onggi generate`: `text`, a JSON list of cards. `sources` are the rows that were asked, found by id:
/// their
///   `product` is the card's.
/// A theme's id is the row's; cards of a list are numbered, "beauty-0001-1". Throws kInvalidArgument with the place on
/// other rows, on a member of another type, and on an id that is there twice.
CardRows cards_of_rows(std::span<const datasets::Row> rows, std::span<const datasets::Row> sources);

}  // namespace onggi::tasks
