#pragma once

#include <memory>
#include <string_view>

#include "onggi/decode/pushdown.h"

namespace onggi::decode {

/// Grammar of an EBNF text (docs/formats/guides.md), whose start is the rule "root". Throws kInvalidArgument with line
/// and rule for what is wrong in it, calls itself first by way of other rules, or has no text.
std::unique_ptr<Grammar> parse_ebnf(std::string_view source);

}  // namespace onggi::decode
