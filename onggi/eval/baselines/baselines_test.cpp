#include "onggi/eval/baselines/baselines.h"

#include <gtest/gtest.h>

#include "onggi/core/error.h"
#include "onggi/datasets/split.h"
#include "onggi/eval/rules/adnominal.h"
#include "onggi/eval/rules/clauses.h"
#include "onggi/eval/rules/rule_extractor.h"

namespace onggi::eval {
namespace {

struct Parts {
  std::vector<ThemeRow> train, test;
};

const Parts& review_themes() {
  static const Parts parts = [] {
    std::vector<datasets::Row> rows;
    for (const char* name : {"beauty", "fashion-digital", "food-living", "plain"}) {
      const auto file = std::filesystem::path(ONGGI_SOURCE_DIR) / "examples/review-themes/data" / ("authored-" + std::string(name) + ".jsonl");
      for (auto& row : datasets::read_rows(file)) rows.push_back(std::move(row));
    }
    const auto split = datasets::split_rows(rows, {.validation_modulus = 0});
    return Parts{theme_rows(datasets::select(rows, split.train)), theme_rows(datasets::select(rows, split.test))};
  }();
  return parts;
}

TEST(Clauses, AreCutAtMarksAndEndings) {
  EXPECT_EQ(split_clauses("향이 좋아요 근데 금방 닳네요ㅠㅠ 한달 간다더니!"),
            (std::vector<std::string>{"향이 좋아요", "근데 금방 닳네요", "한달 간다더니"}));
  EXPECT_TRUE(split_clauses(" ^^ ㅋㅋ").empty());
  EXPECT_EQ(split_clauses("good"), std::vector<std::string>{"good"});
  EXPECT_EQ(plain_text(" a, 나!!  ㅋㅋ"), "a 나");
}

TEST(Adnominal, EndingsOfReviewsBecomeModifiers) {
  const std::pair<const char*, const char*> cases[] = {
      {"향이 은은해요", "향이 은은한"},       {"흡수가 잘 돼요", "흡수가 잘 되는"},   {"맛이 좋네요", "맛이 좋은"},
      {"안 미끄러집니다", "안 미끄러지는"},   {"고기 잘 잘림", "고기 잘 잘리는"},     {"색감이 예뻐요", "색감이 예쁜"},
      {"손에 들기 가벼워요", "손에 들기 가벼운"}, {"잘 먹어요", ""},                    {"아이가 잘 먹어요", "아이가 잘 먹는"},
      {"자국이 없어요", "자국이 없는"},       {"공간이 많아요", "공간이 많은"},       {"예뻐요", ""}};
  EXPECT_EQ(plain_expression("향"), "향이 좋은");
  EXPECT_EQ(plain_expression("효과"), "효과가 좋은");
  for (const auto& [clause, phrase] : cases) EXPECT_EQ(adnominal_phrase(clause).value_or(""), phrase) << clause;
}

TEST(Baselines, RulesBeatTheOthersAndTheReferenceClassifier) {
  const auto& [train, test] = review_themes();
  const auto systems = make_baselines(train, test);
  const auto result = evaluate_themes(test, systems, {.bootstrap = {.num_resamples = 2}});
  ASSERT_EQ(result.systems.size(), 3u);
  EXPECT_DOUBLE_EQ(figure_of(result.systems[0], "f1").value, 0);
  EXPECT_DOUBLE_EQ(figure_of(result.systems[0], "empty").value, 1);
  EXPECT_GT(figure_of(result.systems[1], "f1").value, 0.02);
  EXPECT_GT(figure_of(result.systems[2], "f1").value, 0.22);
  EXPECT_GT(figure_of(result.systems[2], "aspect_f1").value, 0.36);
  EXPECT_DOUBLE_EQ(figure_of(result.systems[2], "valid").value, 1);
  EXPECT_GT(figure_of(result.systems[2], "well_formed").value, 0.9);
}

TEST(Baselines, FitIsDeterministicAndWantsThemes) {
  const auto& [train, test] = review_themes();
  const std::span some = std::span(train).first(200);
  const auto a = RuleExtractor::fit(some, {}), b = RuleExtractor::fit(some, {});
  for (const ThemeRow& row : std::span(test).first(40)) {
    EXPECT_EQ(a.extract(row), b.extract(row));
  }
  EXPECT_TRUE(a.extract({}).empty());
  EXPECT_THROW(RuleExtractor::fit({}, {}), Error);
}

}  // namespace
}  // namespace onggi::eval
