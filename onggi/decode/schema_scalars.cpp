#include "onggi/decode/schema_scalars.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "onggi/core/error.h"
#include "onggi/decode/json_patterns.h"
#include "onggi/decode/rule_machine.h"

namespace onggi::decode {
namespace {

constexpr int kMaxNameLength = 256;  ///< Where a length bounds the names of members.

int code_points(const std::string& text) {
  return static_cast<int>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}
bool fits(const Conjunction& c, const std::string& text) {
  const int length = code_points(text);
  if (length < c.min_length || (c.max_length >= 0 && length > c.max_length)) return false;
  const auto holds = [&](const auto& dfa) { return dfa->accepts(text); };
  return std::all_of(c.texts.begin(), c.texts.end(), holds) &&
         std::none_of(c.other_texts.begin(), c.other_texts.end(), holds) &&
         std::find(c.excluded_texts.begin(), c.excluded_texts.end(), text) == c.excluded_texts.end();
}

}  // namespace

int add_machine(Grammar& grammar, std::unique_ptr<Machine> machine) {
  grammar.machines.push_back(std::move(machine));
  return static_cast<int>(grammar.machines.size()) - 1;
}

std::string spelt(const std::string& text) { return dump_json(Json(text)); }

/// A machine of some texts, made once for each description of it.
int ScalarMachines::literal_machine(const std::vector<Pattern>& texts, const std::string& key) {
  const auto [at, is_new] = machines_.try_emplace(key, -1);
  if (is_new)
    at->second =
        add_machine(grammar_, std::make_unique<RuleMachine>(build_nfa(Pattern::any_of(texts), SlotUse::kNone, {}),
                                                            std::vector<int>(), std::vector<SlotContent>()));
  return at->second;
}

void ScalarMachines::add(const Conjunction& c, std::vector<int>& machines) {
  const auto add = [&](int machine) {
    if (machine >= 0 && std::find(machines.begin(), machines.end(), machine) == machines.end())
      machines.push_back(machine);
  };
  std::vector<Pattern> words;
  if ((c.types & kNullType) != 0) words.push_back(Pattern::literal("null"));
  if ((c.types & kTrueType) != 0) words.push_back(Pattern::literal("true"));
  if ((c.types & kFalseType) != 0) words.push_back(Pattern::literal("false"));
  if (!words.empty()) add(literal_machine(words, "words " + std::to_string(c.types & 7)));
  if ((c.types & kStringType) != 0) add(string_machine(c));
  if ((c.types & kNumberTypes) != 0) add(number_machine(c));
}

/// Everything that a string's value is held to but its lengths; null: nothing.
std::shared_ptr<const ByteDfa> ScalarMachines::content_of(const Conjunction& c) {
  if (c.texts.empty() && c.other_texts.empty() && c.excluded_texts.empty()) return nullptr;
  std::string key;
  for (const auto& part : c.texts) key += std::to_string(reinterpret_cast<std::uintptr_t>(part.get())) + "+";
  for (const auto& part : c.other_texts) key += std::to_string(reinterpret_cast<std::uintptr_t>(part.get())) + "-";
  for (const auto& text : c.excluded_texts) key += spelt(text);
  auto& kept = contents_[key];
  if (kept) return kept;
  ByteDfa all = c.texts.empty() ? ByteDfa::universal() : *c.texts[0];
  for (std::size_t i = 1; i < c.texts.size(); ++i) all = ByteDfa::both(all, *c.texts[i]);
  for (const auto& part : c.other_texts) all = ByteDfa::minus(all, *part);
  if (!c.excluded_texts.empty()) all = ByteDfa::minus(all, ByteDfa::of_texts(c.excluded_texts));
  return kept = std::make_shared<const ByteDfa>(std::move(all));
}

int ScalarMachines::string_machine(const Conjunction& c) {
  if (c.listed_texts) {
    std::vector<Pattern> texts;
    std::string key = "texts ";
    for (const std::string& text : *c.listed_texts) {
      if (!fits(c, text)) continue;
      texts.push_back(Pattern::literal(spelt(text)));
      key += spelt(text);
    }
    return texts.empty() ? -1 : literal_machine(texts, key);
  }
  const StringSpec spec{content_of(c), c.min_length, c.max_length, nullptr};
  return string_machine(spec);
}

int ScalarMachines::string_machine(const StringSpec& spec) {
  const std::string key = "string " + std::to_string(reinterpret_cast<std::uintptr_t>(spec.content.get())) + " " +
                          std::to_string(spec.min_length) + " " + std::to_string(spec.max_length) + " " +
                          std::to_string(reinterpret_cast<std::uintptr_t>(spec.excluded.get()));
  const auto [at, is_new] = machines_.try_emplace(key, -1);
  if (!is_new) return at->second;
  if (spec.content && spec.content->is_empty()) return -1;
  auto machine = std::make_unique<StringMachine>(spec);
  if (!machine->is_empty()) at->second = add_machine(grammar_, std::move(machine));
  return at->second;
}

NumberSpec ScalarMachines::number_spec(const Conjunction& c) const {
  NumberSpec spec = c.numbers;
  spec.is_whole = (c.types & kFractionType) == 0;
  spec.has_all_forms =
      reading_.is_flexible && !(spec.is_whole && document_.draft() == Draft::k4);  // There 1.0 is no integer.
  return spec;
}

std::vector<Json> ScalarMachines::listed_numbers(const Conjunction& c) const {
  const NumberSpec spec = number_spec(c);
  std::vector<Json> out;
  for (const Json& number : *c.listed_numbers) {
    const Decimal value = decimal_of(number);
    if ((c.types & (value.is_whole() ? kWholeType : kFractionType)) != 0 && spec.holds(value)) out.push_back(number);
  }
  return out;
}

std::vector<NumberSpec> ScalarMachines::numbers_of(const Conjunction& c) const {
  NumberSpec spec = number_spec(c);
  if (c.listed_numbers) {
    std::vector<NumberSpec> out;
    for (const Json& number : listed_numbers(c)) {
      const Bound bound{decimal_of(number), false};
      NumberSpec one;
      one.is_whole = bound.value.is_whole();
      one.low = one.high = bound;
      one.has_all_forms = spec.has_all_forms;
      out.push_back(std::move(one));
    }
    return out;
  }
  if ((c.types & kWholeType) == 0) {
    require(spec.factors.empty(), "guide schema: \"multipleOf\" of numbers that must not be whole is not supported",
            ErrorCode::kInvalidArgument);
    spec.is_fraction = true;
  }
  return {std::move(spec)};
}

StringSpec ScalarMachines::strings_of(const Conjunction& c) {
  if (c.listed_texts) {
    std::vector<std::string> texts = *c.listed_texts;
    std::erase_if(texts, [&](const std::string& text) { return !fits(c, text); });
    return {std::make_shared<const ByteDfa>(ByteDfa::of_texts(texts)), 0, -1, nullptr};
  }
  auto content = content_of(c);
  if (!content) content = {std::shared_ptr<void>(), &ByteDfa::universal()};
  return {std::move(content), c.min_length, c.max_length, nullptr};
}

int ScalarMachines::number_machine(const Conjunction& c) {
  if (c.listed_numbers) {
    std::vector<Pattern> texts;
    std::string key = "numbers ";
    for (const Json& number : listed_numbers(c)) {
      texts.push_back(number_text(number));
      key += number.dump() + " ";
    }
    return texts.empty() ? -1 : literal_machine(texts, key);
  }
  NumberSpec spec = numbers_of(c)[0];
  std::string key = "number " + std::to_string(spec.is_whole) + std::to_string(spec.is_fraction);
  for (const auto* bound : {&spec.low, &spec.high})
    key += *bound ? " " + (*bound)->value.text() + ((*bound)->is_open ? "<" : "=") : " none";
  for (const Decimal& factor : spec.factors) key += " *" + factor.text();
  for (const Decimal& value : spec.excluded) key += " -" + value.text();
  const auto [at, is_new] = machines_.try_emplace(key, -1);
  if (!is_new) return at->second;
  auto machine = std::make_unique<NumberMachine>(std::move(spec));
  if (!machine->is_empty()) at->second = add_machine(grammar_, std::move(machine));
  return at->second;
}

/// The forms of one number: as it is listed, and with zeros at the end of its fraction where every form is taken.
Pattern ScalarMachines::number_text(const Json& number) const {
  const JsonSpacing none{Pattern::literal(", "), Pattern::literal(": "), {}};
  if (!reading_.is_flexible) return json_value(number, none);
  std::string text = number.dump();
  if (text.find_first_of("eE") != std::string::npos) return Pattern::literal(text);
  const auto point = text.find('.');
  if (point != std::string::npos) {
    text.erase(text.find_last_not_of('0') + 1);
    if (text.ends_with('.')) text.pop_back();
  }
  const Pattern zeros = Pattern::repeat(Pattern::literal("0"), 0, Pattern::kUnbounded);
  if (text.find('.') != std::string::npos) return Pattern::sequence({Pattern::literal(text), zeros});
  const Pattern fraction = Pattern::repeat(Pattern::sequence({Pattern::literal(".0"), zeros}), 0, 1);
  return Pattern::sequence({Pattern::literal(text), fraction});
}

ByteDfa ScalarMachines::texts_of(const Conjunction& c, const Json& from) {
  if (c.listed_texts) {
    std::vector<std::string> texts = *c.listed_texts;
    std::erase_if(texts, [&](const std::string& text) { return !fits(c, text); });
    return ByteDfa::of_texts(texts);
  }
  const auto content = content_of(c);
  const ByteDfa& some = content ? *content : ByteDfa::universal();
  if (c.min_length == 0 && c.max_length < 0) return some;
  if (c.max_length >= 0 && c.max_length < c.min_length) return ByteDfa::of_texts({});
  if (c.min_length > kMaxNameLength || c.max_length > kMaxNameLength)
    document_.refuse(from, "maxLength", "of names is too large");
  const Pattern any{.kind = Pattern::Kind::kClass, .ranges = {{0, 0x10FFFF}}};
  return ByteDfa::both(some, ByteDfa::of_pattern(Pattern::repeat(
                                 any, c.min_length, c.max_length < 0 ? Pattern::kUnbounded : c.max_length)));
}

}  // namespace onggi::decode
