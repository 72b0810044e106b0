#include "onggi/text/line_text.h"

#include <gtest/gtest.h>

namespace onggi::text {
namespace {

std::vector<std::string> pieces(std::string_view s) {
  std::vector<std::string> result;
  std::size_t begin = 0;
  for (const std::size_t end : line_breaks(s)) {
    result.emplace_back(s.substr(begin, end - begin));
    begin = end;
  }
  return result;
}

TEST(TidyLine, KeepsWhatShowsAndNothingElse) {
  EXPECT_EQ(tidy_line(" 수분\t\n 채워주는\u3000미스트 "), "수분 채워주는 미스트");
  EXPECT_EQ(tidy_line("수\u200B분\uFEFF \u202E채\u2069워\u00ADm\u200Dl"), "수분 채워ml");
  EXPECT_EQ(tidy_line("\u1109\u116E\u1107\u116E\u11AB"), "수분");
  EXPECT_EQ(tidy_line("\xff미"), "\uFFFD미");
  EXPECT_EQ(tidy_line("\u200B \u00A0"), "");
}

TEST(FindHiddenChar, NamesTheFirst) {
  EXPECT_FALSE(find_hidden_char("수분 채워주는 😀"));
  EXPECT_EQ(find_hidden_char("수\x01")->kind, "a control character");
  EXPECT_EQ(find_hidden_char("수\x01")->index, 1u);
  EXPECT_EQ(find_hidden_char("\uE000")->kind, "for private use");
  EXPECT_EQ(find_hidden_char("a\U0003FFF0")->kind, "unassigned");
  EXPECT_EQ(find_hidden_char("\uFFFD")->kind, "a replacement for invalid bytes");
}

TEST(LineBreaks, KeepKoreanWordsWhole) {
  EXPECT_EQ(pieces("아침까지 당김 없는 크림"), (std::vector<std::string>{"아침까지 ", "당김 ", "없는 ", "크림"}));
  EXPECT_EQ(pieces("24,900원에 (반년) 쓰는"), (std::vector<std::string>{"24,900원에 ", "(반년) ", "쓰는"}));
  EXPECT_EQ(pieces("日本語"), (std::vector<std::string>{"日", "本", "語"}));
  EXPECT_EQ(pieces("wash-free 100%"), (std::vector<std::string>{"wash-", "free ", "100%"}));
  EXPECT_TRUE(pieces("").empty());
}

TEST(DirectionRuns, StandInTheOrderOfTheScreen) {
  const std::string line = "크림 \u05D0\u05D1 3";
  const auto runs = direction_runs(line);
  ASSERT_GE(runs.size(), 2u);
  EXPECT_FALSE(runs[0].is_right_to_left);
  std::size_t covered = 0;
  bool has_rtl = false;
  for (const auto& run : runs) {
    covered += run.end - run.begin;
    has_rtl = has_rtl || run.is_right_to_left;
  }
  EXPECT_EQ(covered, line.size());
  EXPECT_TRUE(has_rtl);
}

TEST(CodePointText, HasFourToSixDigits) {
  EXPECT_EQ(code_point_text(0x41), "U+0041");
  EXPECT_EQ(code_point_text(0x1F600), "U+1F600");
  EXPECT_EQ(code_point_text(0x10FFFF), "U+10FFFF");
}

}  // namespace
}  // namespace onggi::text
