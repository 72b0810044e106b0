#include "onggi/decode/schema.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "onggi/core/error.h"
#include "onggi/core/files.h"
#include "onggi/decode/test_support.h"

namespace onggi::decode {
namespace {

using testing::Dice;
using testing::FakeTokenizer;
using testing::render;

bool accepts(const Pattern& pattern, std::string_view text) {
  Dfa dfa(build_nfa(pattern, SlotUse::kNone, {}));
  if (dfa.start() == Dfa::kDead) return false;
  const int end = dfa.walk(dfa.start(), text);
  return end != Dfa::kDead && dfa.is_accepting(end);
}

TEST(Schema, GoldenCases) {
  const auto path = std::filesystem::path(ONGGI_SOURCE_DIR) / "tests/golden/decode/schemas.json";
  for (const Json& c : parse_json(read_file(path), path.string())) {
    const std::string name = dump_json(c["schema"]);
    if (c.contains("refused")) {
      try {
        schema_pattern(c["schema"], "compact");
        ADD_FAILURE() << name;
      } catch (const Error& e) {
        EXPECT_EQ(e.code(), ErrorCode::kInvalidArgument) << name;
        EXPECT_EQ(e.where(), c["refused"].get<std::string>()) << name << ": " << e.what();
      }
      continue;
    }
    try {
      const Pattern pattern = schema_pattern(c["schema"], c.value("whitespace", "compact"));
      for (const auto& text : c["good"]) {
        EXPECT_TRUE(accepts(pattern, text.get<std::string>())) << name << " and " << text;
        EXPECT_NO_THROW(parse_json(text.get<std::string>(), "good")) << text;
      }
      for (const auto& text : c["bad"]) EXPECT_FALSE(accepts(pattern, text.get<std::string>())) << name << " and " << text;
    } catch (const Error& e) {
      ADD_FAILURE() << name << ": " << e.what();
    }
  }
}

TEST(Schema, WhatGrowsWithoutEndIsRefused) {
  // Ten definitions, each of ten references to the next.
  Json defs = Json::object();
  for (int i = 0; i < 10; ++i) {
    Json refs = Json::array();
    for (int k = 0; k < 10; ++k) refs.push_back({{"$ref", "#/$defs/d" + std::to_string(i + 1)}});
    defs["d" + std::to_string(i)] = {{"anyOf", refs}};
  }
  defs["d10"] = {{"type", "null"}};
  Json deep = {{"type", "null"}};
  for (int i = 0; i < 100; ++i) deep = {{"type", "array"}, {"items", deep}};
  for (const Json& schema : {Json{{"$ref", "#/$defs/d0"}, {"$defs", defs}}, deep}) {
    try {
      schema_pattern(schema, "compact");
      ADD_FAILURE();
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ErrorCode::kExhausted);
    }
  }
  Json wide = {{"type", "string"}, {"maxLength", 4096}};
  for (int i = 0; i < 3; ++i) wide = {{"type", "array"}, {"items", wide}, {"maxItems", 4096}};
  EXPECT_THROW(build_nfa(schema_pattern(wide, "compact"), SlotUse::kNone, {}), Error);
}

TEST(Schema, AnExpressionWithSlotsIsAString) {
  const auto guide = compile_guide({{"schema", {{"type", "string"}, {"x-onggi-regex", "({p:words}: )?{p:tail}\"?"}}}}, std::make_shared<FakeTokenizer>());
  const Slots slots = {{"p", "a \"b\""}};
  for (const char* good : {R"("a")", R"("\"b\"")", R"("a \"b\": b\"\"")"}) EXPECT_TRUE(guide->accepts(good, slots)) << good;
  for (const char* bad : {R"("b")", R"(""b"")", R"(a)"}) EXPECT_FALSE(guide->accepts(bad, slots)) << bad;
}

/// What the schemas below mean, said a second time.
bool is_valid(const Json& schema, const Json& value) {
  if (schema.is_boolean()) return schema.get<bool>();
  const auto has = [&](const char* key) { return schema.contains(key); };
  const auto is_whole = [](const Json& v) { return v.is_number_integer() || (v.is_number() && v.get<double>() == std::floor(v.get<double>())); };
  if (has("const") && schema["const"] != value) return false;
  if (has("enum") && std::find(schema["enum"].begin(), schema["enum"].end(), value) == schema["enum"].end()) return false;
  if (has("anyOf") && std::none_of(schema["anyOf"].begin(), schema["anyOf"].end(), [&](const Json& s) { return is_valid(s, value); })) return false;
  if (has("type")) {
    const Json types = schema["type"].is_array() ? schema["type"] : Json::array({schema["type"]});
    const bool fits = std::any_of(types.begin(), types.end(), [&](const Json& t) {
      return t == "null" ? value.is_null() : t == "boolean" ? value.is_boolean() : t == "string" ? value.is_string() : t == "array" ? value.is_array()
             : t == "object" ? value.is_object() : t == "integer" ? is_whole(value) : value.is_number();
    });
    if (!fits) return false;
  }
  if (value.is_string()) {
    const std::string text = value.get<std::string>();
    const auto length = std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; });
    if (length < schema.value("minLength", 0) || length > schema.value("maxLength", 1000)) return false;
  }
  if (value.is_number()) {
    if (has("minimum") && value.get<double>() < schema["minimum"].get<double>()) return false;
    if (has("maximum") && value.get<double>() > schema["maximum"].get<double>()) return false;
    if (has("exclusiveMinimum") && value.get<double>() <= schema["exclusiveMinimum"].get<double>()) return false;
  }
  if (value.is_array()) {
    const Json prefix = schema.value("prefixItems", Json::array());
    if (value.size() < schema.value("minItems", 0U) || value.size() > schema.value("maxItems", 1000U)) return false;
    for (std::size_t i = 0; i < value.size(); ++i) {
      if (i < prefix.size() ? !is_valid(prefix[i], value[i]) : has("items") && !is_valid(schema["items"], value[i])) return false;
    }
  }
  if (value.is_object()) {
    const Json properties = schema.value("properties", Json::object());
    if (value.size() < schema.value("minProperties", 0U)) return false;
    for (const auto& name : schema.value("required", Json::array())) {
      if (!value.contains(name.get<std::string>())) return false;
    }
    for (const auto& [name, member] : value.items()) {
      if (properties.contains(name) ? !is_valid(properties[name], member) : has("additionalProperties")) return false;
    }
  }
  return true;
}

