#pragma once

#include <string>
#include <string_view>

#include "onggi/decode/pattern.h"

namespace onggi::decode {

struct RegexOptions {
  bool has_slots = true;  ///< {name:kind} is a slot; otherwise an error.
  /// As JSON Schema's "pattern" has it: ^ and $ are the bytes FF and FE, which no text has, repeats may be lazy, groups
  /// may have names, and a brace that begins no repeat stands for itself.
  bool has_anchors = false;
  std::string where;      ///< For errors: where the expression stands.
};

/// Parses a regular expression that must match whole texts (docs/formats/guides.md). Throws kInvalidArgument with the
/// position for what is not supported: look-around, back-references, anchors inside, lazy or possessive repeats.
Pattern parse_regex(std::string_view source, const RegexOptions& options = {});

}  // namespace onggi::decode
