#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "onggi/core/json.h"
#include "onggi/pictures/fingerprint.h"
#include "onggi/pictures/picture.h"

namespace onggi::tasks {

/// A line of cards.jsonl, as far as later work needs it.
struct CardLine {
  pictures::CardText card;
  std::string failure;  ///< Not empty: there are no pictures.
  int attempt = 0;
  std::string design;
  pictures::Fingerprint fingerprint;
  struct Files {
    pictures::Size size;
    std::string png, svg;  ///< Names in the folder; empty where that format was not asked for.
  };
  std::vector<Files> files;
};

std::string write_card_line(const CardLine& line, const pictures::DrawnCard& drawn);
std::string write_failure_line(const pictures::CardText& card, std::string_view failure);

/// Throws kCorrupt with `where` (file and line) on what `write_card_line` does not write.
CardLine parse_card_line(std::string_view text, const std::string& where);

/// What all cards of a folder have in common: cards.manifest.json.
struct CardFolder {
  std::int64_t seed = 0;
  std::vector<pictures::Size> sizes;
  bool has_png = false, has_svg = false;
  std::vector<CardLine> lines;
};

/// Reads a folder that `draw_cards` wrote. Throws kNotFound or kCorrupt.
CardFolder read_card_folder(const std::string& folder);

/// Version of what is drawn for a design: grows with every change that changes pictures.
constexpr int kDrawingVersion = 1;

/// A name for files from a card's id: letters, digits, "-", "_" and "." stay; where anything else was, it ends in the
/// first digits of the id's SHA-256, so that no two ids share a name.
std::string file_name_of(std::string_view id);

}  // namespace onggi::tasks
