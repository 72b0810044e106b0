#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "onggi/core/json.h"
#include "onggi/review/records.h"

namespace onggi::review {

/// Longest answer that is taken, in bytes of its JSON text.
inline constexpr std::size_t kMaxAnswerBytes = 64 << 10;

/// The one form of equal answers. Themes: a list of {entity, expression, name}, each in NFC with single spaces, without
/// what else stands in it. Text: in
/// NFC. JSON: as it is. Throws kInvalidArgument naming the place for what is no answer of the kind.
Json normal_answer(AnswerKind kind, const Json& answer, std::string_view where);

/// What the guide judges and a model would write: cards as one JSON list of texts, JSON with ", " and ": " between,
/// text as it is. `answer` in normal form.
std::string answer_text(AnswerKind kind, const Json& answer);

/// A part of an answer that people may agree about, and their values of it: a set, of one value in most cases.
struct AnswerField {
  std::string name;
  std::vector<std::string> values;  ///< Ascending, none twice.
};
/// Themes: aspects, entities, themes (pairs of entity and aspect), cards. JSON objects: their members. Else: answer.
std::vector<AnswerField> answer_fields(AnswerKind kind, const Json& answer);

/// What an answer has in common with others, for people who look through many at once: the aspects of themes, else the
/// answer itself.
std::vector<std::string> answer_labels(AnswerKind kind, const Json& answer);

/// Of a row's column: lists of themes, other JSON, a text that is JSON, or another text. `is_json_text` is set where
/// the column is a JSON value written as text.
AnswerKind kind_of_column(const Json& value, bool& is_json_text);

}  // namespace onggi::review
