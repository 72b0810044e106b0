#include "onggi/runtime/fields.h"

#include <gtest/gtest.h>

namespace onggi::runtime {
namespace {

std::string show(std::string_view text) {
  std::string out;
  for (const auto& f : find_fields(text))
    out += f.pointer + "=" + std::string(text.substr(f.begin, f.end - f.begin)) + ";";
  return out;
}

TEST(Fields, FindsEveryValueWithItsPointer) {
  EXPECT_EQ(show(R"({"a": "x", "b/c": [1, -2.5e3, true], "d": {"e": null}})"),
            "/a=x;/b~1c/0=1;/b~1c/1=-2.5e3;/b~1c/2=true;/d/e=null;");
}

TEST(Fields, EscapesDoNotEndAString) { EXPECT_EQ(show(R"(["a\"b", ""])"), R"(/0=a\"b;/1=;)"); }

TEST(Fields, NamesAreReadBeforeTheyBecomePointers) {
  EXPECT_EQ(show(R"({"\u0061\/~": 1, "\ub9db": 2})"), "/a~1~0=1;/맛=2;");
}

TEST(Fields, CardsHaveThreeParts) {
  EXPECT_EQ(show("[\"잘 스며드는 '로션' : 흡수력\"]"), "/0#expression=잘 스며드는;/0#entity=로션;/0#name=흡수력;");
}

TEST(Fields, TextThatIsNoJsonHasNone) {
  EXPECT_TRUE(find_fields("[\"a\"").empty());
  EXPECT_TRUE(find_fields("").empty());
}

}  // namespace
}  // namespace onggi::runtime
