#include "onggi/decode/unique_array_machine.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "onggi/core/error.h"
#include "onggi/decode/decimal.h"
#include "onggi/decode/json_text.h"
#include "onggi/decode/test_support.h"

namespace onggi::decode {
namespace {

std::shared_ptr<const testing::FakeTokenizer> tokenizer() {
  static const auto made = std::make_shared<const testing::FakeTokenizer>(std::vector<std::string>{
      "[\"", "\", \"", "\"]", "\",\"", "a\"", "ab", "true", "false", "null", "1, ", ".0", "]]"});
  return made;
}

std::shared_ptr<const Guide> guide_of(const char* schema, const char* whitespace = "flexible") {
  return compile_guide({{"schema", Json::parse(schema)}, {"whitespace", whitespace}, {"order", "any"}}, tokenizer());
}

void expect(const Guide& guide, const std::vector<std::string>& texts, bool is_valid) {
  for (const std::string& text : texts) {
    EXPECT_EQ(guide.accepts(text, {}), is_valid) << text;
    EXPECT_EQ(testing::walks(guide, *tokenizer(), {}, text), is_valid) << text;
  }
}

TEST(UniqueArrayMachine, NoStringIsWrittenTwice) {
  const auto guide = guide_of(R"({"type": "array", "items": {"type": "string"}, "uniqueItems": true})");
  expect(*guide, {"[]", R"(["a"])", R"(["a", "ab", "b"])", R"(["a","A",""])", R"([ "a" , "b" ])"}, true);
  expect(*guide, {R"(["a", "a"])", R"(["a","b","a"])", R"(["",""])", R"(["a")", R"(["a",])"}, false);
}

TEST(UniqueArrayMachine, EqualNumbersAreEqualHoweverTheyAreWritten) {
  const auto guide = guide_of(R"({"type": "array", "items": {"type": "number"}, "uniqueItems": true})");
  expect(*guide, {"[1, 2]", "[1, 1.5, 10]", "[0.1, 0.10000000001]", "[1, -1]"}, true);
  expect(*guide, {"[1, 1.0]", "[1.50, 1.5]", "[0, -0]", "[0, 0.0]", "[2, 1, 2 ]", "[1e2]"}, false);
}

TEST(UniqueArrayMachine, AWordOfAListIsTakenOnce) {
  const auto guide = guide_of(R"({"type": "array", "items": {"enum": ["a", "ab", 1, true, null]}, "uniqueItems": true,
                                  "minItems": 2})",
                              "compact");
  expect(*guide, {R"(["a", "ab"])", R"(["ab", "a", null, true, 1])"}, true);
  expect(*guide, {R"(["a"])", R"(["a", "a"])", "[null, null]", "[1, true, 1]"}, false);
  // After all of them nothing but the end is left.
  const auto state = guide->start({});
  std::vector<int> ids;
  tokenizer()->encode(R"(["a", "ab", 1, true, null)", ids);
  for (const int id : ids) state->advance(id);
  ASSERT_EQ(state->allowed().size(), 1U);
  EXPECT_EQ(tokenizer()->token_bytes(state->allowed()[0]), "]");
}

TEST(UniqueArrayMachine, WhatCanBeWrittenCanBeCompleted) {
  const std::vector<const char*> schemas = {
      R"({"type": "array", "items": {"type": "boolean"}, "uniqueItems": true})",
      R"({"type": "array", "items": {"type": "integer", "minimum": 8, "maximum": 12}, "uniqueItems": true, "minItems": 5})",
      R"({"type": "array", "items": {"type": "string", "pattern": "^[ab]{1,2}$"}, "uniqueItems": true, "minItems": 4})",
      R"({"type": "array", "items": {"type": "string", "maxLength": 1}, "uniqueItems": true, "maxItems": 4})",
      R"({"type": "array", "items": {"anyOf": [{"enum": ["a", "b", 2]}, {"type": "integer", "minimum": 1, "maximum": 3}]},
          "uniqueItems": true, "minItems": 5})",
      R"({"type": "array", "prefixItems": [{"type": "boolean"}, {"type": "boolean"}], "items": false,
          "uniqueItems": true})"};
  testing::Dice dice(5);
  for (const char* schema : schemas) {
    for (const char* whitespace : {"compact", "flexible"}) {
      const auto guide = guide_of(schema, whitespace);
      for (int walk = 0; walk < 20; ++walk) {
        bool is_finished = false;
        const std::string text = testing::random_walk(*guide, *tokenizer(), {}, dice, 60, is_finished);
        if (!is_finished) continue;  // White space may go on.
        std::set<std::string> values;
        const Json items = Json::parse(text);
        for (const Json& item : items)
          EXPECT_TRUE(values.insert(item.is_number() ? "#" + Decimal::parse(item.dump()).text() : item.dump()).second)
              << text;
        EXPECT_TRUE(guide->accepts(text, {})) << text;
      }
    }
  }
}

TEST(UniqueArrayMachine, WhatCannotBeToldIsRefused) {
  const auto refused = [](const char* schema) {
    try {
      guide_of(schema);
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ErrorCode::kInvalidArgument) << e.what();
      return e.where();
    }
    return std::string("taken");
  };
  EXPECT_EQ(refused(R"({"items": {"type": "array", "uniqueItems": true}})"), "#/items/uniqueItems");
  EXPECT_EQ(refused(R"({"uniqueItems": true, "items": {"type": ["object", "string"]}})"), "#/uniqueItems");
  EXPECT_EQ(refused(R"({"uniqueItems": true, "items": {"type": "string"}, "contains": {"const": "a"}})"),
            "#/uniqueItems");
  EXPECT_EQ(refused(R"({"type": "array", "uniqueItems": true, "items": {"type": "boolean"}, "minItems": 3})"), "#");
  EXPECT_EQ(refused(R"({"type": "array", "uniqueItems": true, "minItems": 2, "items": {"type": "string"},
                        "prefixItems": [{"const": "a"}]})"),
            "#");
}

}  // namespace
}  // namespace onggi::decode
