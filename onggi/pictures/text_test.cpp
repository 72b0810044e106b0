#include <gtest/gtest.h>

#include "onggi/core/error.h"
#include "onggi/pictures/card.h"
#include "onggi/pictures/test_support.h"
#include "onggi/pictures/text_block.h"
#include "onggi/pictures/text_column.h"
#include "onggi/pictures/typeface.h"
#include "onggi/text/line_text.h"

namespace onggi::pictures {
namespace {

class CardTexts : public testing::Test {
 protected:
  void SetUp() override {
    if (!has_fonts()) GTEST_SKIP() << "fonts-nanum and fonts-nanum-extra are not installed";
  }
  static FontChain chain() { return chain_of(test_fonts(), "NanumSquareEB"); }
  static std::string refusal(CardText card) {
    try {
      prepare_card(card, test_fonts());
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
      return error.message();
    }
    return "not refused";
  }
};

TEST_F(CardTexts, AreTidiedButNeverShortened) {
  const CardText card =
      prepare_card({"t", " 아침까지\u200B 당김\n없는 ", "크\u202E림", "보습력", {"세라  크림"}}, test_fonts());
  EXPECT_EQ(card.expression, "아침까지 당김 없는");
  EXPECT_EQ(card.entity, "크림");
  EXPECT_EQ(card.products[0], "세라 크림");
}

TEST_F(CardTexts, ThatCantBeDrawnAreRefusedByName) {
  EXPECT_NE(refusal({"t", "촉촉한 \U0001F9F4", "크림", "보습력", {}}).find("U+1F9F4 as character 5"),
            std::string::npos);
  EXPECT_NE(
      refusal({"t", "촉촉한", "크\x01림", "보습력", {}}).find("entity has U+0001, a control character, as character 2"),
      std::string::npos);
  EXPECT_NE(refusal({"t", "촉촉한", "크림", "\uE000", {}}).find("aspect has U+E000, for private use"),
            std::string::npos);
  EXPECT_NE(refusal({"t", "\U0003FFF0", "크림", "보습력", {}}).find("unassigned"), std::string::npos);
  EXPECT_NE(refusal({"t", "\xff\xfe", "크림", "보습력", {}}).find("invalid bytes"), std::string::npos);
  EXPECT_NE(refusal({"t", "\u200B \u00AD", "크림", "보습력", {}}).find("expression is empty"), std::string::npos);
  EXPECT_NE(refusal({"t", "촉촉한", "", "보습력", {}}).find("entity is empty"), std::string::npos);
  EXPECT_NE(refusal({"t", "촉촉한", "크림", "보습력", {"\U0001F9F4"}}).find("product has U+1F9F4"), std::string::npos);
  std::string longest;
  for (int i = 0; i < 61; ++i) longest += "가 ";
  EXPECT_NE(refusal({"t", longest, "크림", "보습력", {}}).find("121 characters"), std::string::npos);
}

TEST_F(CardTexts, OfOtherScriptsAreDrawnWhereAFontHasThem) {
  for (const char* text :
       {"뷁 쀍 힣", "SPF50+ 30ml, 24,900원", "\u05E9\u05DC\u05D5\u05DD 크림", "日本 酒", "Ångström Ω ★"}) {
    const CardText card = prepare_card({"t", text, "크림", "보습력", {}}, test_fonts());
    const LineOutline line = outline_line(card.expression, chain(), 0);
    EXPECT_GT(line.width, 1.0) << text;
    EXPECT_FALSE(line.path.empty()) << text;
  }
}

TEST_F(CardTexts, EndTheirLinesBetweenWordsOnly) {
  const ShapedText text("아침까지 당김 없는 촉촉한 크림", chain(), -0.03);
  for (int count = 1; count <= 7; ++count) {
    std::string joined;
    for (const auto& line : text.lines(count)) joined += (joined.empty() ? "" : " ") + line.text;
    EXPECT_EQ(joined, text.text());
    EXPECT_EQ(text.lines(count).size(), static_cast<std::size_t>(std::min(count, 5)));
  }
  EXPECT_EQ(text.longest_piece(), "아침까지");
}

TEST_F(CardTexts, TakeTheLargestSizeThatFits) {
  const ShapedText text("아침까지 당김 없는 크림", chain(), 0);
  const TextLimits wide{
      .max_width = 1000, .max_height = 300, .min_size = 20, .max_size = 60, .max_lines = 3, .leading = 1.3};
  const auto in_one = fit_text(text, wide);
  ASSERT_TRUE(in_one);
  EXPECT_EQ(in_one->num_lines, 1);
  EXPECT_EQ(in_one->size, 60);
  auto narrow = wide;
  narrow.max_width = 220;
  const auto in_more = fit_text(text, narrow);
  ASSERT_TRUE(in_more);
  EXPECT_GT(in_more->num_lines, 1);
  EXPECT_LE(text.width(in_more->num_lines) * in_more->size, 220 + 1e-6);
  narrow.max_width = 30;
  EXPECT_FALSE(fit_text(text, narrow));
}

TEST_F(CardTexts, OfAColumnStandBelowEachOther) {
  const ShapedText aspect("보습력", chain(), 0), expression("아침까지 당김 없는", chain(), 0),
      entity("크림", chain(), 0);
  const std::vector<ColumnItem> items = {
      {.role = Role::kAspect, .text = &aspect, .min_size = 18, .max_size = 24, .chip = Chip::kFilled},
      {.role = Role::kExpression, .text = &expression, .min_size = 28, .max_size = 60, .max_lines = 3, .gap = 20},
      {.role = Role::kEntity, .text = &entity, .min_size = 34, .max_size = 90, .gap = 16}};
  for (const Align align : {Align::kLeft, Align::kCenter}) {
    const auto plan = plan_column(items, 400, 320);
    ASSERT_TRUE(plan);
    EXPECT_LE(plan->height, 320);
    EXPECT_LE(plan->width, 400 + 1e-6);
    Scene scene(500, 400);
    std::vector<PlacedText> texts;
    draw_column(scene, *plan, {align == Align::kLeft ? 50.0 : 250.0, 40}, align, texts);
    ASSERT_EQ(texts.size(), 3u);
    for (std::size_t i = 0; i < texts.size(); ++i) {
      EXPECT_TRUE((Rect{48, 38, 404, 324}).contains(texts[i].box)) << i;
      for (std::size_t k = 0; k < i; ++k) EXPECT_FALSE(texts[i].box.intersects(texts[k].box));
    }
  }
  EXPECT_FALSE(plan_column(items, 400, 60));
  EXPECT_FALSE(plan_column(items, 60, 400));
}

}  // namespace
}  // namespace onggi::pictures
