#include "onggi/review/checker.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "onggi/core/error.h"
#include "onggi/datasets/answers.h"
#include "onggi/datasets/characters.h"
#include "onggi/eval/themes.h"
#include "onggi/review/answer_form.h"
#include "onggi/review/byte_tokenizer.h"

namespace onggi::review {
namespace {

struct Rule {
  std::string_view code, field, message;
};
// What eval::card_faults may find, in the order of a card's fields.
constexpr std::array<Rule, 6> kCardRules = {{
    {"entity", "entity", "the entity is not a noun out of the product's name"},
    {"ending", "expression", "the expression does not end in an adnominal form"},
    {"length", "expression", "the expression does not have 5 to 30 characters"},
    {"words", "expression", "the expression has fewer than two words"},
    {"characters", "expression", "the expression has characters that a card can't hold"},
    {"aspect", "name", "the aspect is not on the list"},
}};

std::string text_of(const Json& fields, const char* name) {
  const auto found = fields.find(name);
  return found != fields.end() && found->is_string() ? found->get<std::string>() : std::string();
}

/// What a row gives to a guide: all columns that are texts or numbers.
decode::Slots slots_of(const Json& fields) {
  decode::Slots slots;
  for (const auto& [name, value] : fields.items()) {
    if (value.is_string()) slots.emplace_back(name, value.get<std::string>());
    if (value.is_number()) slots.emplace_back(name, dump_json(value));
  }
  return slots;
}

/// Bytes of the text that the guide's language has a text beginning with; npos: the text itself is of it.
std::size_t allowed_bytes(const decode::Guide& guide, const decode::Slots& slots, std::string_view text) {
  if (guide.accepts(text, slots)) return std::string_view::npos;
  const auto state = guide.start(slots);
  for (std::size_t i = 0; i < text.size(); ++i) {
    try {
      state->advance(static_cast<unsigned char>(text[i]));
    } catch (const Error&) {
      return i;
    }
  }
  return text.size();
}

}  // namespace

Checker::Checker(AnswerKind kind, const Json& guide) : kind_(kind), tokenizer_(byte_tokenizer()) {
  if (guide.is_null()) return;
  guide_ = decode::compile_guide(guide, tokenizer_);
  if (!guide.is_object() || !guide.contains("cards")) return;
  for (const auto& name : guide["cards"]["names"]) names_.push_back(name);
  max_themes_ = guide["cards"].value("max_cards", 3);
}

std::vector<Fault> Checker::check(const Json& fields, const Json& answer) const {
  std::vector<Fault> faults;
  if (kind_ == AnswerKind::kThemes) check_themes(fields, answer, faults);
  // The rules say in a person's words what the guide would only point at.
  if (faults.empty() && guide_) check_guide(fields, answer, faults);
  return faults;
}

void Checker::check_themes(const Json& fields, const Json& answer, std::vector<Fault>& faults) const {
  const auto cards = datasets::cards_of(answer, "answer");
  std::set<std::string> seen;
  for (std::size_t i = 0; i < cards.size(); ++i) {
    const int card = static_cast<int>(i);
    const std::array<std::pair<const char*, const std::string*>, 3> members = {
        {{"entity", &cards[i].entity}, {"expression", &cards[i].expression}, {"name", &cards[i].name}}};
    bool is_whole = true;
    for (const auto& [field, value] : members) {
      if (!value->empty()) continue;
      is_whole = false;
      faults.push_back(
          {.code = "empty", .card = card, .field = field, .message = std::string("the ") + field + " is empty"});
    }
    if (!is_whole) continue;
    const auto codes = eval::card_faults(cards[i], text_of(fields, "product"), names_);
    for (const auto& rule : kCardRules) {
      if (std::ranges::find(codes, rule.code) == codes.end()) continue;
      faults.push_back({.code = std::string(rule.code),
                        .card = card,
                        .field = std::string(rule.field),
                        .message = std::string(rule.message)});
    }
    if (!seen.insert(cards[i].name).second) {
      faults.push_back({.code = "again", .card = card, .field = "name", .message = "the aspect has a theme already"});
    }
  }
  if (max_themes_ > 0 && static_cast<int>(cards.size()) > max_themes_) {
    faults.push_back({.code = "many", .message = "more than " + std::to_string(max_themes_) + " themes"});
  }
}

void Checker::check_guide(const Json& fields, const Json& answer, std::vector<Fault>& faults) const {
  const std::string text = answer_text(kind_, answer);
  const decode::Slots slots = slots_of(fields);
  std::size_t end = 0;
  try {
    end = allowed_bytes(*guide_, slots, text);
  } catch (const Error& e) {  // A column that the guide quotes is missing or empty.
    faults.push_back({.code = "guide", .message = e.message(), .at = 0});
    return;
  }
  if (end == std::string::npos) return;
  const bool is_cut = end == text.size();
  while (end > 0 && !is_cut && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  Fault fault{.code = "guide",
              .message = is_cut ? "the guide wants more after the end" : "the guide allows nothing like this here",
              .at = static_cast<int>(datasets::num_characters(std::string_view(text).substr(0, end)))};
  if (kind_ == AnswerKind::kThemes) {
    // Cards are texts in a list: the one that the place lies in.
    std::size_t begin = 1;
    for (const auto& card : datasets::cards_of(answer, "answer")) {
      begin += dump_json(datasets::card_text(card)).size() + 2;
      ++fault.card;
      if (end < begin) break;
    }
  }
  faults.push_back(std::move(fault));
}

Json faults_json(std::span<const Fault> faults) {
  Json list = Json::array();
  for (const auto& fault : faults) {
    Json entry = {{"code", fault.code}, {"message", fault.message}};
    if (fault.card >= 0) entry["card"] = fault.card;
    if (!fault.field.empty()) entry["field"] = fault.field;
    if (fault.at >= 0) entry["at"] = fault.at;
    list.push_back(std::move(entry));
  }
  return list;
}

std::string fault_codes(std::span<const Fault> faults) {
  std::vector<std::string> codes;
  for (const auto& fault : faults) {
    if (std::ranges::find(codes, fault.code) == codes.end()) codes.push_back(fault.code);
  }
  return dump_json(Json(codes));
}

}  // namespace onggi::review
