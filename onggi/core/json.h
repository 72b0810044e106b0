#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace onggi {

/// JSON value that keeps member order. The library behind it is an implementation choice of this header.
using Json = nlohmann::ordered_json;

/// Parses strict JSON (RFC 8259): valid UTF-8, no duplicate member names, nesting at most `max_depth`.
/// Throws kCorrupt with line and column; `where` names the file or row.
Json parse_json(std::string_view text, std::string_view where, int max_depth = 128);

/// Compact text, non-ASCII kept as it is, members in their order. Throws kInvalidArgument on invalid UTF-8.
std::string dump_json(const Json& value, int indent = -1);

}  // namespace onggi
