#include "onggi/decode/spec.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "onggi/core/error.h"
#include "onggi/decode/test_support.h"

namespace onggi::decode {
namespace {

std::shared_ptr<const Guide> guide_of(std::string_view spec) {
  return compile_guide(parse_json(spec, "test"), std::make_shared<testing::FakeTokenizer>());
}

TEST(Spec, GuidesAreComposed) {
  const auto guide = guide_of(R"({"sequence": [{"choices": ["a", "b"]}, {"repeat": {"sequence": [{"regex": ", ?"},
      {"any_of": [{"choices": ["c"]}, {"schema": {"enum": [1, 2]}}]}]}}]})");
  for (const char* text : {"a", "b, c", "a,1, 2,c"}) EXPECT_TRUE(guide->accepts(text, {})) << text;
  for (const char* text : {"", "c", "a,", "a, 3", "ab"}) EXPECT_FALSE(guide->accepts(text, {})) << text;
}

TEST(Spec, PartsMayBeMoreThanRegular) {
  const auto guide = guide_of(R"({"sequence": [{"choices": ["<"]}, {"any_of": [{"regex": "[0-9]+"}, {"schema":
      {"$ref": "#/$defs/n", "$defs": {"n": {"type": "array", "items": {"$ref": "#/$defs/n"}}}}}]}, {"choices": [">"]},
      {"repeat": {"sequence": [{"choices": [";"]}, {"whitespace": "flexible", "schema": {"oneOf": [
        {"type": "object", "additionalProperties": false, "properties": {"a": {"$ref": "#"}}}, {"const": 1}]}}]}}]})");
  for (const char* text : {"<17>", "<[]>", "<[[], [[]]]>;1;{\"a\" : {\"a\":1}}"}) EXPECT_TRUE(guide->accepts(text, {})) << text;
  for (const char* text : {"<>", "<[>", "<[]>;2", "<[]>;{\"a\": {\"b\": 1}}", "<[]>;"}) EXPECT_FALSE(guide->accepts(text, {})) << text;
}

TEST(Spec, APartOfDraft7KeepsToItsContents) {
  const auto guide = guide_of(R"({"sequence": [{"choices": ["a"]}, {"schema": {"$schema": "http://json-schema.org/draft-07/schema#",
      "type": "string", "contentEncoding": "base16"}}]})");
  EXPECT_TRUE(guide->accepts("a\"0A\"", {}));
  EXPECT_FALSE(guide->accepts("a\"0g\"", {}));
}

TEST(Spec, AnErrorNamesThePlaceInAllOfIt) {
  const auto where = [](std::string_view spec) {
    try {
      guide_of(spec);
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ErrorCode::kInvalidArgument);
      return std::string(e.what());
    }
    return std::string("none");
  };
  EXPECT_NE(
      where(
          R"({"sequence": [{"choices": ["a"]}, {"any_of": [{"schema": {"type": "object", "additionalProperties": false,
      "properties": {"x": {"type": "array", "uniqueItems": true}}}}]}]})")
          .find("/sequence/1/any_of/0/schema#/properties/x/uniqueItems"),
      std::string::npos);
  EXPECT_NE(where(R"({"any_of": [{"schema": {"$ref": "#/$defs/o", "$defs": {"o": {"additionalProperties": {"$ref": "#/$defs/o"}}}}}]})")
                .find("/any_of/0/schema#"),
            std::string::npos);
  EXPECT_NE(where(R"({"any_of": [{"regex": "("}]})").find("/any_of/0/regex"), std::string::npos);
  EXPECT_NE(where(R"({"repeat": {"word": 1}})").find("/repeat/word"), std::string::npos);
  EXPECT_NE(where(R"({"sequence": []})").find("sequence"), std::string::npos);
  EXPECT_NE(where(R"({"repeat": 3})").find("JSON object"), std::string::npos);
}

/// Two stop tokens, as chat models have.
class TwoEndsTokenizer : public testing::FakeTokenizer {
 public:
  std::span<const int> stop_ids() const override { return stops_; }

 private:
  std::vector<int> stops_ = {kEos, kPad};
};

TEST(Spec, AnswersEndWithAnyStopTokenWhereTheGuideSaysSo) {
  const auto tokenizer = std::make_shared<TwoEndsTokenizer>();
  const auto ends_at = [&](std::string_view spec, std::string_view text) {
    const auto guide = compile_guide(parse_json(spec, "test"), tokenizer);
    const auto state = guide->start({});
    std::vector<int> ids;
    tokenizer->encode(text, ids);
    for (const int id : ids) state->advance(id);
    const auto fork = state->fork();
    const auto allowed = fork->allowed();
    EXPECT_TRUE(std::ranges::is_sorted(allowed));
    std::vector<int> ends;
    for (const int id : {TwoEndsTokenizer::kPad, TwoEndsTokenizer::kEos}) {
      if (!std::ranges::binary_search(allowed, id)) continue;
      EXPECT_TRUE(std::ranges::binary_search(guide->reachable(), id));
      ends.push_back(id);
      const auto last = state->fork();
      last->advance(id);
      EXPECT_TRUE(last->is_finished());
    }
    return ends;
  };
  const std::vector<int> both = {TwoEndsTokenizer::kPad, TwoEndsTokenizer::kEos};
  EXPECT_EQ(ends_at(R"({"regex": "a+", "ends": "all"})", "a"), both);
  EXPECT_TRUE(ends_at(R"({"regex": "aa", "ends": "all"})", "a").empty());
  EXPECT_EQ(ends_at(R"({"regex": "a+"})", "a"), std::vector<int>{TwoEndsTokenizer::kEos});
  EXPECT_THROW(ends_at(R"({"regex": "a+", "ends": "some"})", "a"), Error);
}

TEST(Spec, DepthIsBounded) {
  std::string spec = R"({"choices": ["a"]})";
  for (int i = 0; i < 200; ++i) spec = R"({"any_of": [)" + spec + "]}";
  EXPECT_THROW(spec_pattern(parse_json(spec, "test", 1000)), Error);
}

}  // namespace
}  // namespace onggi::decode
