#pragma once

#include <memory>

#include "onggi/core/json.h"
#include "onggi/decode/guide.h"

namespace onggi::decode {

/// The guide of a spec whose kind is "grammar" or "json_object", or "schema": a grammar where it is no regular
/// language, or where it asks for one. Null for other kinds. Throws as compile_guide.
std::shared_ptr<const Guide> grammar_guide(const Json& spec, const std::shared_ptr<const text::Tokenizer>& tokenizer);

}  // namespace onggi::decode
