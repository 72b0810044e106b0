#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "onggi/decode/automaton.h"
#include "onggi/decode/guide.h"
#include "onggi/decode/slot_part.h"

namespace onggi::decode {

/// A language as a tree: what every kind of guide becomes. Built by parse_regex or by hand.
struct Pattern {
  enum class Kind { kBytes, kClass, kConcat, kAlternate, kRepeat, kSpaced, kMembers, kSlot };
  static constexpr int kUnbounded = -1;

  Kind kind = Kind::kConcat;                          ///< An empty kConcat matches the empty text.
  std::string bytes;                                  ///< kBytes
  std::vector<std::pair<char32_t, char32_t>> ranges;  ///< kClass, code points
  /// kConcat, kAlternate; kRepeat has one. kSpaced: the first is repeated with at most one space between two, spaces
  /// count; a second one, a class, is what it must end with. kMembers: parts[0] stands between two that are written;
  /// of the others, in order, those that are a repeat of 0 to 1 may be left out, and with `low` 1 not all of them.
  std::vector<Pattern> parts;
  int low = 0;               ///< kRepeat, kSpaced, kMembers
  int high = 0;              ///< kRepeat, kSpaced; kUnbounded for kRepeat only
  std::string slot;          ///< kSlot: name of the row's text
  std::string piece;         ///< kSlot: "text", "piece", "words", "tail", "noun" or "foreign"
  bool in_json = false;      ///< kSlot: written inside a JSON string
  bool needs_space = false;  ///< kSpaced: at least one

  static Pattern literal(std::string text) { return {.kind = Kind::kBytes, .bytes = std::move(text)}; }
  static Pattern any_of(std::vector<Pattern> parts) { return {.kind = Kind::kAlternate, .parts = std::move(parts)}; }
  static Pattern sequence(std::vector<Pattern> parts) { return {.kind = Kind::kConcat, .parts = std::move(parts)}; }
  static Pattern repeat(Pattern part, int low, int high) {
    Pattern p{.kind = Kind::kRepeat, .low = low, .high = high};
    p.parts.push_back(std::move(part));
    return p;
  }
};

/// How slots become automaton pieces.
enum class SlotUse {
  kNone,    ///< Match the empty text only, so that what stands around them can be reached: what no row is needed for.
  kEdges,   ///< One edge each, whose slot is the index of its part in slot_parts: the same automaton for all rows.
  kFilled,  ///< From `slots`. Throws kInvalidArgument naming a slot that is not there. An automaton of one row, which
            ///< walks of a guide are tested against.
};

/// Automaton of the pattern. `collapse` turns bounded repeats into unbounded ones: the same texts and more, with far
/// fewer states, for questions like "which tokens can occur at all".
std::shared_ptr<const Nfa> build_nfa(const Pattern& pattern, SlotUse use, const Slots& slots, bool collapse = false);

/// The different parts that the pattern quotes, in the order of their first use.
std::vector<SlotPart> slot_parts(const Pattern& pattern);

}  // namespace onggi::decode
