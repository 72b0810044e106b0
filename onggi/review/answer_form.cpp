#include "onggi/review/answer_form.h"

#include <algorithm>
#include <array>

#include "onggi/core/error.h"
#include "onggi/datasets/answers.h"
#include "onggi/datasets/characters.h"

namespace onggi::review {
namespace {

constexpr std::array<const char*, 3> kThemeMembers = {"entity", "expression", "name"};
constexpr std::size_t kMaxThemes = 100;

std::string normal_text(const std::string& text) { return datasets::collapse_spaces(datasets::to_nfc(text)); }

Json normal_theme(const Json& theme, const std::string& where) {
  require(theme.is_object(), "a theme is no object of entity, expression and name", ErrorCode::kInvalidArgument, where);
  Json normal = Json::object();
  for (const char* member : kThemeMembers) {
    const auto found = theme.find(member);
    require(
        found != theme.end() && found->is_string(),
        [&] { return std::string("a theme has no text \"") + member + "\""; }, ErrorCode::kInvalidArgument, where);
    normal[member] = normal_text(found->get<std::string>());
  }
  return normal;
}

std::vector<std::string> sorted(std::vector<std::string> values) {
  std::ranges::sort(values);
  values.erase(std::unique(values.begin(), values.end()), values.end());
  return values;
}

/// As Python's json.dumps writes it, which is what guides call compact.
std::string spaced(const Json& value) {
  if (!value.is_structured()) return dump_json(value);
  std::string text = value.is_array() ? "[" : "{";
  for (auto it = value.begin(); it != value.end(); ++it) {
    if (it != value.begin()) text += ", ";
    if (value.is_object()) text += dump_json(it.key()) + ": ";
    text += spaced(*it);
  }
  return text + (value.is_array() ? "]" : "}");
}

}  // namespace

Json normal_answer(AnswerKind kind, const Json& answer, std::string_view where) {
  const std::string place(where);
  if (kind == AnswerKind::kText) {
    require(answer.is_string(), "the answer is no text", ErrorCode::kInvalidArgument, where);
    return datasets::to_nfc(answer.get<std::string>());
  }
  if (kind == AnswerKind::kJson) return answer;
  require(answer.is_array() && answer.size() <= kMaxThemes, "the answer is no list of themes",
          ErrorCode::kInvalidArgument, where);
  Json normal = Json::array();
  for (const auto& theme : answer) normal.push_back(normal_theme(theme, place));
  return normal;
}

std::string answer_text(AnswerKind kind, const Json& answer) {
  if (kind == AnswerKind::kText) return answer.get<std::string>();
  if (kind == AnswerKind::kJson) return spaced(answer);
  return datasets::cards_answer(datasets::cards_of(answer, "answer"));
}

std::vector<AnswerField> answer_fields(AnswerKind kind, const Json& answer) {
  if (kind == AnswerKind::kThemes) {
    std::vector<std::string> aspects, entities, themes, cards;
    for (const auto& theme : answer) {
      const std::string entity = theme["entity"], name = theme["name"];
      aspects.push_back(name);
      entities.push_back(entity);
      themes.push_back(dump_json(Json::array({entity, name})));
      cards.push_back(dump_json(theme));
    }
    return {{"aspects", sorted(aspects)},
            {"entities", sorted(entities)},
            {"themes", sorted(themes)},
            {"cards", sorted(cards)}};
  }
  if (!answer.is_object()) return {{"answer", {dump_json(answer)}}};
  std::vector<AnswerField> fields;
  for (const auto& [name, value] : answer.items()) fields.push_back({name, {dump_json(value)}});
  return fields;
}

std::vector<std::string> answer_labels(AnswerKind kind, const Json& answer) {
  if (kind != AnswerKind::kThemes) return {answer_text(kind, answer)};
  std::vector<std::string> names;
  for (const auto& theme : answer) names.push_back(theme["name"]);
  std::ranges::sort(names);
  return names;
}

AnswerKind kind_of_column(const Json& value, bool& is_json_text) {
  is_json_text = false;
  if (value.is_string()) {
    const auto& text = value.get_ref<const std::string&>();
    const auto begin = text.find_first_not_of(" \t\r\n");
    if (begin == std::string::npos || (text[begin] != '{' && text[begin] != '[')) return AnswerKind::kText;
    try {
      parse_json(text, "answer");
    } catch (const Error&) {
      return AnswerKind::kText;
    }
    is_json_text = true;
    return AnswerKind::kJson;
  }
  const bool are_themes =
      value.is_array() && std::ranges::all_of(value, [](const Json& item) {
        return item.is_object() && std::ranges::all_of(kThemeMembers, [&](const char* m) { return item.contains(m); });
      });
  return are_themes ? AnswerKind::kThemes : AnswerKind::kJson;
}

}  // namespace onggi::review
