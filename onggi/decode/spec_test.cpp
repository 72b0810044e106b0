#include "onggi/decode/spec.h"

#include <gtest/gtest.h>

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
  EXPECT_NE(where(R"({"sequence": [{"choices": ["a"]}, {"any_of": [{"schema": {"type": "object", "additionalProperties": false,
      "properties": {"x": {"not": {}}}}}]}]})")
                .find("/sequence/1/any_of/0/schema#/properties/x/not"),
            std::string::npos);
  EXPECT_NE(where(R"({"any_of": [{"regex": "("}]})").find("/any_of/0/regex"), std::string::npos);
  EXPECT_NE(where(R"({"repeat": {"word": 1}})").find("/repeat/word"), std::string::npos);
  EXPECT_NE(where(R"({"sequence": []})").find("sequence"), std::string::npos);
  EXPECT_NE(where(R"({"repeat": 3})").find("JSON object"), std::string::npos);
}

TEST(Spec, DepthIsBounded) {
  std::string spec = R"({"choices": ["a"]})";
  for (int i = 0; i < 200; ++i) spec = R"({"any_of": [)" + spec + "]}";
  EXPECT_THROW(spec_pattern(parse_json(spec, "test", 1000)), Error);
}

}  // namespace
}  // namespace onggi::decode
