#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace onggi::runtime {

/// A value inside a JSON answer and the bytes it takes there.
struct FieldSpan {
  std::string pointer;  ///< JSON pointer; a review-theme card adds "#expression", "#entity" or "#name".
  std::size_t begin = 0;
  std::size_t end = 0;
};

/// Spans of all string, number and literal values of a JSON text, in their order (strings without their quotes). Cards
/// "{expression} '{entity}' : {name}" are split into their three parts. Empty for text that is not JSON.
std::vector<FieldSpan> find_fields(std::string_view json_text);

}  // namespace onggi::runtime
