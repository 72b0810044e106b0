#include "onggi/review/checker.h"

#include <gtest/gtest.h>

#include "onggi/core/error.h"
#include "onggi/review/answer_form.h"
#include "onggi/review/test_support.h"

namespace onggi::review {
namespace {

Json fields() { return {{"product", "누벨르온 수분 크림 50ml"}, {"review", "아침까지 당김이 없어요"}}; }

std::vector<std::string> codes(const Checker& checker, const char* answer) {
  std::vector<std::string> all;
  for (const auto& fault : checker.check(fields(), Json::parse(answer))) {
    all.push_back(fault.code + (fault.card >= 0 ? " " + std::to_string(fault.card) : "") +
                  (fault.field.empty() ? "" : " " + fault.field));
  }
  return all;
}

TEST(Checker, SaysWhichFieldOfWhichThemeBreaksWhichRule) {
  const Checker checker(AnswerKind::kThemes, Json::parse(testing::kGuide));
  using Codes = std::vector<std::string>;
  EXPECT_EQ(codes(checker, "[]"), Codes());
  EXPECT_EQ(codes(checker, R"([{"entity": "크림", "expression": "아침까지 당김 없는", "name": "보습력"}])"), Codes());
  EXPECT_EQ(codes(checker, R"([{"entity": "크림", "expression": "아침까지 당김 없는", "name": "보습력"},
                              {"entity": "로션", "expression": "촉촉해요!", "name": "맛"}])"),
            (Codes{"entity 1 entity", "ending 1 expression", "words 1 expression", "characters 1 expression",
                   "aspect 1 name"}));
  EXPECT_EQ(codes(checker, R"([{"entity": "", "expression": "밤새 촉촉한", "name": "향"}])"), Codes{"empty 0 entity"});
  EXPECT_EQ(codes(checker, R"([{"entity": "크림", "expression": "아침까지 당김 없는", "name": "향"},
                              {"entity": "크림", "expression": "밤새 촉촉한", "name": "향"}])"),
            Codes{"again 1 name"});
}

TEST(Checker, TheGuideSaysFromWhereOnAnAnswerIsNotOfItsForm) {
  const Checker checker(AnswerKind::kJson, Json::parse(R"({"schema": {"type": "object", "additionalProperties": false,
      "required": ["stars"], "properties": {"stars": {"type": "integer", "minimum": 1, "maximum": 5}}}})"));
  EXPECT_TRUE(checker.check(fields(), Json::parse(R"({"stars": 4})")).empty());
  const auto wrong = checker.check(fields(), Json::parse(R"({"stars": 9})"));
  ASSERT_EQ(wrong.size(), 1U);
  EXPECT_EQ(wrong[0].code, "guide");
  EXPECT_EQ(wrong[0].at, 10);
  EXPECT_EQ(checker.check(fields(), Json::parse("{}"))[0].at, 1);
  const Checker choices(AnswerKind::kText, Json::parse(R"({"choices": ["좋음", "나쁨"]})"));
  EXPECT_TRUE(choices.check(fields(), "좋음").empty());
  EXPECT_EQ(choices.check(fields(), "좋")[0].at, 1);    // Ends too early.
  EXPECT_EQ(choices.check(fields(), "좋은")[0].at, 1);  // In characters, though the bytes part later.
}

TEST(Checker, WithoutAGuideJsonAndTextAreFree) {
  EXPECT_TRUE(Checker(AnswerKind::kText, nullptr).check(fields(), "x").empty());
  EXPECT_TRUE(Checker(AnswerKind::kJson, nullptr).check(fields(), Json::array()).empty());
}

TEST(AnswerForm, EqualAnswersHaveOneForm) {
  const Json a = Json::parse(R"([{"name": "향", "entity": " 크림", "expression": "향이  은은한", "score": 1}])");
  const Json b = Json::parse(R"([{"entity": "크림", "expression": "향이 은은한", "name": "향"}])");
  EXPECT_EQ(dump_json(normal_answer(AnswerKind::kThemes, a, "x")), dump_json(b));
  for (const char* wrong : {"{}", "[1]", R"([{"entity": "a"}])", R"([{"entity": "a", "expression": 1, "name": "b"}])"})
    EXPECT_THROW(normal_answer(AnswerKind::kThemes, Json::parse(wrong), "x"), Error) << wrong;
  EXPECT_THROW(normal_answer(AnswerKind::kText, 1, "x"), Error);
}

TEST(AnswerForm, TheKindOfAColumnIsTold) {
  bool is_text = false;
  EXPECT_EQ(kind_of_column(Json::array(), is_text), AnswerKind::kThemes);
  EXPECT_EQ(kind_of_column(Json::parse("{\"a\": 1}"), is_text), AnswerKind::kJson);
  EXPECT_FALSE(is_text);
  EXPECT_EQ(kind_of_column("{\"a\": 1}", is_text), AnswerKind::kJson);
  EXPECT_TRUE(is_text);
  EXPECT_EQ(kind_of_column("{not json", is_text), AnswerKind::kText);
  EXPECT_EQ(kind_of_column("hello", is_text), AnswerKind::kText);
}

}  // namespace
}  // namespace onggi::review
