#pragma once

#include <string>

#include "onggi/core/json.h"
#include "onggi/decode/regex.h"

namespace onggi::decode {

/// Language of the JSON texts that a schema allows (draft 2020-12; the subset in docs/formats/guides.md), enforced
/// exactly: members stand in the schema's order, numbers and enumerated values in the form of json_patterns.h.
/// `whitespace` is "compact" (", " and ": ", as Python's json.dumps) or "flexible" (any, between tokens).
/// Throws kInvalidArgument naming keyword and JSON pointer for what can't be enforced, kExhausted for a schema that
/// grows too large once its references are written out.
Pattern schema_pattern(const Json& schema, const std::string& whitespace);

}  // namespace onggi::decode