std::string random_text(Dice& dice) {
  static const char* kCharacters[] = {"a", "b", "\"", "\\", "\n", "\x01", "\x7F", "\xC3\xA9", "\xEA\xB0\x80", "\xF0\x9F\x98\x80", "/"};
  std::string text;
  for (int n = dice.roll(5); n > 0; --n) text += kCharacters[dice.roll(11)];
  return text;
}

Json random_value(Dice& dice, int depth) {
  switch (dice.roll(depth > 0 ? 8 : 6)) {
    case 0: return nullptr;
    case 1: return dice.flip();
    case 2: return random_text(dice);
    case 3: return dice.roll(300) - 150;
    case 4: return dice.roll(40) / 4.0 - 5.0;
    case 5: return dice.roll(12) - 6;
    case 6: {
      Json list = Json::array();
      for (int n = dice.roll(4); n > 0; --n) list.push_back(random_value(dice, depth - 1));
      return list;
    }
    default: {
      Json object = Json::object();
      for (const char* name : {"a", "b", "c", "d\""}) {
        if (dice.flip()) object[name] = random_value(dice, depth - 1);
      }
      return object;
    }
  }
}

Json random_schema(Dice& dice, int depth) {
  const auto maybe = [&](Json& schema, const char* key, const Json& value) {
    if (dice.roll(3) == 0) schema[key] = value;
  };
  switch (dice.roll(depth > 0 ? 9 : 5)) {
    case 0: return {{"type", dice.flip() ? Json("null") : Json::array({"boolean", "null"})}};
    case 1: {
      Json schema = {{"type", "string"}};
      maybe(schema, "minLength", dice.roll(3));
      maybe(schema, "maxLength", dice.roll(5));
      return schema;
    }
    case 2: {
      Json schema = {{"type", "integer"}};
      maybe(schema, "minimum", dice.roll(200) - 100);
      maybe(schema, "maximum", dice.roll(200) - 100);
      maybe(schema, "exclusiveMinimum", dice.roll(20) / 4.0 - 3.0);
      return schema;
    }
    case 3: {
      Json schema = {{"type", Json::array({"number", "string"})}};
      maybe(schema, "minimum", 0);
      return schema;
    }
    case 4: {
      Json list = Json::array();
      for (int n = 1 + dice.roll(4); n > 0; --n) list.push_back(random_value(dice, 1));
      return {{"enum", list}};
    }
    case 5: case 6: {
      Json schema = {{"type", "array"}, {"items", dice.roll(5) == 0 ? Json(false) : random_schema(dice, depth - 1)}};
      if (dice.flip()) {
        schema["prefixItems"] = Json::array();
        for (int n = 1 + dice.roll(3); n > 0; --n) schema["prefixItems"].push_back(random_schema(dice, depth - 1));
      }
      maybe(schema, "minItems", dice.roll(4));
      maybe(schema, "maxItems", dice.roll(5));
      return schema;
    }
    case 7: {
      Json list = Json::array();
      for (int n = 1 + dice.roll(3); n > 0; --n) list.push_back(random_schema(dice, depth - 1));
      return {{"anyOf", list}};
    }
    default: {
      Json schema = {{"type", "object"}, {"additionalProperties", false}, {"properties", Json::object()}, {"required", Json::array()}};
      for (const char* name : {"a", "b", "c", "d\""}) {
        if (dice.roll(3) == 0) continue;
        schema["properties"][name] = random_schema(dice, depth - 1);
        if (dice.flip()) schema["required"].push_back(name);
      }
      maybe(schema, "minProperties", dice.roll(2));
      return schema;
    }
  }
}

