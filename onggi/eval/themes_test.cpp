#include "onggi/eval/themes.h"

#include <gtest/gtest.h>

#include <cstdio>

#include "onggi/core/error.h"
#include "onggi/core/files.h"
#include "onggi/core/random.h"
#include "onggi/datasets/split.h"
#include "onggi/eval/evaluate.h"
#include "tests/support/shared.h"

namespace onggi::eval {
namespace {

const std::filesystem::path kSource = ONGGI_SOURCE_DIR;
const std::filesystem::path kThemes = kSource / "tests/cases/metrics/themes";

std::vector<ThemeRow> gold_rows() { return theme_rows(datasets::read_rows(kThemes / "gold.jsonl")); }

void expect_agreement(const SystemResult& system, const Json& expected) {
  for (const char* id : {"f1", "aspect_f1", "valid", "empty"}) {
    EXPECT_NEAR(figure_of(system, id).value, expected[id].get<double>(), 1e-12) << id;
  }
}

TEST(Themes, FiguresEqualTheReferenceScorersGoldens) {
  const System system{"model", read_predictions(kThemes / "predictions.jsonl")};
  const auto result = evaluate_themes(gold_rows(), {&system, 1});
  expect_agreement(result.systems[0], parse_json(read_file(kThemes / "expected.json"), "expected.json"));
}

/// An answer with some of what a model gets wrong.
std::string noisy_answer(const ThemeRow& row, std::uint64_t index) {
  auto cards = row.gold;
  const auto draw = [&](std::uint64_t bound) { return uniform_int(11, index, bound, bound); };
  for (Card& card : cards) {
    if (draw(3) == 0) card.name = index % 2 == 0 ? "사용감" : "효과";
    if (draw(5) == 0) card.entity = "크림";
  }
  if (draw(7) == 0 && !cards.empty()) cards.push_back(cards[0]);
  if (draw(6) == 0) cards.clear();
  std::string text = datasets::cards_answer(cards);
  if (draw(9) == 0) {
    std::size_t at = draw(text.size());
    while ((static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) --at;  // not inside a character
    text.insert(at, 1, "\"'[] :\\"[draw(7)]);
  }
  return text;
}

TEST(Themes, FiguresEqualTheReferenceScorerOnNoisyAnswers) {
  const auto script = testing::shared_folder() / "tools/score_themes.py";
  ONGGI_NEED_SHARED("tools/score_themes.py");
  if (std::system("python3 -c pass") != 0) GTEST_SKIP() << "needs python3";
  std::vector<datasets::Row> all;
  for (const char* name : {"beauty", "fashion-digital", "food-living", "plain"}) {
    for (auto& row : datasets::read_rows(kSource / "examples/review-themes/data" / ("authored-" + std::string(name) + ".jsonl"))) {
      all.push_back(std::move(row));
    }
  }
  const auto rows = theme_rows(all);
  System system{"noisy", {}};
  std::string predictions;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    system.predictions.push_back(make_prediction(rows[i].id, noisy_answer(rows[i], i)));
    predictions += dump_json({{"id", rows[i].id}, {"text", system.predictions[i].text}}) + "\n";
  }
  const auto folder = std::filesystem::path(::testing::TempDir()) / "onggi_themes_test";
  std::filesystem::create_directories(folder);
  write_file_atomic(folder / "gold.jsonl", datasets::to_jsonl(all));
  write_file_atomic(folder / "predictions.jsonl", predictions);
  const std::string command = "python3 " + script.string() + " " + (folder / "gold.jsonl").string() + " " +
                              (folder / "predictions.jsonl").string() + " > " + (folder / "scores.json").string();
  ASSERT_EQ(std::system(command.c_str()), 0);
  const auto result = evaluate_themes(rows, {&system, 1}, {.bootstrap = {.num_resamples = 2}});
  expect_agreement(result.systems[0], parse_json(read_file(folder / "scores.json"), "scores.json"));
  EXPECT_LT(figure_of(result.systems[0], "valid").value, 1.0);
  std::filesystem::remove_all(folder);
}

TEST(Themes, GoldCardsAreWellFormedAndFaultsAreNamed) {
  const auto rows = gold_rows();
  std::vector<std::string> names = aspect_names(rows);
  for (const ThemeRow& row : rows) {
    for (const Card& card : row.gold) EXPECT_TRUE(card_faults(card, row.product, names).empty()) << card.expression;
  }
  const auto faults = [&](const Card& card) {
    std::string text;
    for (const auto& fault : card_faults(card, "온기록 냉장고 정리 트레이 3P", names)) text += fault + " ";
    return text;
  };
  const std::string name = names[0];
  EXPECT_EQ(faults({"냉장고 트레이", "넉넉하게 담기는", name}), "");
  EXPECT_EQ(faults({"트레이", "넉넉하게 담겨요", name}), "ending ");
  EXPECT_EQ(faults({"트레이", "좋은", name}), "length words ");
  EXPECT_EQ(faults({"트레이", "넉넉하게 담기는!", name}), "ending characters ");
  EXPECT_EQ(faults({"쟁반", "넉넉하게 담기는", "맛있음"}), "aspect entity ");
  EXPECT_EQ(faults({"", "넉넉하게 담기는", name}), "entity ");
  EXPECT_EQ(faults({"트레이 냉장고", "넉넉하게 담기는", name}), "entity ");
}

ThemeRow row_of(std::string id, std::string product, std::vector<Card> gold) {
  return {.id = std::move(id), .product = std::move(product), .review = "r", .category = "c", .rating = "5", .gold = std::move(gold)};
}

TEST(Evaluate, BreakdownConfusionAndWorstFirst) {
  const std::vector<ThemeRow> rows = {row_of("1", "A", {{"A", "잘 맞는 x", "향"}, {"A", "잘 맞는 y", "맛"}}),
                                      row_of("2", "B", {}), row_of("3", "B", {{"B", "좋은 것인", "향"}})};
  System good{"good", {}}, bad{"bad", {}};
  for (const auto& row : rows) good.predictions.push_back(make_prediction(row.id, datasets::cards_answer(row.gold)));
  bad.predictions = {make_prediction("1", "[\"잘 맞는 'A' : 향\", \"잘 맞는 'A' : 소음\"]"), make_prediction("2", "x"),
                     make_prediction("3", "[]")};
  const System systems[] = {bad, good};
  const auto result = evaluate_themes(rows, systems, {.bootstrap = {.num_resamples = 50}});
  const SystemResult& judged = result.systems[0];
  EXPECT_DOUBLE_EQ(figure_of(judged, "f1").value, 2.0 * 1 / (3 + 2));
  EXPECT_DOUBLE_EQ(figure_of(judged, "valid").value, 2.0 / 3);
  EXPECT_DOUBLE_EQ(figure_of(judged, "empty").value, 0);
  EXPECT_DOUBLE_EQ(figure_of(result.systems[1], "f1").value, 1);
  EXPECT_DOUBLE_EQ(figure_of(result.systems[1], "expression_chrf").value, 100);
  EXPECT_DOUBLE_EQ(result.differences[0].difference.value, 0.4 - 1);
  EXPECT_EQ(judged.confusion.at({"향", "향"}), 1);
  EXPECT_EQ(judged.confusion.at({"맛", "소음"}), 1);
  EXPECT_EQ(judged.confusion.at({"향", ""}), 1);
  EXPECT_EQ(judged.by_aspect.at("향").rows.expected, 2);
  EXPECT_EQ(judged.by_rating.at("5").rows, 3);
  EXPECT_EQ(result.examples[0].row.id, "1");
  EXPECT_EQ(result.examples[0].mistakes, 2);
  EXPECT_EQ(result.to_json()["systems"][0]["figures"]["f1"]["value"].get<double>(), 0.4);
  EXPECT_NE(result.to_text().find("bad"), std::string::npos);
}

TEST(Evaluate, RefusesWhatDoesNotMatch) {
  const std::vector<ThemeRow> rows = {row_of("1", "A", {})};
  const auto evaluate = [&](std::vector<ThemePrediction> predictions) {
    const System system{"model", std::move(predictions)};
    return evaluate_themes(rows, {&system, 1});
  };
  EXPECT_THROW(evaluate({}), Error);
  EXPECT_THROW(evaluate({make_prediction("2", "[]")}), Error);
  EXPECT_THROW(evaluate({make_prediction("1", "[]"), make_prediction("2", "[]")}), Error);
  EXPECT_THROW(evaluate_themes({}, {}), Error);
  try {
    evaluate({make_prediction("2", "[]")});
  } catch (const Error& error) {
    EXPECT_NE(error.message().find("row 1 is \"2\", expected \"1\""), std::string::npos) << error.message();
  }
}

}  // namespace
}  // namespace onggi::eval
