#pragma once

#include <string>
#include <string_view>

#include "onggi/core/json.h"

namespace onggi::decode {

/// JSON that keeps integers of any size and the difference between 1 and 1.0: a number that a double or 64 bits can't
/// hold becomes {"\1number": "its text"}, which python_text writes back. For suites of instances.
Json parse_json_exactly(std::string_view text);

/// The value as Python's json.dumps writes it with ensure_ascii off: ", " and ": ", members in order, floats with at
/// least one decimal or as 1e-05.
std::string python_text(const Json& value);

}  // namespace onggi::decode
