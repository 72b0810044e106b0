#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "onggi/core/json.h"

namespace onggi::datasets {

/// One review theme: what a card prints ("{expression} '{entity}'") and the aspect it is filed under.
struct Card {
  std::string entity, expression, name;
  bool operator==(const Card&) const = default;
};

/// Cards of a row's `themes` column, a list of objects {entity, expression, name}. Throws kInvalidArgument with `where`.
std::vector<Card> cards_of(const Json& themes, std::string_view where);

/// "{expression} '{entity}' : {name}".
std::string card_text(const Card& card);

/// The compact answer: a JSON list of card texts, ", " between, non-ASCII kept; [] where there is none.
std::string cards_answer(std::span<const Card> cards);

/// Reads an answer as score_themes.py does: strict JSON list of strings, each in the form above, matched shortest
/// first as its regular expression does. Nothing where the answer is not valid. Never throws on any text.
std::optional<std::vector<Card>> parse_cards(std::string_view answer);

/// Column value to answer text.
using AnswerConverter = std::string (*)(const Json& value, std::string_view where);

/// "text" (string or number as it is), "json" (compact), "cards" (`cards_answer` over a themes column).
/// Throws kInvalidArgument with the nearest name. The plain table is in answers.cpp.
AnswerConverter find_converter(std::string_view name, std::string_view where);

}  // namespace onggi::datasets