/// A value that often fits.
Json value_for(Dice& dice, const Json& schema, int depth) {
  if (!schema.is_object() || dice.roll(12) == 0) return random_value(dice, depth);
  if (schema.contains("enum")) return schema["enum"][static_cast<std::size_t>(dice.roll(static_cast<int>(schema["enum"].size())))];
  if (schema.contains("anyOf")) return value_for(dice, schema["anyOf"][static_cast<std::size_t>(dice.roll(static_cast<int>(schema["anyOf"].size())))], depth);
  if (schema["type"] == "string") return random_text(dice);
  if (schema["type"] == "integer") return dice.roll(240) - 120;
  if (schema["type"] == "array") {
    const Json prefix = schema.value("prefixItems", Json::array());
    Json list = Json::array();
    for (int n = dice.roll(5); n > 0; --n) list.push_back(value_for(dice, list.size() < prefix.size() ? prefix[list.size()] : schema["items"], depth - 1));
    return list;
  }
  if (schema["type"] == "object") {
    Json object = Json::object();
    for (const auto& [name, property] : schema["properties"].items()) {
      const bool is_required = std::find(schema["required"].begin(), schema["required"].end(), Json(name)) != schema["required"].end();
      if (dice.roll(is_required ? 12 : 2) != 0) object[name] = value_for(dice, property, depth - 1);
    }
    return object;
  }
  return random_value(dice, depth);
}

TEST(Schema, RandomSchemasAgreeWithASecondValidator) {
  Dice dice(17);
  int valid = 0;
  int invalid = 0;
  for (int round = 0; round < 600; ++round) {
    const Json schema = random_schema(dice, 3);
    const auto nfa = build_nfa(schema_pattern(schema, "compact"), SlotUse::kNone, {});
    Dfa dfa(nfa);
    for (int i = 0; i < 30; ++i) {
      const Json value = value_for(dice, schema, 3);
      const std::string text = render(value);
      const int end = dfa.start() == Dfa::kDead ? Dfa::kDead : dfa.walk(dfa.start(), text);
      const bool expected = is_valid(schema, value);
      ASSERT_EQ(end != Dfa::kDead && dfa.is_accepting(end), expected) << dump_json(schema) << " and " << text;
      (expected ? valid : invalid) += 1;
    }
  }
  std::printf("valid %d, invalid %d\n", valid, invalid);
  EXPECT_GT(valid, 5000);
  EXPECT_GT(invalid, 3000);
}

TEST(Schema, RandomWalksAreValid) {
  const auto tokenizer = std::make_shared<FakeTokenizer>(std::vector<std::string>{"true", "null", "\"", "\", \"", "[", "]", "10", ", ", "{\"", "\": ", "}", "\\\"", "\xEA\xB0\x80", "ab"});
  Dice dice(23);
  int ended = 0;
  for (int round = 0; round < 150; ++round) {
    const Json schema = random_schema(dice, 3);
    std::shared_ptr<const Guide> guide;
    try {
      guide = compile_guide({{"schema", schema}}, tokenizer);
    } catch (const Error& e) {
      EXPECT_NE(std::string(e.what()).find("allows no text"), std::string::npos) << e.what();
      continue;
    }
    for (int i = 0; i < 5; ++i) {
      bool finished = false;
      const std::string text = testing::random_walk(*guide, *tokenizer, {}, dice, 300, finished);
      if (!finished) continue;  // An unbounded string may go on.
      ++ended;
      EXPECT_TRUE(guide->accepts(text, {})) << text;
      EXPECT_TRUE(is_valid(schema, parse_json(text, "walk"))) << dump_json(schema) << " and " << text;
    }
  }
  EXPECT_GT(ended, 500);
}

}  // namespace
}  // namespace onggi::decode
