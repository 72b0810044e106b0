#pragma once

#include <memory>

#include "onggi/core/json.h"
#include "onggi/decode/pushdown.h"

namespace onggi::decode {

/// Grammar of a guide composed by "sequence", "any_of" and "repeat", whose schemas may be other than regular languages:
/// recursive, unions, conditions. Not those with objects of names that they do not list: which names are written is
/// only known for a text that is JSON as a whole. Nothing in it may quote a row. Throws as compile_guide.
std::unique_ptr<Grammar> composed_grammar(const Json& spec);

/// Whether a schema, as it stands in a guide's spec, can be part of a composed guide. Throws why not.
void check_part(const Json& schema_spec);

}  // namespace onggi::decode
