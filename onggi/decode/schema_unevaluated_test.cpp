#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "onggi/core/error.h"
#include "onggi/decode/json_text.h"
#include "onggi/decode/test_support.h"

namespace onggi::decode {
namespace {

using testing::Dice;

const std::vector<std::string> kNames = {"a", "b", "c", "d"};

Json spec_of(const Json& schema) { return {{"schema", schema}, {"order", "any"}}; }

/// What 2020-12 says of objects, said a second time: the names that are evaluated, none if the value is invalid.
std::optional<std::set<std::string>> evaluated(const Json& schema, const Json& value) {
  std::set<std::string> all;
  if (schema.is_boolean()) return schema.get<bool>() ? std::optional(all) : std::nullopt;
  const auto add = [&](const std::optional<std::set<std::string>>& more) {
    if (more) all.insert(more->begin(), more->end());
    return more.has_value();
  };
  const auto member_fits = [&](const std::string& name, const Json& part) {
    all.insert(name);
    return evaluated(part, value[name]).has_value();
  };
  if (schema.contains("const") && !(value == schema["const"])) return std::nullopt;
  if (schema.contains("$ref")) {
    // The one reference of these tests.
    if (!add(evaluated({{"properties", {{"a", true}}}}, value))) return std::nullopt;
  }
  if (value.is_object()) {
    for (const Json& name : schema.value("required", Json::array())) {
      if (!value.contains(name.get<std::string>())) return std::nullopt;
    }
    const Json properties = schema.value("properties", Json::object());
    for (const auto& [name, part] : properties.items()) {
      if (value.contains(name) && !member_fits(name, part)) return std::nullopt;
    }
    if (schema.contains("additionalProperties")) {
      for (const auto& [name, member] : value.items()) {
        if (!properties.contains(name) && !member_fits(name, schema["additionalProperties"])) return std::nullopt;
      }
    }
    const Json dependent = schema.value("dependentSchemas", Json::object());
    for (const auto& [name, part] : dependent.items()) {
      if (value.contains(name) && !add(evaluated(part, value))) return std::nullopt;
    }
  }
  for (const Json& part : schema.value("allOf", Json::array())) {
    if (!add(evaluated(part, value))) return std::nullopt;
  }
  if (schema.contains("anyOf")) {
    int num_fitting = 0;
    for (const Json& part : schema["anyOf"]) num_fitting += add(evaluated(part, value)) ? 1 : 0;
    if (num_fitting == 0) return std::nullopt;
  }
  if (schema.contains("oneOf")) {
    int num_fitting = 0;
    for (const Json& part : schema["oneOf"]) num_fitting += add(evaluated(part, value)) ? 1 : 0;
    if (num_fitting != 1) return std::nullopt;
  }
  if (schema.contains("not") && evaluated(schema["not"], value)) return std::nullopt;
  if (schema.contains("if")) {
    const char* then = add(evaluated(schema["if"], value)) ? "then" : "else";
    if (schema.contains(then) && !add(evaluated(schema[then], value))) return std::nullopt;
  }
  if (schema.contains("unevaluatedProperties") && value.is_object()) {
    const std::set<std::string> before = all;
    for (const auto& [name, member] : value.items()) {
      if (!before.contains(name) && !member_fits(name, schema["unevaluatedProperties"])) return std::nullopt;
    }
  }
  return all;
}

/// Whether the guide takes the object with its members in some order: "not" may ask for one.
bool accepts_some_order(const Guide& guide, const Json& value) {
  std::vector<std::pair<std::string, Json>> members;
  for (const auto& [name, member] : value.items()) members.emplace_back(name, member);
  std::sort(members.begin(), members.end());
  do {
    Json ordered = Json::object();
    for (const auto& [name, member] : members) ordered[name] = member;
    if (guide.accepts(python_text(ordered), {})) return true;
  } while (std::next_permutation(members.begin(), members.end()));
  return false;
}

Json random_schema(Dice& dice, int depth) {
  Json schema = Json::object();
  if (dice.roll(3) != 0) {
    schema["properties"] = Json::object();
    for (const std::string& name : kNames) {
      if (dice.roll(3) == 0) schema["properties"][name] = dice.roll(3) == 0 ? Json{{"const", 1}} : Json(true);
    }
  }
  if (dice.roll(4) == 0) schema["required"] = Json::array({kNames[static_cast<std::size_t>(dice.roll(4))]});
  if (dice.roll(9) == 0) schema["additionalProperties"] = dice.flip() ? Json(false) : Json{{"const", 1}};
  if (dice.roll(9) == 0) schema["$ref"] = "#/$defs/a";
  if (depth > 0) {
    const auto parts = [&] {
      Json list = Json::array();
      for (int n = 1 + dice.roll(2); n > 0; --n) list.push_back(random_schema(dice, depth - 1));
      return list;
    };
    switch (dice.roll(6)) {
      case 0: schema["allOf"] = parts(); break;
      case 1: schema["anyOf"] = parts(); break;
      case 2: schema["oneOf"] = parts(); break;
      case 3: schema["not"] = random_schema(dice, depth - 1); break;
      case 4:
        schema["if"] = random_schema(dice, depth - 1);
        if (dice.flip()) schema["then"] = random_schema(dice, depth - 1);
        if (dice.flip()) schema["else"] = random_schema(dice, depth - 1);
        break;
      default:
        schema["dependentSchemas"] = {{kNames[0], random_schema(dice, depth - 1)},
                                      {kNames[1], random_schema(dice, depth - 1)}};
    }
  }
  if (dice.roll(depth > 1 ? 2 : 4) == 0)
    schema["unevaluatedProperties"] = dice.flip() ? Json(false) : Json{{"const", 2}};
  return schema;
}

TEST(SchemaUnevaluated, RandomSchemasAgreeWithASecondValidator) {
  const auto tokenizer = std::make_shared<testing::FakeTokenizer>();
  Dice dice(29);
  int num_valid = 0;
  int num_invalid = 0;
  for (int round = 0; round < 1500; ++round) {
    Json schema = random_schema(dice, 3);
    schema["type"] = "object";
    schema["$defs"] = {{"a", {{"properties", {{"a", true}}}}}};
    std::shared_ptr<const Guide> guide;
    try {
      guide = compile_guide(spec_of(schema), tokenizer);
    } catch (const Error&) {  // Inside of "not", or nothing fits.
      continue;
    }
    for (int i = 0; i < 24; ++i) {
      Json value = Json::object();
      for (const std::string& name : kNames) {
        if (dice.flip()) value[name] = 1 + dice.roll(2);
      }
      const bool is_valid = evaluated(schema, value).has_value();
      ASSERT_EQ(accepts_some_order(*guide, value), is_valid) << schema.dump() << " and " << value.dump();
      (is_valid ? num_valid : num_invalid) += 1;
    }
  }
  EXPECT_GT(num_valid, 3000);
  EXPECT_GT(num_invalid, 3000);
}

TEST(SchemaUnevaluated, ItemsThatNothingEvaluates) {
  const auto tokenizer = std::make_shared<testing::FakeTokenizer>();
  const Json schema = Json::parse(R"({"type": "array", "prefixItems": [{"type": "integer"}],
      "anyOf": [{"prefixItems": [true, {"type": "null"}]}, {"contains": {"const": "x"}}], "unevaluatedItems": false})");
  const auto guide = compile_guide(spec_of(schema), tokenizer);
  for (const char* good : {"[1]", "[1, null]", R"([1, "x"])", R"([1, null, "x"])", R"([1, "x", "x"])", "[]"})
    EXPECT_TRUE(guide->accepts(good, {})) << good;
  for (const char* bad : {"[1, 2]", "[1, null, 1]", R"([1, "x", 1])", R"(["x"])"})
    EXPECT_FALSE(guide->accepts(bad, {})) << bad;
}

TEST(SchemaUnevaluated, DynamicReferencesThatHaveOneMeaning) {
  const auto tokenizer = std::make_shared<testing::FakeTokenizer>();
  // The list's own anchor gives way to the root's.
  const Json schema = Json::parse(R"({"$id": "https://a.org/root", "$ref": "list", "$defs": {
      "texts": {"$dynamicAnchor": "items", "type": "string"},
      "list": {"$id": "list", "type": "array", "items": {"$dynamicRef": "#items"},
               "$defs": {"any": {"$dynamicAnchor": "items"}}}}})");
  const auto guide = compile_guide(spec_of(schema), tokenizer);
  EXPECT_TRUE(guide->accepts(R"(["a", "b"])", {}));
  EXPECT_FALSE(guide->accepts(R"(["a", 1])", {}));
  const Json several = Json::parse(R"({"$id": "https://a.org/root", "anyOf": [{"$ref": "x"}, {"$ref": "y"}], "$defs": {
      "x": {"$id": "x", "$dynamicAnchor": "items", "$ref": "list"}, "y": {"$id": "y", "$dynamicAnchor": "items"},
      "list": {"$id": "list", "items": {"$dynamicRef": "#items"}, "$defs": {"any": {"$dynamicAnchor": "items"}}}}})");
  try {
    compile_guide(spec_of(several), tokenizer);
    ADD_FAILURE();
  } catch (const Error& e) {
    EXPECT_EQ(e.where(), "#/$defs/list/items/$dynamicRef") << e.what();
  }
}

}  // namespace
}  // namespace onggi::decode
