#pragma once

#include "onggi/core/json.h"
#include "onggi/decode/regex.h"

namespace onggi::decode {

/// Language of review-theme cards: a compact JSON list of "{expression} '{entity}' : {name}", or []. Keys of `spec`
/// (docs/formats/guides.md): names (required), entity_slot, entity ("tail", "words" or "piece"), extra_entities,
/// expression_class, expression_slots, expression_length [low, high] in characters, max_cards.
/// Throws kInvalidArgument naming the key.
Pattern cards_pattern(const Json& spec);

}  // namespace onggi::decode
