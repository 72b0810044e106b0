#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace onggi::eval {

/// Turns a clause of a review into a phrase that stands before a noun ("jal heupsudwaeyo" -> "jal heupsudoeneun"), by a table
/// of endings. At most 30 characters, from the end of the clause. Nothing where no rule fits or too little is left
/// (two words and 5 characters are needed).
std::optional<std::string> adnominal_phrase(std::string_view clause);

/// "{aspect} is good" before a noun, with the right particle: what can be said of an aspect where no clause serves.
std::string plain_expression(std::string_view aspect);

}  // namespace onggi::eval
