#include <gtest/gtest.h>

#include "onggi/core/error.h"
#include "onggi/decode/test_support.h"

namespace onggi::decode {
namespace {

using testing::FakeTokenizer;

std::shared_ptr<const FakeTokenizer> tokenizer() {
  static const auto made = std::make_shared<const FakeTokenizer>(std::vector<std::string>{
      "{\"", "\": ",  "\": \"", "\", \"",       "\"}",      "}}",     "]]", ", ", "true", "ab",    "abc",
      "12",  "\\u00", "\\n",    "\xEA\xB0\x80", "\xEA\xB0", "\x80\"", " }", "[[", "{}",   "a\": ", "\":"});
  return made;
}

std::shared_ptr<const Guide> grammar(const std::string& text) {
  return compile_guide({{"grammar", text}}, tokenizer());
}
std::shared_ptr<const Guide> schema(const Json& s, const Json& more = {{"whitespace", "flexible"}, {"open", true}}) {
  Json spec = {{"schema", s}};
  spec.update(more);
  return compile_guide(spec, tokenizer());
}
Json json(const char* text) { return parse_json(text, "test"); }

/// The guide judges the whole text as its walk does.
bool accepts(const Guide& guide, const std::string& text) {
  const bool judged = guide.accepts(text, {});
  EXPECT_EQ(testing::walks(guide, *tokenizer(), {}, text), judged) << text;
  return judged;
}

TEST(Ebnf, RulesCallEachOtherToAnyDepth) {
  const auto guide = grammar(
      "root ::= list\nlist ::= \"[\" (item (\", \" item)*)? \"]\" # a list\nitem ::= list | [a-c]+ | number\nnumber "
      "::= [0-9]{1,3}");
  EXPECT_TRUE(accepts(*guide, "[]"));
  EXPECT_TRUE(accepts(*guide, "[[[a, 12], abc], 7]"));
  EXPECT_FALSE(accepts(*guide, "[1234]"));
  EXPECT_FALSE(accepts(*guide, "[[a]"));
  EXPECT_TRUE(accepts(*guide, std::string(500, '[') + std::string(500, ']')));
}

TEST(Ebnf, DirectLeftRecursionIsRead) {
  const auto guide = grammar("root ::= root \"+\" term | term\nterm ::= [0-9]+ | \"(\" root \")\"");
  EXPECT_TRUE(accepts(*guide, "1+(2+3)+4"));
  EXPECT_FALSE(accepts(*guide, "1++2"));
}

TEST(Ebnf, AmbiguousAndEmptyRulesAreExact) {
  const auto guide = grammar("root ::= a b a\na ::= \"a\"*\nb ::= (\"b\" | a)?");
  for (const char* text : {"", "a", "aaaa", "aba", "b", "aaab"}) EXPECT_TRUE(accepts(*guide, text)) << text;
  EXPECT_FALSE(accepts(*guide, "bb"));
}

TEST(Ebnf, WhatIsWrongIsToldWithItsLine) {
  const auto where = [](const char* text) {
    try {
      grammar(text);
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ErrorCode::kInvalidArgument) << e.what();
      return e.where();
    }
    return std::string("nothing wrong");
  };
  EXPECT_EQ(where("root ::= \"a\"\nb ::= [a"), "/grammar, line 2");
  EXPECT_EQ(where("root ::= c"), "/grammar");
  EXPECT_EQ(where("a ::= \"a\""), "/grammar");
  EXPECT_EQ(where("root ::= a\na ::= b\nb ::= a \"x\" | \"y\""), "/grammar");
  EXPECT_EQ(where("root ::= \"(\" root \")\""), "/grammar");
}

TEST(JsonObject, AnyObjectAndNothingElse) {
  for (const char* spacing : {"compact", "flexible"}) {
    const auto guide = compile_guide({{"json_object", true}, {"whitespace", spacing}}, tokenizer());
    EXPECT_TRUE(accepts(*guide, "{}"));
    EXPECT_TRUE(accepts(*guide, R"({"a": {"b": [1, -2.5e3, true, null, "x\u00e9\n\ud83d\ude00"]}, "c": []})"));
    EXPECT_EQ(accepts(*guide, "{ \"a\" :1 }"), spacing == std::string("flexible"));
    for (const char* text : {"[]", "1", "{\"a\"}", "{\"a\": 01}", "{\"a\": \"\\ud83d\"}", "{\"a\": 1,}",
                             "{\"a\": \"\n\"}", "{\"a\": \"\xEA\xB0\"}"})
      EXPECT_FALSE(accepts(*guide, text)) << text;
  }
}

TEST(SchemaGrammar, RecursionIsARule) {
  const auto guide = schema(json(
      R"({"$ref": "#/$defs/node", "$defs": {"node": {"type": "object", "properties": {"v": {"type": "integer"}, "next": {"$ref": "#/$defs/node"}},
                                     "required": ["v"], "additionalProperties": false}}})"));
  EXPECT_TRUE(accepts(*guide, R"({"v": 1, "next": {"v": 2, "next": {"v": 3}}})"));
  EXPECT_FALSE(accepts(*guide, R"({"v": 1, "next": {"next": {"v": 3}}})"));
}

