#pragma once

#include <functional>
#include <string>

#include "onggi/core/json.h"
#include "onggi/decode/pattern.h"

namespace onggi::decode {

/// The language of a guide's spec: one of the kinds that guide.h names, or composed of other specs,
///   {"sequence": [spec, ...]}   one after the other
///   {"any_of": [spec, ...]}     one of them
///   {"repeat": spec}            any number of times, none too
/// The outermost may have "ends": "all" beside its kind (all_ends.h), which says nothing about the language. `at` is
/// the spec's own place, for errors: a JSON pointer that ends where the pointer of a schema begins. Throws as
/// compile_guide. `schema_part` makes what stands for a schema, of the spec that has it; empty: schema_pattern.
using SchemaPart = std::function<Pattern(const Json& spec)>;
Pattern spec_pattern(const Json& spec, const std::string& at = {}, const SchemaPart& schema_part = {});

}  // namespace onggi::decode
