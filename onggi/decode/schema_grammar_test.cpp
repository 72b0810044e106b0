#include "onggi/decode/schema_grammar.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "onggi/core/error.h"
#include "onggi/decode/json_text.h"
#include "onggi/decode/test_support.h"

namespace onggi::decode {
namespace {

std::shared_ptr<const testing::FakeTokenizer> tokenizer() {
  static const auto made = std::make_shared<const testing::FakeTokenizer>(
      std::vector<std::string>{"{\"", "\": ", "\", \"", "\"}", "}}", "]]", ", ", "true", "1, ", "[[", "{}", "[]"});
  return made;
}

/// Judges JSON texts by a schema, whole and token by token.
class Judge {
 public:
  explicit Judge(const Json* spec) : spec_(*spec), guide_(compile_guide(spec_, tokenizer())) {}
  void takes(const std::vector<std::string>& texts) const { judge(texts, true); }
  void refuses(const std::vector<std::string>& texts) const { judge(texts, false); }

 private:
  void judge(const std::vector<std::string>& texts, bool expected) const {
    for (const std::string& text : texts) {
      EXPECT_EQ(guide_->accepts(text, {}), expected) << spec_.dump() << " and " << text;
      EXPECT_EQ(testing::walks(*guide_, *tokenizer(), {}, text), expected) << spec_.dump() << " and " << text;
    }
  }
  Json spec_;
  std::shared_ptr<const Guide> guide_;
};

Judge judge_of(const Json& schema, Json spec = Json::object()) {
  spec["schema"] = schema;
  spec["whitespace"] = "flexible";
  spec["order"] = "any";
  return Judge(&spec);
}

/// The place that a refusal names.
std::string refused_at(const Json& schema, Json spec = Json::object()) {
  spec["schema"] = schema;
  spec["order"] = "any";
  try {
    compile_guide(spec, tokenizer());
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kInvalidArgument) << e.what();
    return e.where();
  }
  return "taken";
}

TEST(SchemaGrammar, OptionsOfOneOfThatAreAllTrueFitNothing) {
  EXPECT_EQ(refused_at({{"oneOf", {true, true, false}}}), "#/oneOf");
  judge_of({{"oneOf", {true, false, false}}}).takes({"1", "\"a\""});
}

TEST(SchemaGrammar, ASchemaThatNothingFitsNamesTheKeyword) {
  EXPECT_EQ(refused_at(false), "#");
  EXPECT_EQ(refused_at({{"title", "x"}, {"not", Json::object()}}), "#/not");
  EXPECT_EQ(refused_at({{"enum", Json::array()}}), "#/enum");
  EXPECT_EQ(refused_at({{"type", "string"}, {"const", 1}}), "#");
}

TEST(SchemaGrammar, OtherDocumentsAreNamedByTheirAddress) {
  const Json documents = {
      {"https://a.org/name.json", {{"type", "string"}, {"maxLength", 3}}},
      {"https://a.org/tree.json",
       {{"type", "object"}, {"properties", {{"name", {{"$ref", "name.json"}}}, {"kid", {{"$ref", "#"}}}}}}}};
  const Judge judge = judge_of({{"$ref", "https://a.org/tree.json"}}, {{"documents", documents}});
  judge.takes({R"({"name": "abc"})", R"({"kid": {"kid": {"name": "a"}}})"});
  judge.refuses({R"({"name": "abcd"})", R"({"kid": {"kid": 1}})"});
  EXPECT_EQ(refused_at({{"items", {{"$ref", "https://a.org/none.json"}}}}, {{"documents", documents}}), "#/items/$ref");
  const Json bad = {{"https://a.org/bad.json", {{"properties", {{"a", {{"pattern", "(?=a)b\\1"}}}}}}}};
  EXPECT_EQ(refused_at({{"$ref", "https://a.org/bad.json"}}, {{"documents", bad}}),
            "https://a.org/bad.json#/properties/a/pattern");
}

TEST(SchemaGrammar, TheMetaschemaSaysWhetherFormatsHold) {
  const Json schema = {{"$schema", "https://a.org/meta"}, {"format", "ipv4"}};
  const auto meta = [](const char* vocabulary) {
    return Json{{"https://a.org/meta",
                 {{"$schema", "https://json-schema.org/draft/2020-12/schema"},
                  {"$vocabulary", {{"https://json-schema.org/draft/2020-12/vocab/core", true}, {vocabulary, false}}}}}};
  };
  const Json asserts = meta("https://json-schema.org/draft/2020-12/vocab/format-assertion");
  judge_of(schema, {{"format", "annotate"}, {"documents", asserts}}).refuses({"\"a\""});
  judge_of(schema, {{"format", "annotate"}, {"documents", asserts}}).takes({"\"127.0.0.1\"", "1"});
  const Json annotates = meta("https://json-schema.org/draft/2020-12/vocab/format-annotation");
  judge_of(schema, {{"format", "annotate"}, {"documents", annotates}}).takes({"\"a\"", "\"127.0.0.1\""});
  // A metaschema that is not at hand may say either.
  EXPECT_EQ(refused_at(schema, {{"format", "annotate"}}), "#/format");
}

TEST(SchemaGrammar, VocabulariesThatTheMetaschemaLeavesOutSayNothing) {
  const Json schema = {{"$schema", "https://a.org/meta"}, {"properties", {{"a", false}, {"b", {{"minimum", 10}}}}}};
  const auto with = [](const Json& vocabularies) {
    return Json{{"documents", {{"https://a.org/meta", {{"$vocabulary", vocabularies}}}}}, {"open", true}};
  };
  const Judge judge = judge_of(schema, with({{"https://json-schema.org/draft/2020-12/vocab/applicator", true}}));
  judge.takes({R"({"b": 1})", R"({"b": 20})"});
  judge.refuses({R"({"a": 1})"});
  EXPECT_EQ(refused_at(schema, with({{"https://a.org/vocabulary", true}})), "#/$schema");
  EXPECT_EQ(
      refused_at({{"$ref", "https://a.org/old"}},
                 {{"documents", {{"https://a.org/old", {{"$schema", "http://json-schema.org/draft-07/schema"}}}}}}),
      "https://a.org/old#/$schema");
}

TEST(SchemaGrammar, ANameInsideOfAnUnknownKeywordIsNone) {
  const Json schema = {
      {"$defs",
       {{"hidden", {{"not", {{"things", Json::array({{{"$id", "https://a.org/x"}, {"type", "null"}}})}}}}},
        {"real", {{"$id", "https://a.org/x"}, {"type", "string"}}}}},
      {"$ref", "https://a.org/x"}};
  judge_of(schema, {{"open", true}}).takes({"\"a\""});
  judge_of(schema, {{"open", true}}).refuses({"null"});
}

TEST(SchemaGrammar, ContentHoldsInDraft7) {
  const Json base64 = {{"contentEncoding", "base64"}};
  const Judge judge = judge_of(base64, {{"draft", "7"}});
  judge.takes({"\"\"", "\"QUJD\"", "\"QUI=\"", "\"QQ==\"", "1"});
  judge.refuses({"\"Q\"", "\"QUI\"", "\"QU=C\"", "\"QU%C\""});
  judge_of({{"contentEncoding", "base16"}}, {{"draft", "7"}}).refuses({"\"0\"", "\"0g\""});
  judge_of(base64, {{"draft", "7"}, {"format", "annotate"}}).takes({"\"Q\""});
  judge_of(base64).takes({"\"Q\""});  // An annotation since 2019-09.
  EXPECT_FALSE(
      compile_guide({{"schema", {{"type", "string"}, {"contentEncoding", "base64"}}}, {"draft", "7"}}, tokenizer())
          ->accepts("\"Q\"", {}));
  const Json json = {{"contentMediaType", "application/json"}};
  EXPECT_EQ(refused_at(json, {{"draft", "7"}}), "#/contentMediaType");
  EXPECT_EQ(refused_at(json, {{"draft", "7"}, {"format", "known"}}), "#/contentMediaType");
  judge_of({{"contentMediaType", "image/png"}}, {{"draft", "7"}, {"format", "known"}}).takes({"\"a\""});
}

TEST(SchemaGrammar, NumbersThatAreNotWholeMayHaveBounds) {
  const Judge judge = judge_of({{"type", "number"}, {"not", {{"type", "integer"}}}, {"minimum", 2}, {"maximum", 3}});
  judge.takes({"2.5", "2.000001", "2.99"});
  judge.refuses({"2", "2.0", "3", "3.0", "1.5", "3.1"});
  EXPECT_EQ(refused_at({{"type", "number"}, {"not", {{"type", "integer"}}}, {"minimum", 2}, {"maximum", 2}}), "#");
}

TEST(SchemaGrammar, LettersAndControlEscapesStandInPatterns) {
  judge_of({{"type", "string"}, {"pattern", "^\\p{Letter}+\\p{N}$"}})
      .takes({"\"h\xC3\xA9"
              "1\"",
              "\"\xEA\xB0\x80"
              "2\""});
  judge_of({{"type", "string"}, {"pattern", "^\\p{L}+$"}}).refuses({"\"a1\"", "\"\"", "\"-\""});
  judge_of({{"type", "string"}, {"pattern", "^\\cJ$"}}).takes({"\"\\n\""});
}

}  // namespace
}  // namespace onggi::decode
