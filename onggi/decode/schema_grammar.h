#pragma once

#include <memory>

#include "onggi/core/json.h"
#include "onggi/decode/pushdown.h"
#include "onggi/decode/schema_parts.h"

namespace onggi::decode {

/// Grammar of the JSON texts that a schema allows, enforced exactly: recursion, open objects and unions are rules.
/// Members stand in the order of "properties", then those that are required without being named there, then others in
/// any order. Throws kInvalidArgument naming keyword and JSON pointer for what can't be enforced, kExhausted for what
/// grows too large.
std::unique_ptr<Grammar> schema_grammar(const Json& schema, const SchemaReading& reading);

}  // namespace onggi::decode
