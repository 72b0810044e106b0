#include "onggi/decode/cards.h"

#include <algorithm>
#include <array>

#include "onggi/core/error.h"

namespace onggi::decode {
namespace {

std::string text_of(const Json& spec, const char* key, const char* fallback) {
  const Json value = spec.value(key, Json(fallback));
  require(value.is_string() && !value.get_ref<const std::string&>().empty(), [&] { return std::string("guide: /cards/") + key + " is no text"; });
  return value.get<std::string>();
}

int whole(const Json& value, int low, int high, const char* key) {
  require(value.is_number_integer() && value.get<double>() >= low && value.get<double>() <= high, [&] {
    return std::string("guide: /cards/") + key + " holds " + dump_json(value) + ", expected a whole number of " + std::to_string(low) + " to " + std::to_string(high);
  });
  return value.get<int>();
}

/// The characters of an expression but the space, which is written between them.
Pattern letters(const std::string& source) {
  Pattern all = parse_regex(source, {.has_slots = false, .where = "/cards/expression_class"});
  require(all.kind == Pattern::Kind::kClass, "guide: /cards/expression_class is no character class");
  std::vector<std::pair<char32_t, char32_t>> kept;
  for (const auto& [low, high] : all.ranges) {
    for (const char32_t c : {U'"', U'\\', U'\''}) {
      require(low >= U' ' && (c < low || c > high), "guide: /cards/expression_class must hold no quotes, backslash or control characters");
    }
    if (low > U' ') kept.emplace_back(low, high);
    if (low == U' ' && high > U' ') kept.emplace_back(U' ' + 1, high);
  }
  all.ranges = std::move(kept);
  return all;
}

/// Hangul syllables whose final consonant is nieun or rieul: how every adnominal form ends. A precomposed syllable is
/// 0xAC00 + (initial x 21 + vowel) x 28 + final, with nieun the 4th and rieul the 8th final (Unicode 3.12).
Pattern adnominal_syllables() {
  Pattern all{.kind = Pattern::Kind::kClass};
  for (char32_t open = 0xAC00; open <= 0xD788; open += 28) {
    for (const char32_t final : {4, 8}) all.ranges.emplace_back(open + final, open + final);
  }
  return all;
}

}  // namespace

Pattern cards_pattern(const Json& spec) {
  require(spec.is_object(), "guide: \"cards\" is no object");
  static constexpr std::array<std::string_view, 10> kKeys = {"names", "entity_slot", "entity", "extra_entities", "expression_class",
                                                             "expression_slots", "expression_length", "expression_words", "expression_ending", "max_cards"};
  for (const auto& [key, value] : spec.items()) {
    require(std::find(kKeys.begin(), kKeys.end(), key) != kKeys.end(), [&, &key = key] { return "guide: /cards/" + key + " is not known"; });
  }
  const auto texts = [&](const char* key, Json fallback) {
    const Json list = spec.value(key, std::move(fallback));
    require(list.is_array(), [&] { return std::string("guide: /cards/") + key + " is no list"; });
    std::vector<std::string> out;
    for (const auto& item : list) {
      require(item.is_string() && !item.get_ref<const std::string&>().empty(), [&] { return std::string("guide: /cards/") + key + " holds something that is no text"; });
      out.push_back(item.get<std::string>());
    }
    return out;
  };
  const auto in_json = [](const std::string& text) {
    std::string all;
    for (const auto& c : json_characters(text, true)) all += c;
    return Pattern::literal(all);
  };

  std::vector<Pattern> names;
  for (const auto& name : texts("names", Json::array())) names.push_back(in_json(name));
  require(!names.empty(), "guide: /cards/names is missing or empty");

  std::vector<Pattern> entities;
  Pattern entity{.kind = Pattern::Kind::kSlot, .slot = text_of(spec, "entity_slot", "product"), .piece = text_of(spec, "entity", "tail"), .in_json = true};
  require(entity.piece == "noun" || entity.piece == "tail" || entity.piece == "words" || entity.piece == "piece",
          [&] { return "guide: /cards/entity is \"" + entity.piece + "\", expected noun, tail, words or piece"; });
  entities.push_back(std::move(entity));
  for (const auto& extra : texts("extra_entities", Json::array())) entities.push_back(in_json(extra));

  std::vector<Pattern> unit = {letters(text_of(spec, "expression_class", "[\\p{Hangul}0-9.,%]"))};
  for (const auto& slot : texts("expression_slots", Json::array({"product", "review"}))) {
    unit.push_back({.kind = Pattern::Kind::kSlot, .slot = slot, .piece = "foreign", .in_json = true});
  }
  const Json length = spec.value("expression_length", Json::array({2, 40}));
  require(length.is_array() && length.size() == 2, "guide: /cards/expression_length is no list of two");
  Pattern expression{.kind = Pattern::Kind::kSpaced};
  expression.low = whole(length[0], 1, 400, "expression_length");
  expression.high = whole(length[1], expression.low, 400, "expression_length");
  expression.parts.push_back(Pattern::any_of(std::move(unit)));
  expression.needs_space = whole(spec.value("expression_words", Json(1)), 1, 2, "expression_words") == 2;
  if (spec.contains("expression_ending")) {
    const std::string ending = text_of(spec, "expression_ending", "adnominal");
    require(ending == "adnominal", [&] { return "guide: /cards/expression_ending is \"" + ending + "\", expected adnominal"; });
    expression.parts.push_back(adnominal_syllables());
  }

  const Pattern card = Pattern::sequence({Pattern::literal("\""), expression, Pattern::literal(" '"), Pattern::any_of(std::move(entities)),
                                          Pattern::literal("' : "), Pattern::any_of(std::move(names)), Pattern::literal("\"")});
  const int max_cards = whole(spec.value("max_cards", Json(3)), 1, 100, "max_cards");
  const Pattern more = Pattern::repeat(Pattern::sequence({Pattern::literal(", "), card}), 0, max_cards - 1);
  return Pattern::sequence({Pattern::literal("["), Pattern::repeat(Pattern::sequence({card, more}), 0, 1), Pattern::literal("]")});
}

}  // namespace onggi::decode