TEST(SchemaGrammar, OpenObjectsTakeOtherNamesAfterTheirOwn) {
  const auto guide = schema(json(
      R"({"type": "object", "properties": {"a": {"type": "integer"}, "b": {}}, "required": ["b", "z"], "additionalProperties": {"type": "string"}})"));
  EXPECT_TRUE(accepts(*guide, R"({"a": 1, "b": [], "z": "x", "ab": "y", "c": "z"})"));
  EXPECT_FALSE(accepts(*guide, R"({"a": 1, "b": []})"));
  EXPECT_FALSE(accepts(*guide, R"({"b": 1, "z": "", "a": 1})"));
  EXPECT_FALSE(accepts(*guide, R"({"b": 1, "z": "", "q": 1})"));
}

TEST(SchemaGrammar, UnionsAndIntersections) {
  const auto one = schema(json(R"({"oneOf": [{"type": "integer", "minimum": 5}, {"type": "integer", "maximum": 7}]})"));
  EXPECT_TRUE(accepts(*one, "4"));
  EXPECT_FALSE(accepts(*one, "6"));
  EXPECT_TRUE(accepts(*one, "8"));
  const auto all = schema(json(
      R"({"allOf": [{"properties": {"a": {"type": "string"}}, "required": ["a"]}, {"properties": {"a": {"minLength": 2}, "b": {"const": [1, {"x": null}]}}}], "type": "object"})"));
  EXPECT_TRUE(accepts(*all, R"({"a": "ab", "b": [1, {"x": null}]})"));
  EXPECT_FALSE(accepts(*all, R"({"a": "a"})"));
  EXPECT_FALSE(accepts(*all, R"({"a": "ab", "b": [1]})"));
  const auto no =
      schema(json(R"({"type": "object", "not": {"required": ["a", "b"]}, "properties": {"a": true, "b": true}})"));
  EXPECT_TRUE(accepts(*no, R"({"a": 1})"));
  EXPECT_TRUE(accepts(*no, R"({"b": 1})"));
  EXPECT_FALSE(accepts(*no, R"({"a": 1, "b": 2})"));
  const auto branch = schema(json(
      R"({"type": "object", "properties": {"k": {"enum": ["x", "y"]}, "v": true}, "required": ["k"], "if": {"properties": {"k": {"const": "x"}}}, "then": {"required": ["v"]}, "else": {"properties": {"v": {"type": "null"}}}})"));
  EXPECT_TRUE(accepts(*branch, R"({"k": "x", "v": 1})"));
  EXPECT_FALSE(accepts(*branch, R"({"k": "x"})"));
  EXPECT_TRUE(accepts(*branch, R"({"k": "y", "v": null})"));
  EXPECT_FALSE(accepts(*branch, R"({"k": "y", "v": 1})"));
}

