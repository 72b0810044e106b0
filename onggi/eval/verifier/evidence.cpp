#include "onggi/eval/verifier/evidence.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <set>

#include "onggi/core/error.h"
#include "onggi/datasets/characters.h"

namespace onggi::eval {
namespace {

constexpr std::array<std::string_view, 3> kFormNames = {"plain", "fields", "samples"};

std::u32string without_spaces(std::string_view text) {
  auto points = datasets::to_code_points(text);
  std::erase(points, U' ');
  return points;
}

/// "/0#entity" as (0, "entity"); nothing for pointers of other forms.
std::optional<std::pair<std::size_t, std::string_view>> card_part(std::string_view pointer) {
  const auto hash = pointer.find('#');
  if (hash == std::string_view::npos || hash < 2 || pointer[0] != '/') return std::nullopt;
  std::size_t index = 0;
  for (const char c : pointer.substr(1, hash - 1)) {
    if (c < '0' || c > '9' || index > 1000) return std::nullopt;
    index = index * 10 + static_cast<std::size_t>(c - '0');
  }
  return std::pair{index, pointer.substr(hash + 1)};
}

std::vector<CardSupport> support_of(const Json& fields, std::size_t num_cards, const std::string& where) {
  std::vector<CardSupport> support(num_cards);
  for (const auto& field : fields) {
    require(field.is_object() && field.contains("field") && field["field"].is_string() &&
                field.contains("log_probability") && field["log_probability"].is_number(),
            "a field is not {\"field\", \"log_probability\"}", ErrorCode::kCorrupt, where);
    const auto& pointer = field["field"].get_ref<const std::string&>();
    const auto part = card_part(pointer);
    if (!part || part->first >= num_cards) continue;
    auto& card = support[part->first];
    const double value = field["log_probability"].get<double>();
    if (part->second == "entity") card.log_entity = value;
    if (part->second == "expression") card.log_expression = value;
    if (part->second == "name") card.log_name = value;
  }
  return support;
}

SupportedAnswer answer_of(const datasets::Row& row) {
  const auto& line = row.fields;
  SupportedAnswer answer{.id = row.id, .cards = {}, .support = {}, .samples = {}};
  if (line.contains("text") && line["text"].is_string())
    answer.cards = datasets::parse_cards(line["text"].get_ref<const std::string&>());
  if (answer.cards && line.contains("fields"))
    answer.support = support_of(line["fields"], answer.cards->size(), datasets::place_of(row));
  if (line.contains("samples")) {
    for (const auto& sample : line["samples"]) {
      if (!sample.is_object() || !sample.contains("text") || !sample["text"].is_string()) continue;
      if (auto cards = datasets::parse_cards(sample["text"].get_ref<const std::string&>()))
        answer.samples.push_back(std::move(*cards));
    }
  }
  return answer;
}

AnswerForm form_of(const Json& line) {
  if (line.contains("samples")) return AnswerForm::kSamples;
  return line.contains("fields") ? AnswerForm::kFields : AnswerForm::kPlain;
}

/// Share of the samples with a card for which `is_same` holds.
template <class Same>
double share_with(const SupportedAnswer& answer, const Same& is_same) {
  if (answer.samples.empty()) return 0;
  const auto with =
      std::ranges::count_if(answer.samples, [&](const auto& s) { return std::ranges::any_of(s, is_same); });
  return static_cast<double>(with) / static_cast<double>(answer.samples.size());
}

double rating_of(const std::string& text) {
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  return text.empty() || *end != '\0' || !std::isfinite(value) ? 0 : std::clamp(value, 0.0, 10.0);
}

template <class Map>
double value_or_0(const Map& map, const std::string& key) {
  const auto found = map.find(key);
  return found == map.end() ? 0 : found->second;
}

}  // namespace

std::string_view form_name(AnswerForm form) { return kFormNames[static_cast<std::size_t>(form)]; }

AnswerForm form_from_name(std::string_view name, std::string_view where) {
  const auto found = std::ranges::find(kFormNames, name);
  require(found != kFormNames.end(), "\"" + std::string(name) + "\" is no form of answers: plain, fields or samples",
          ErrorCode::kInvalidArgument, where);
  return static_cast<AnswerForm>(found - kFormNames.begin());
}

SupportedAnswers read_supported_answers(const std::filesystem::path& path) {
  SupportedAnswers answers;
  bool is_known = false;
  for (const auto& row : datasets::read_rows(path)) {
    answers.rows.push_back(answer_of(row));
    if (!answers.rows.back().cards) continue;  // a failed row has no fields
    const auto form = form_of(row.fields);
    if (!is_known) answers.form = form;
    is_known = true;
    require(
        form == answers.form,
        [&] {
          return "this line has " + std::string(form_name(form)) + ", those before it " +
                 std::string(form_name(answers.form));
        },
        ErrorCode::kCorrupt, datasets::place_of(row));
  }
  return answers;
}

std::vector<std::string_view> evidence_names(AnswerForm form, bool has_rules) {
  std::vector<std::string_view> names = {"faults", "copied", "pairs", "rating", "cards", "position", "review_length"};
  if (form == AnswerForm::kFields) names.insert(names.end(), {"log_entity", "log_expression", "log_name"});
  if (form == AnswerForm::kSamples)
    names.insert(names.end(), {"share_name", "share_entity", "share_card", "share_any"});
  if (has_rules) names.insert(names.end(), {"rules_name", "rules_entity"});
  return names;
}

double copied_share(std::string_view part, std::string_view whole) {
  const auto a = without_spaces(part), b = without_spaces(whole);
  if (a.empty()) return 0;
  std::size_t longest = 0;
  std::vector<std::size_t> before(b.size() + 1), now(b.size() + 1);  // run that ends at each place of b
  for (const char32_t c : a) {
    for (std::size_t j = 0; j < b.size(); ++j) {
      now[j + 1] = c == b[j] ? before[j] + 1 : 0;
      longest = std::max(longest, now[j + 1]);
    }
    std::swap(before, now);
  }
  return static_cast<double>(longest) / static_cast<double>(a.size());
}

double shared_pairs(std::string_view part, std::string_view whole) {
  const auto a = without_spaces(part), b = without_spaces(whole);
  if (a.size() < 2) return 0;
  std::set<std::pair<char32_t, char32_t>> there;
  for (std::size_t i = 0; i + 1 < b.size(); ++i) there.emplace(b[i], b[i + 1]);
  std::size_t shared = 0;
  for (std::size_t i = 0; i + 1 < a.size(); ++i) shared += there.contains({a[i], a[i + 1]}) ? 1 : 0;
  return static_cast<double>(shared) / static_cast<double>(a.size() - 1);
}

std::vector<std::vector<double>> card_evidence(const ThemeRow& row, const SupportedAnswer& answer, AnswerForm form,
                                               const RuleExtractor* rules, std::span<const std::string> names) {
  if (!answer.cards || answer.cards->empty()) return {};
  require(form != AnswerForm::kFields || answer.support.size() == answer.cards->size(),
          "the answer of row " + row.id + " has no probabilities of its fields");
  std::optional<RuleExtractor::Opinion> opinion;
  if (rules != nullptr) opinion = rules->opinion(row);
  std::vector<std::vector<double>> all;
  for (std::size_t i = 0; i < answer.cards->size(); ++i) {
    const Card& card = (*answer.cards)[i];
    std::vector<double> evidence = {static_cast<double>(card_faults(card, row.product, names).size()),
                                    copied_share(card.expression, row.review),
                                    shared_pairs(card.expression, row.review),
                                    rating_of(row.rating),
                                    static_cast<double>(answer.cards->size()),
                                    static_cast<double>(i),
                                    std::log1p(static_cast<double>(datasets::num_characters(row.review)))};
    if (form == AnswerForm::kFields) {
      const auto& s = answer.support[i];
      const auto length = static_cast<double>(std::max<std::size_t>(1, datasets::num_characters(card.expression)));
      evidence.insert(evidence.end(), {s.log_entity, s.log_expression / length, s.log_name});
    }
    if (form == AnswerForm::kSamples) {
      const auto is_pair = [&](const Card& c) { return c.name == card.name && c.entity == card.entity; };
      evidence.insert(evidence.end(),
                      {share_with(answer, [&](const Card& c) { return c.name == card.name; }),
                       share_with(answer, [&](const Card& c) { return c.entity == card.entity; }),
                       share_with(answer, is_pair), share_with(answer, [](const Card&) { return true; })});
    }
    if (opinion) {
      evidence.push_back(value_or_0(opinion->names, card.name));
      evidence.push_back(value_or_0(opinion->entities, card.entity));
    }
    all.push_back(std::move(evidence));
  }
  return all;
}

}  // namespace onggi::eval
