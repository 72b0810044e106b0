#include "onggi/decode/cards.h"

#include <algorithm>
#include <array>

#include "onggi/core/error.h"

namespace onggi::decode {

Pattern cards_pattern(const Json& spec) {
  require(spec.is_object(), "guide: \"cards\" is no object");
  static constexpr std::array<std::string_view, 8> kKeys = {"names", "entity_slot", "entity", "extra_entities", "expression_class",
                                                            "expression_slots", "expression_length", "max_cards"};
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
  Pattern entity{.kind = Pattern::Kind::kSlot, .slot = spec.value("entity_slot", "product"), .piece = spec.value("entity", "tail"), .in_json = true};
  require(entity.piece == "tail" || entity.piece == "words" || entity.piece == "piece",
          [&] { return "guide: /cards/entity is \"" + entity.piece + "\", expected tail, words or piece"; });
  entities.push_back(std::move(entity));
  for (const auto& extra : texts("extra_entities", Json::array())) entities.push_back(in_json(extra));

  // A unit of an expression is one character, or a run of letters and digits that stands in the row.
  Pattern character = parse_regex(spec.value("expression_class", "[\\p{Hangul}0-9.,%]"));
  require(character.kind == Pattern::Kind::kClass, "guide: /cards/expression_class is no character class");
  std::erase_if(character.ranges, [](const auto& r) { return r.first == U' ' && r.second == U' '; });
  for (const auto& [low, high] : character.ranges) {
    for (const char32_t c : {U'"', U'\\', U'\''}) {
      require(c < low || c > high, "guide: /cards/expression_class must hold neither quotes nor the backslash");
    }
  }
  std::vector<Pattern> unit = {std::move(character)};
  for (const auto& slot : texts("expression_slots", Json::array({"product", "review"}))) {
    unit.push_back({.kind = Pattern::Kind::kSlot, .slot = slot, .piece = "foreign", .in_json = true});
  }
  const Pattern one = Pattern::any_of(std::move(unit));
  const Json length = spec.value("expression_length", Json::array({2, 40}));
  require(length.is_array() && length.size() == 2 && length[0].is_number_integer() && length[1].is_number_integer() &&
              length[0].get<int>() >= 1 && length[1].get<int>() >= length[0].get<int>() && length[1].get<int>() <= 400,
          "guide: /cards/expression_length is no [low, high] within 1 and 400");
  // No space at either end and none doubled: a unit, then units that may each have one space before them.
  const int low = (length[0].get<int>() + 1) / 2;
  const Pattern spaced = Pattern::sequence({Pattern::repeat(Pattern::literal(" "), 0, 1), one});
  const Pattern expression = Pattern::sequence({one, Pattern::repeat(spaced, low > 0 ? low - 1 : 0, length[1].get<int>() - 1)});

  const Pattern card = Pattern::sequence({Pattern::literal("\""), expression, Pattern::literal(" '"), Pattern::any_of(std::move(entities)),
                                          Pattern::literal("' : "), Pattern::any_of(std::move(names)), Pattern::literal("\"")});
  const int max_cards = spec.value("max_cards", 3);
  require(max_cards >= 1 && max_cards <= 100, "guide: /cards/max_cards must be 1 to 100");
  const Pattern more = Pattern::repeat(Pattern::sequence({Pattern::literal(", "), card}), 0, max_cards - 1);
  return Pattern::sequence({Pattern::literal("["), Pattern::repeat(Pattern::sequence({card, more}), 0, 1), Pattern::literal("]")});
}

}  // namespace onggi::decode