TEST(SchemaGrammar, NumbersKeepToTheirBounds) {
  const auto between = schema(json(R"({"type": "number", "minimum": -1.5, "exclusiveMaximum": 20})"));
  for (const char* text : {"-1.5", "-0.25", "0", "19.999", "7.0"}) EXPECT_TRUE(accepts(*between, text)) << text;
  for (const char* text : {"-1.51", "20", "20.0", "200", "-2"}) EXPECT_FALSE(accepts(*between, text)) << text;
  const auto cents = schema(json(R"({"type": "number", "multipleOf": 0.05, "maximum": 1})"));
  for (const char* text : {"0.05", "1", "-3.1", "0.50"}) EXPECT_TRUE(accepts(*cents, text)) << text;
  for (const char* text : {"0.01", "1.05", "0.051"}) EXPECT_FALSE(accepts(*cents, text)) << text;
  const auto sevens = schema(json(R"({"type": "integer", "multipleOf": 7, "minimum": 15, "maximum": 30})"));
  for (const char* text : {"21", "28", "28.0"}) EXPECT_TRUE(accepts(*sevens, text)) << text;
  for (const char* text : {"14", "2", "7", "35"}) EXPECT_FALSE(accepts(*sevens, text)) << text;
}

TEST(SchemaGrammar, StringsKeepToLengthsPatternsAndFormats) {
  const auto text = schema(json(R"({"type": "string", "pattern": "^[a-z]+$", "minLength": 2, "maxLength": 3})"));
  EXPECT_TRUE(accepts(*text, "\"ab\""));
  EXPECT_FALSE(accepts(*text, "\"a\""));
  EXPECT_FALSE(accepts(*text, "\"abcd\""));
  const auto date = schema(json(R"({"type": "string", "format": "date"})"));
  EXPECT_TRUE(accepts(*date, "\"2024-02-29\""));
  EXPECT_FALSE(accepts(*date, "\"2023-02-29\""));
  const auto inside = schema(json(R"json({"type": "string", "pattern": "(^a|b$)"})json"));
  EXPECT_TRUE(accepts(*inside, "\"ax\""));
  EXPECT_TRUE(accepts(*inside, "\"xb\""));
  EXPECT_FALSE(accepts(*inside, "\"xbx\""));
  const auto no = schema(json(R"({"type": "string", "pattern": "^(?!no$)[a-z]+$"})"));
  EXPECT_TRUE(accepts(*no, "\"nor\""));
  EXPECT_FALSE(accepts(*no, "\"no\""));
  const auto lengthy = schema(json(R"({"type": "string", "maxLength": 10000})"));
  EXPECT_TRUE(accepts(*lengthy, "\"" + std::string(10'000, 'a') + "\""));
  EXPECT_FALSE(accepts(*lengthy, "\"" + std::string(10'001, 'a') + "\""));
}

TEST(SchemaGrammar, ListsCountItemsAndWhatTheyContain) {
  const auto guide = schema(json(
      R"({"type": "array", "prefixItems": [{"type": "integer"}], "items": {"type": ["string", "null"]}, "contains": {"type": "null"}, "minItems": 2, "maxItems": 4})"));
  EXPECT_TRUE(accepts(*guide, "[1, null]"));
  EXPECT_TRUE(accepts(*guide, "[1, \"a\", \"b\", null]"));
  EXPECT_FALSE(accepts(*guide, "[1, \"a\", \"b\", \"c\"]"));
  EXPECT_FALSE(accepts(*guide, "[1]"));
  const auto two = schema(json(R"({"contains": {"const": 1}, "maxContains": 3})"));
  EXPECT_TRUE(accepts(*two, "[1, 0, 1]"));
  EXPECT_FALSE(accepts(*two, "[1, 1, 1, 0, 1]"));
  const auto many = schema(json(R"({"type": "array", "items": {"const": 1}, "minItems": 3, "maxItems": 100000})"));
  EXPECT_FALSE(accepts(*many, "[1, 1]"));
  EXPECT_TRUE(accepts(*many, "[1, 1, 1, 1]"));
}

TEST(SchemaGrammar, NoNameIsWrittenTwice) {
  const auto guide = schema(json(R"({"type": "object", "properties": {"p": {}}})"));
  EXPECT_TRUE(accepts(*guide, R"({"a": {"a": 1}, "ab": 2})"));
  EXPECT_FALSE(accepts(*guide, R"({"a": 1, "a": 2})"));
  EXPECT_FALSE(accepts(*guide, R"({"ab": {"c": 1}, "ab": 2})"));
}

TEST(SchemaGrammar, MembersInAnyOrderWhereThatIsAskedFor) {
  const auto guide =
      schema(json(R"({"properties": {"a": {}, "b": {"type": "integer"}}, "required": ["b"], "maxProperties": 2})"),
             {{"whitespace", "flexible"}, {"order", "any"}});
  EXPECT_TRUE(accepts(*guide, R"({"b": 1, "a": 2})"));
  EXPECT_TRUE(accepts(*guide, R"({"c": 1, "b": 2})"));
  EXPECT_FALSE(accepts(*guide, R"({"c": 1, "a": 2})"));
  EXPECT_FALSE(accepts(*guide, R"({"b": 1, "b": 2})"));
}

TEST(SchemaGrammar, NamesByPatternAndNumber) {
  const auto guide = schema(json(
      R"({"type": "object", "patternProperties": {"^i": {"type": "integer"}, "s$": {"minimum": 5}}, "additionalProperties": false, "minProperties": 1, "maxProperties": 2})"));
  EXPECT_TRUE(accepts(*guide, R"({"i": 1, "is": 7})"));
  EXPECT_FALSE(accepts(*guide, R"({"is": 3})"));
  EXPECT_FALSE(accepts(*guide, R"({})"));
  EXPECT_FALSE(accepts(*guide, R"({"x": 3})"));
  EXPECT_FALSE(accepts(*guide, R"({"ia": 1, "ib": 1, "ic": 1})"));
}

TEST(SchemaGrammar, WhatCannotBeHeldIsRefusedWithItsPlace) {
  const auto where = [](const char* text, const Json& more = Json::object()) {
    try {
      schema(json(text), more);
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ErrorCode::kInvalidArgument) << e.what();
      return e.where();
    }
    return std::string("taken");
  };
  EXPECT_EQ(where(R"({"properties": {"a": {"uniqueItems": true}}})"), "#/properties/a/uniqueItems");
  EXPECT_EQ(where(R"({"items": {"not": {"unevaluatedProperties": false}}})"), "#/items/not/unevaluatedProperties");
  EXPECT_EQ(where(R"({"items": {"frobnicate": 1}})"), "#/items/frobnicate");
  EXPECT_EQ(where(R"({"items": {"frobnicate": 1}})", {{"open", true}}), "taken");
  EXPECT_EQ(where(R"({"items": {"type": "string", "format": "colour"}})"), "#/items/format");
  EXPECT_EQ(where(R"({"items": {"type": "string", "format": "colour"}})", {{"format", "known"}}), "taken");
  EXPECT_EQ(where(R"({"$ref": "#"})"), "#/$ref");
  EXPECT_EQ(where(R"({"type": "string", "enum": [1]})", {{"open", true}}), "#");
}

TEST(SchemaGrammar, CompactHasOneForm) {
  const auto guide = schema(json(R"({"type": "object", "properties": {"a": {"type": "integer"}}})"), Json::object());
  EXPECT_TRUE(accepts(*guide, R"({"a": 1, "b": [1, 2]})"));
  EXPECT_FALSE(accepts(*guide, R"({"a":1})"));
  EXPECT_FALSE(accepts(*guide, R"({"a": 1.0})"));
}

}  // namespace
}  // namespace onggi::decode
