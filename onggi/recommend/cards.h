#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "onggi/core/json.h"

namespace onggi::recommend {

/// A theme that may be shown: what is said of an aspect of an entity, and where it leads.
struct Card {
  std::string id;
  std::string entity;
  std::string aspect;
  std::vector<std::string> expressions;  ///< The best first; at least one.
  std::vector<std::string> products;     ///< May be none.
};

/// Cards from JSON Lines: id, entity, aspect, expressions (or one expression), products (or one product), each line one
/// theme; other members are let be. Throws kCorrupt with file and line for a member that is missing or of another type,
/// an id twice, or no card at all.
std::vector<Card> read_cards(const std::filesystem::path& path);
std::vector<Card> read_cards_text(std::string_view text, std::string_view file);

Json to_json(const Card& card);

}  // namespace onggi::recommend
