#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "onggi/decode/automaton.h"
#include "onggi/decode/guide.h"

namespace onggi::decode {

/// A pattern as a tree. Built by parse_regex or by hand.
struct Pattern {
  enum class Kind { kBytes, kClass, kConcat, kAlternate, kRepeat, kSpaced, kMembers, kSlot };
  static constexpr int kUnbounded = -1;

  Kind kind = Kind::kConcat;  ///< An empty kConcat matches the empty text.
  std::string bytes;                                  ///< kBytes
  std::vector<std::pair<char32_t, char32_t>> ranges;  ///< kClass, code points
  /// kConcat, kAlternate; kRepeat has one. kSpaced has one, repeated with at most one space between two; spaces count. kMembers: parts[0] stands between two that are written; of the others, in
  /// order, those that are a repeat of 0 to 1 may be left out, and with `low` 1 not all of them.
  std::vector<Pattern> parts;
  int low = 0;                                        ///< kRepeat, kSpaced, kMembers
  int high = 0;                                       ///< kRepeat, kSpaced; kUnbounded for kRepeat only
  std::string slot;                                   ///< kSlot: name of the row's text
  std::string piece;                                  ///< kSlot: "text", "piece", "words", "tail" or "foreign"
  bool in_json = false;                               ///< kSlot: written inside a JSON string

  static Pattern literal(std::string text) { return {.kind = Kind::kBytes, .bytes = std::move(text)}; }
  static Pattern any_of(std::vector<Pattern> parts) { return {.kind = Kind::kAlternate, .parts = std::move(parts)}; }
  static Pattern sequence(std::vector<Pattern> parts) { return {.kind = Kind::kConcat, .parts = std::move(parts)}; }
  static Pattern repeat(Pattern part, int low, int high) {
    Pattern p{.kind = Kind::kRepeat, .low = low, .high = high};
    p.parts.push_back(std::move(part));
    return p;
  }
};

struct RegexOptions {
  bool has_slots = true;  ///< {name:kind} is a slot; otherwise an error.
  std::string where;      ///< For errors: where the expression stands.
};

/// Parses a regular expression that must match whole texts (docs/formats/guides.md). Throws kInvalidArgument with the
/// position for what is not supported: look-around, back-references, anchors inside, lazy or possessive repeats.
Pattern parse_regex(std::string_view source, const RegexOptions& options = {});

/// How slots become automaton pieces.
enum class SlotUse {
  kNone,    ///< Match the empty text only, so that what stands around them can be reached: what no row is needed for.
  kFilled,  ///< From `slots`. Throws kInvalidArgument naming a slot that is not there.
};

/// Automaton of the pattern. `collapse` turns bounded repeats into unbounded ones: the same texts and more, with far
/// fewer states, for questions like "which tokens can occur at all".
std::shared_ptr<const Nfa> build_nfa(const Pattern& pattern, SlotUse use, const Slots& slots, bool collapse = false);

/// JSON-escaped characters of a text, one string a code point. Throws kInvalidArgument if it is not UTF-8.
std::vector<std::string> json_characters(std::string_view text, bool escape);

}  // namespace onggi::decode
