#pragma once

#include <compare>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "onggi/decode/automaton.h"
#include "onggi/decode/guide.h"

namespace onggi::decode {

/// What a pattern quotes of a row: parts of one kind of one of its texts.
struct SlotPart {
  std::string slot;      ///< Name of the row's text.
  std::string kind;      ///< "text", "piece", "words", "tail", "noun" or "foreign" (docs/formats/guides.md).
  bool in_json = false;  ///< Written inside a JSON string.

  auto operator<=>(const SlotPart&) const = default;
};

/// Adds a path between two states for each text that the row has for the part. Throws kInvalidArgument naming a slot
/// that the row does not have, or if its text is not UTF-8.
void add_slot_part(Nfa& nfa, const SlotPart& part, const Slots& slots, int from, int to);

/// Automaton of these texts alone.
std::shared_ptr<const Nfa> slot_nfa(const SlotPart& part, const Slots& slots);

/// JSON-escaped characters of a text, one string a code point. Throws kInvalidArgument if it is not UTF-8.
std::vector<std::string> json_characters(std::string_view text, bool escape);

}  // namespace onggi::decode
