#pragma once

#include <cstdint>
#include <optional>

#include "onggi/core/json.h"
#include "onggi/decode/regex.h"

namespace onggi::decode {

/// The white space between the tokens of a JSON text.
struct JsonSpacing {
  Pattern comma;  ///< With what stands around it.
  Pattern colon;
  Pattern inside;  ///< After an opening bracket and before a closing one.
};

/// Texts that match nothing: an alternative of no parts.
Pattern nothing();

/// The one text that this project writes for a value: members in order, ", " and ": " or any white space, strings with
/// the shortest escapes (those of Python's json.dumps with ensure_ascii off), whole numbers without fraction.
Pattern json_value(const Json& value, const JsonSpacing& spacing);

/// Any JSON string of `low` to `high` code points (Pattern::kUnbounded), with its quotes, in every legal spelling but
/// lone surrogates.
Pattern json_string(int low, int high);

/// A string whose characters match `content`, with its quotes. `content` is read as characters of the string's value;
/// each is spelt in the shortest way. Slots are filled in the same spelling.
Pattern json_string_of(Pattern content);

/// Whole numbers without fraction, exponent or minus zero, of at most 100 digits, within the bounds that are given.
Pattern json_integer(std::optional<std::int64_t> low, std::optional<std::int64_t> high);

/// JSON numbers of at most 100 digits before the point and exponents of -999 to 199; with `negative` off those that are not below zero.
Pattern json_number(bool negative);

/// Fewest and most characters that a pattern can match (Pattern::kUnbounded). Empty with a slot, whose length depends
/// on the row.
std::optional<std::pair<int, int>> length_range(const Pattern& pattern);

}  // namespace onggi::decode
