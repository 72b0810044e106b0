#include "onggi/eval/verifier/verifier.h"

#include <cmath>

#include <gtest/gtest.h>

#include "onggi/core/error.h"
#include "onggi/core/random.h"

namespace onggi::eval {
namespace {

TEST(ExactInterval, IsClopperAndPearsons) {
  const auto some = exact_interval(8, 10, 0.95);  // scipy.stats.binomtest(8, 10).proportion_ci()
  EXPECT_NEAR(some.low, 0.44390454, 1e-7);
  EXPECT_NEAR(some.high, 0.97478927, 1e-7);
  const auto none = exact_interval(0, 10, 0.95);
  EXPECT_EQ(none.low, 0);
  EXPECT_NEAR(none.high, 0.30849710, 1e-7);
  EXPECT_EQ(exact_interval(0, 0, 0.95).high, 1);
}

TEST(Logistic, FindsTheWeightsThatMadeTheData) {
  std::vector<std::vector<double>> x;
  std::vector<bool> y;
  for (std::uint64_t i = 0; i < 20000; ++i) {
    x.push_back({uniform_float(1, 1, i) * 4 - 2, uniform_float(1, 2, i) * 10});
    const double p = 1 / (1 + std::exp(-(0.5 + 1.5 * x.back()[0] - 0.3 * x.back()[1])));
    y.push_back(uniform_float(1, 3, i) < p);
  }
  const auto model = Logistic::fit(x, y, 1e-3);
  for (const auto& at : {std::vector<double>{0, 0}, {1, 5}, {-2, 1}}) {
    EXPECT_NEAR(model.probability(at), 1 / (1 + std::exp(-(0.5 + 1.5 * at[0] - 0.3 * at[1]))), 0.03);
  }
  const auto again = Logistic::from_json(parse_json(model.to_json().dump(), "test"), "test");
  EXPECT_EQ(again.probability(x[7]), model.probability(x[7]));
}

TEST(Logistic, KeepsFiniteWeightsWhereTheDataCanBeSeparated) {
  const std::vector<std::vector<double>> x = {{0}, {1}, {2}, {3}};
  const auto model = Logistic::fit(x, {false, false, true, true}, 1.0);
  EXPECT_LT(model.probability(x[0]), 0.5);
  EXPECT_GT(model.probability(x[3]), 0.5);
  EXPECT_THROW(Logistic::fit(x, {true, true, true, true}, 1.0), Error);
}

std::vector<ScoredCard> cards_with(double precision_at_best, std::uint64_t seed, std::size_t count) {
  std::vector<ScoredCard> cards;
  for (std::uint64_t i = 0; i < count; ++i) {
    const double score = uniform_float(seed, 1, i);
    cards.push_back({.score = score,
                     .is_right = uniform_float(seed, 2, i) < score * precision_at_best,
                     .group = std::to_string(i / 3)});
  }
  return cards;
}

TEST(Threshold, KeepsItsPromiseInAtLeastAsManyDrawsAsItAssures) {
  int num_broken = 0;
  constexpr int kDraws = 400;
  for (std::uint64_t seed = 0; seed < kDraws; ++seed) {
    const auto chosen = choose_threshold(cards_with(1, seed, 300), {.target = 0.8, .assurance = 0.9});
    if (!std::isfinite(chosen.score)) continue;
    // Right with probability `score`: the precision above a threshold t is the mean of (t, 1).
    num_broken += (1 + chosen.score) / 2 < 0.8 ? 1 : 0;
  }
  EXPECT_LE(num_broken, kDraws / 10 + 12);  // 2 standard errors
}

TEST(Threshold, IsInfiniteWhereNoneServesAndSaysHowFarItIs) {
  const auto chosen = choose_threshold(cards_with(0.3, 1, 300), {.target = 0.9, .assurance = 0.9});
  EXPECT_TRUE(std::isinf(chosen.score));
  EXPECT_EQ(chosen.accepted, 0);
  EXPECT_GT(chosen.best_bound, 0);
  EXPECT_LT(chosen.best_bound, 0.9);
  EXPECT_TRUE(std::isinf(choose_threshold({}, {}).score));
  EXPECT_THROW(choose_threshold({}, {.target = 1.5}), Error);
}

TEST(Threshold, AcceptsTiesTogether) {
  std::vector<ScoredCard> cards(100, {.score = 0.5, .is_right = true, .group = "a"});
  cards.push_back({.score = 0.1, .is_right = false, .group = "b"});
  const auto chosen = choose_threshold(cards, {.target = 0.8, .assurance = 0.9});
  EXPECT_GE(chosen.accepted, 100);
}

TEST(PrecisionCurve, EndsWithAllCards) {
  const auto cards = cards_with(1, 3, 200);
  const auto curve = precision_curve(cards, 10, {.num_resamples = 50});
  ASSERT_EQ(curve.size(), 10U);
  EXPECT_EQ(curve.back().coverage, 1);
  EXPECT_GT(curve.front().precision.value, curve.back().precision.value);
  EXPECT_LE(curve[4].precision.low, curve[4].precision.value);
  EXPECT_GT(auroc_of(cards), 0.7);
  EXPECT_EQ(auroc_of({}), 0.5);
}

TEST(Evidence, CountsWhatIsCopied) {
  EXPECT_DOUBLE_EQ(copied_share("아주 촉촉한", "정말 아주촉촉해요"), 4.0 / 5);
  EXPECT_DOUBLE_EQ(copied_share("", "abc"), 0);
  EXPECT_DOUBLE_EQ(shared_pairs("abcd", "ab cd"), 1);
  EXPECT_DOUBLE_EQ(shared_pairs("abcd", "xx"), 0);
}

/// Rows whose answers are right where the model is sure.
std::pair<std::vector<ThemeRow>, SupportedAnswers> example(std::size_t count) {
  std::vector<ThemeRow> gold;
  SupportedAnswers answers{.form = AnswerForm::kFields, .rows = {}};
  for (std::size_t i = 0; i < count; ++i) {
    const double sure = uniform_float(9, 1, i);
    const bool is_right = uniform_float(9, 2, i) < sure;
    const Card card{.entity = "크림", .expression = "아주 촉촉한", .name = "보습력"};
    Card truth = card;
    if (!is_right) truth.name = "향";
    gold.push_back({.id = std::to_string(i),
                    .product = "수분 크림 " + std::to_string(i / 2),
                    .review = "아주 촉촉해요",
                    .category = {},
                    .rating = "5",
                    .gold = {truth}});
    answers.rows.push_back({.id = std::to_string(i),
                            .cards = {{card}},
                            .support = {{.log_entity = -0.1, .log_expression = -3, .log_name = std::log(sure + 1e-3)}},
                            .samples = {}});
  }
  return {gold, answers};
}

TEST(Verifier, AcceptsAtItsTargetAndLeavesTheRestToPeople) {
  const auto [gold, answers] = example(600);
  const std::vector<std::string> names = {"보습력", "향"};
  const auto verifier = Verifier::fit(gold, answers, nullptr, names, {.threshold = {.target = 0.7, .assurance = 0.9}});
  ASSERT_TRUE(std::isfinite(verifier.threshold().score));
  const auto read = Verifier::from_json(parse_json(verifier.to_json().dump(), "test"), "test");
  int accepted = 0, right = 0;
  for (std::size_t i = 0; i < gold.size(); ++i) {
    const auto verdict = read.judge(gold[i], answers.rows[i], nullptr).at(0);
    EXPECT_EQ(verdict.probability, verifier.judge(gold[i], answers.rows[i], nullptr).at(0).probability);
    if (verdict.verdict != Verdict::kAccepted) continue;
    ++accepted;
    right += gold[i].gold[0].name == "보습력" ? 1 : 0;
  }
  EXPECT_GT(accepted, 60);
  EXPECT_LT(accepted, 600);
  EXPECT_GE(static_cast<double>(right) / accepted, 0.68);
}

TEST(Verifier, RejectsWhatBreaksARuleWithItsReason) {
  auto [gold, answers] = example(100);
  const std::vector<std::string> names = {"보습력", "향"};
  const auto verifier = Verifier::fit(gold, answers, nullptr, names, {});
  auto answer = answers.rows[0];
  answer.cards->push_back(answer.cards->front());
  answer.cards->push_back({.entity = "로션", .expression = "아주 촉촉한", .name = "보습력"});
  answer.support.resize(3);
  const auto verdicts = verifier.judge(gold[0], answer, nullptr);
  EXPECT_EQ(verdicts[1].reasons, std::vector<std::string>{"repeated"});
  EXPECT_EQ(verdicts[2].verdict, Verdict::kRejected);
  EXPECT_EQ(verdicts[2].reasons, std::vector<std::string>{"entity"});
}

TEST(Verifier, RefusesRowsThatDoNotMatchAndTooFewCards) {
  const auto [gold, answers] = example(100);
  auto moved = answers;
  moved.rows[3].id = "other";
  EXPECT_THROW(Verifier::fit(gold, moved, nullptr, {}, {}), Error);
  const auto [few, few_answers] = example(10);
  EXPECT_THROW(Verifier::fit(few, few_answers, nullptr, {}, {}), Error);
  EXPECT_THROW(Verifier::from_json(Json::object(), "test"), Error);
}

}  // namespace
}  // namespace onggi::eval
