#include "onggi/tasks/experiment/prompt_study.h"

#include <gtest/gtest.h>

#include "onggi/core/error.h"

namespace onggi::tasks {
namespace {

eval::ThemeRow row(const std::string& id, const std::string& product, std::vector<eval::Card> cards) {
  return {.id = id, .product = product, .review = "review", .category = "", .rating = "", .gold = std::move(cards)};
}

PromptStudy two_prompts() {
  const eval::Card card{.entity = "크림", .expression = "잘 스며드는", .name = "흡수력"};
  const std::vector<eval::ThemeRow> gold = {row("1", "첫 크림", {card}), row("2", "둘째 크림", {})};
  const std::string answer = R"(["잘 스며드는 '크림' : 흡수력"])";
  const std::vector<eval::System> systems = {
      {"long", {eval::make_prediction("1", answer), eval::make_prediction("2", "[]")}},
      {"<short>", {eval::make_prediction("1", "[]"), eval::make_prediction("2", "[]")}}};
  PromptStudy study{.price_per_hour = 0.36};
  study.prompts = {{.name = "long",
                    .template_characters = 900,
                    .prefix_tokens = 400,
                    .prompt_tokens = 450.5,
                    .eval_loss = 0.7,
                    .scored_tokens = 30,
                    .updates = 2,
                    .training_tokens_per_s = 1000,
                    .rows_per_s = 2},
                   {.name = "<short>",
                    .template_characters = 60,
                    .prefix_tokens = 20,
                    .prompt_tokens = 70.25,
                    .eval_loss = 0.8,
                    .scored_tokens = 30,
                    .updates = 2,
                    .training_tokens_per_s = 800,
                    .rows_per_s = 4}};
  study.curves = {{.loss = {{1, 2.0}, {2, 1.5}}}, {.loss = {{1, 2.1}, {2, 1.7}}}};
  study.judged = eval::evaluate_themes(gold, systems);
  study.facts = {{"base", "tiny"}};
  return study;
}

TEST(PromptStudy, CostFollowsFromRowsASecond) {
  EXPECT_DOUBLE_EQ(cost_per_million_rows(1000.0 / 3.6, 0.1), 0.1);
  EXPECT_DOUBLE_EQ(cost_per_million_rows(1.0, 0.36), 100.0);
  EXPECT_THROW(cost_per_million_rows(0.0, 1.0), Error);
}

TEST(PromptStudy, JsonHasEveryFigureOfEveryPrompt) {
  const Json json = study_json(two_prompts());
  ASSERT_EQ(json["prompts"].size(), 2U);
  EXPECT_EQ(json["prompts"][0]["name"], "long");
  EXPECT_DOUBLE_EQ(json["prompts"][0]["f1"]["value"].get<double>(), 1.0);
  EXPECT_DOUBLE_EQ(json["prompts"][1]["f1"]["value"].get<double>(), 0.0);
  EXPECT_DOUBLE_EQ(json["prompts"][0]["cost_per_million_rows"].get<double>(), 50.0);
  EXPECT_DOUBLE_EQ(json["prompts"][1]["prompt_tokens"].get<double>(), 70.25);
  EXPECT_EQ(json["f1_differences"][0]["second"], "<short>");
  EXPECT_DOUBLE_EQ(json["price_per_hour"].get<double>(), 0.36);
}

TEST(PromptStudy, PageStandsAloneAndEscapesNames) {
  const std::string html = study_html(two_prompts());
  EXPECT_EQ(html.find("http"), std::string::npos);
  EXPECT_EQ(html.find("<script"), std::string::npos);
  EXPECT_EQ(html.find("<short>"), std::string::npos);
  for (const char* part : {"&lt;short&gt;", "450.5", "Evaluation loss", "Cost of a million rows", "prompt tokens a row",
                           "Training loss"}) {
    EXPECT_NE(html.find(part), std::string::npos) << part;
  }
}

TEST(PromptStudy, TextHasALineAPromptInColumns) {
  const std::string text = study_text(two_prompts());
  EXPECT_NE(text.find("long        0.7000"), std::string::npos) << text;
  EXPECT_NE(text.find("<short>     0.8000"), std::string::npos) << text;
}

TEST(PromptFigures, ComeBackFromTheirJson) {
  const PromptFigures figures = two_prompts().prompts[0];
  EXPECT_EQ(PromptFigures::from_json(figures.to_json(), "here").to_json(), figures.to_json());
  Json broken = figures.to_json();
  broken["eval_loss"] = "low";
  EXPECT_THROW(PromptFigures::from_json(broken, "here"), Error);
}

}  // namespace
}  // namespace onggi::tasks
