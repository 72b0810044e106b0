#include "onggi/review/records.h"

#include <array>
#include <utility>

#include "onggi/core/error.h"

namespace onggi::review {

std::string_view kind_name(AnswerKind kind) {
  static constexpr std::array<std::string_view, 3> kNames = {"themes", "json", "text"};
  return kNames[static_cast<std::size_t>(kind)];
}

AnswerKind kind_from_name(std::string_view name) {
  for (const auto kind : {AnswerKind::kThemes, AnswerKind::kJson, AnswerKind::kText})
    if (kind_name(kind) == name) return kind;
  throw Error(ErrorCode::kInvalidArgument, "kind is \"" + std::string(name) + "\", expected themes, json or text");
}

std::string_view event_name(EventKind kind) {
  static constexpr std::array<std::string_view, 3> kNames = {"decide", "undo", "settle"};
  return kNames[static_cast<std::size_t>(kind)];
}

std::string_view action_name(Action action) {
  static constexpr std::array<std::string_view, 4> kNames = {"accept", "edit", "reject", "skip"};
  return kNames[static_cast<std::size_t>(action)];
}

}  // namespace onggi::review
