#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "onggi/core/thread_pool.h"
#include "onggi/datasets/rows.h"

namespace onggi::tasks {

/// What `onggi cards` reads and writes.
struct CardsOptions {
  std::vector<std::string> input, rows, size = {"640x800"};
  std::string output, format = "svg,png", contact_sheet, shop_front, shop_name = "Onggi", fonts;
  std::int64_t seed = 0;
  int sheet_width = 1600;

  template <class V>
  void visit(V&& field) {
    field("input", input,
          "Cards: themes, labelled rows, or answers of `onggi generate` (repeatable; a folder is its files).");
    field("rows", rows, "Rows that the answers of --input are for: their product is printed (repeatable).");
    field("output", output, "Folder for the pictures and cards.jsonl.");
    field("format", format, "svg, png, or both with a comma between.");
    field("size", size, "WIDTHxHEIGHT in pixels (repeatable).");
    field("seed", seed, "Another one gives every card another design.");
    field("contact_sheet", contact_sheet, "PNG of all cards, small, in rows.");
    field("sheet_width", sheet_width, "Of the contact sheet, in pixels.");
    field("shop_front", shop_front, "HTML page that shows the cards as a shop would; must lie in --output.");
    field("shop_name", shop_name, "Name on the shop front.");
    field("fonts", fonts,
          "Folder with the font files of fonts-nanum, fonts-nanum-extra and fonts-dejavu-core; empty = Debian's.");
  }
};

struct CardsSummary {
  std::int64_t num_cards = 0, num_refused = 0, num_without = 0, num_drawn_now = 0;
  double cards_per_s = 0;  ///< Of those drawn now, all sizes and formats.
};

/// Draws every card of the input. Pictures and their lines in cards.jsonl (docs/formats/card_pictures.md) appear in the
/// input's order; a stopped job goes on where it was, and the bytes do not depend on the number of threads. A card that
/// can't be drawn gets a line with its failure. Throws on what the options or the input have wrong.
CardsSummary draw_cards(const CardsOptions& options, const datasets::RowsOptions& row_options, ThreadPool& pool,
                        bool is_terminal, const std::function<void(std::string_view)>& write);

}  // namespace onggi::tasks
