#include "onggi/recommend/display_desk.h"

#include <filesystem>
#include <set>

#include <gtest/gtest.h>

#include "onggi/core/error.h"
#include "onggi/core/files.h"
#include "onggi/recommend/display_error.h"
#include "onggi/recommend/logged.h"

namespace onggi::recommend {
namespace {

constexpr std::int64_t kStart = 1'000'000;

class Desk : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::path(testing::TempDir()) /
              ("desk_" + std::string(testing::UnitTest::GetInstance()->current_test_info()->name()));
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    open();
  }
  void TearDown() override {
    desk_.reset();
    log_.reset();
    std::filesystem::remove_all(folder_);
  }
  void open() {
    desk_.reset();
    log_.reset();
    log_ = std::make_unique<DisplayLog>(folder_ / "display.sqlite");
    desk_ = std::make_unique<DisplayDesk>(*log_, cards(), DeskOptions{.window_ms = 1000, .batch_ms = 500}, now_);
  }
  static std::vector<Card> cards() {
    std::vector<Card> cards;
    for (const char* id : {"a", "b", "c", "d", "e"})
      cards.push_back({id, id[0] < 'c' ? "bag" : "coat", "fit", {"fits"}, {"p1"}});
    return cards;
  }
  Json slate(const std::string& request_id, SlateRequest request = {}) {
    request.unit = "u";
    request.request_id = request_id;
    store::Transaction transaction(log_->database());
    Json answer = desk_->answer_slate(request, now_);
    transaction.commit();
    return answer;
  }
  std::string outcome(const std::string& impression_id, bool is_clicked = true) {
    store::Transaction transaction(log_->database());
    const Json answer = desk_->answer_outcomes({{impression_id, is_clicked}}, now_);
    transaction.commit();
    return answer["outcomes"][0]["status"];
  }
  std::int64_t add_policy(PolicySpec spec) {
    store::Transaction transaction(log_->database());
    const auto version = log_->add_policy(spec, "test", now_);
    log_->promote(version, now_);
    transaction.commit();
    return version;
  }

  std::filesystem::path folder_;
  std::int64_t now_ = kStart;
  std::unique_ptr<DisplayLog> log_;
  std::unique_ptr<DisplayDesk> desk_;
};

TEST_F(Desk, ShowsEachCardOnceWithItsPropensity) {
  const Json answer = slate("r1");
  ASSERT_EQ(answer["cards"].size(), 3U);
  std::set<std::string> shown;
  for (const Json& card : answer["cards"]) {
    shown.insert(card["theme_id"]);
    EXPECT_GT(card["propensity"].get<double>(), 0.0);
  }
  EXPECT_EQ(shown.size(), 3U);
  // All priors alike: 1/5, then 1/4, then 1/3.
  EXPECT_NEAR(answer["cards"][0]["propensity"].get<double>(), 0.2, 1e-6);
  EXPECT_NEAR(answer["cards"][2]["propensity"].get<double>(), 1.0 / 3.0, 1e-6);
  EXPECT_EQ(slate("r2", {.slots = 9})["cards"].size(), 5U);
  EXPECT_EQ(slate("r3", {.entity = "coat"})["cards"].size(), 3U);
}

TEST_F(Desk, ARequestSentAgainIsShownOnce) {
  const Json first = slate("r1");
  now_ += 10;
  EXPECT_EQ(slate("r1"), first);
  EXPECT_THROW(slate("r1", {.slots = 2}), Error);
  EXPECT_EQ(desk_->stats()["open"], 3);
}

TEST_F(Desk, OutcomesAreTakenOnce) {
  const std::string id = slate("r1")["cards"][0]["impression_id"];
  EXPECT_EQ(outcome(id), "recorded");
  EXPECT_EQ(outcome(id), "known");
  EXPECT_EQ(outcome(id, false), "conflict");
  EXPECT_EQ(outcome("nothing"), "unknown");
  now_ += 1001;
  EXPECT_EQ(outcome("r1.2"), "late");
}

TEST_F(Desk, CountsAnImpressionWhenItsWindowClosesAndNotBefore) {
  const std::string id = slate("r1")["cards"][0]["impression_id"];
  outcome(id);
  now_ += 999;
  desk_->tick(now_);
  EXPECT_EQ(desk_->live().batch, 0);
  EXPECT_EQ(desk_->stats()["shown"], 0);
  now_ += 600;
  desk_->tick(now_);
  EXPECT_EQ(desk_->live().batch, 1);
  const Json stats = desk_->stats();
  EXPECT_EQ(stats["shown"], 3);
  EXPECT_EQ(stats["clicks"], 1);
  EXPECT_EQ(outcome("r1.2"), "late");
  now_ += 2000;
  desk_->tick(now_);
  EXPECT_EQ(desk_->stats()["clicks"], 1);
}

TEST_F(Desk, GoesLiveAndBackAndLearnsFromWhatOthersShowed) {
  EXPECT_THROW(log_->roll_back(now_), Error);
  for (int i = 0; i < 20; ++i) outcome(slate("r" + std::to_string(i))["cards"][0]["impression_id"]);
  now_ += 2000;
  desk_->tick(now_);
  PolicySpec greedy;
  greedy.kind = "epsilon_greedy";
  greedy.epsilon = 0.0;
  greedy.by_slot = false;
  DisplayLog other(folder_ / "display.sqlite");  // As another process does it.
  const auto version = other.add_policy(greedy, "greedy", now_);
  other.promote(version, now_);
  EXPECT_THROW(other.promote(version, now_), Error);
  EXPECT_THROW(other.promote(77, now_), Error);
  desk_->tick(now_);
  EXPECT_EQ(desk_->live().version, version);
  EXPECT_EQ(desk_->live().batch, 1);
  const Json taught = slate("after");
  EXPECT_EQ(taught["policy_version"], version);
  EXPECT_EQ(other.roll_back(now_), 1);
  desk_->tick(now_);
  EXPECT_EQ(desk_->live().version, 1);
  EXPECT_ANY_THROW(other.database().run("UPDATE policies SET note = ''"));
  EXPECT_ANY_THROW(other.database().run("DELETE FROM policies"));
}

TEST_F(Desk, EveryPropensityIsComputedAgainToTheBit) {
  PolicySpec thompson, discounted, linear, linear_thompson;
  thompson.floor = 0.1;
  discounted.discount = 0.9;
  linear.kind = "lin_ucb";
  linear.floor = 0.2;
  linear_thompson.kind = "lin_thompson";
  linear.features = linear_thompson.features = 2;
  int request = 0;
  for (const auto& spec : {thompson, discounted, linear, linear_thompson}) {
    add_policy(spec);
    open();  // What is learnt again at a start is what was learnt.
    for (int i = 0; i < 30; ++i, ++request) {
      const Json answer =
          slate("q" + std::to_string(request), {.features = {0.1 * i, 1.0 - 0.3 * (i % 4)}, .slots = 1 + i % 3});
      if (i % 3 == 0) outcome(answer["cards"][0]["impression_id"]);
      now_ += 200;
      desk_->tick(now_);
    }
  }
  EXPECT_GT(desk_->live().batch, 20);
  const auto verification = verify(*log_);
  EXPECT_EQ(verification.num_impressions, 4 * 60);
  EXPECT_TRUE(verification.differing.empty()) << verification.differing[0];
}

TEST_F(Desk, WritesALogThatTheEstimatorsRead) {
  outcome(slate("r1")["cards"][1]["impression_id"]);
  now_ += 2000;
  desk_->tick(now_);
  slate("r2");
  std::string text;
  log_->each_line([&](const std::string& line) { text += line + "\n"; });
  write_file_atomic(folder_ / "log.jsonl", text);
  const auto log = read_log(folder_ / "log.jsonl");
  ASSERT_EQ(log.rows.size(), 3U);
  EXPECT_EQ(log.num_open, 3);
  EXPECT_EQ(log.rows[1].reward, 1.0);
  EXPECT_EQ(log.candidate_sets[static_cast<std::size_t>(log.rows[2].candidates)].size(), 3U);
  EXPECT_EQ(log.num_units, 1);
}

TEST(DisplayRequest, NamesWhatIsWrong) {
  const auto refusal = [](const char* body) {
    try {
      parse_slate_request(body);
    } catch (const DisplayError& e) {
      return std::string(e.what());
    }
    return std::string("taken");
  };
  EXPECT_NE(refusal("{").find("line 1"), std::string::npos);
  EXPECT_NE(refusal("[]").find("object"), std::string::npos);
  EXPECT_NE(refusal("{}").find("unit"), std::string::npos);
  EXPECT_NE(refusal(R"({"unit": "a", "slot": 1})").find("slots"), std::string::npos);
  EXPECT_NE(refusal(R"({"unit": "a", "slots": 0})").find("slots"), std::string::npos);
  EXPECT_NE(refusal(R"({"unit": "a", "features": [1, "x"]})").find("features[1]"), std::string::npos);
  EXPECT_NE(refusal(R"({"unit": "a", "candidates": []})").find("candidates"), std::string::npos);
  EXPECT_NE(refusal(R"({"unit": "a", "request_id": "a b"})").find("request_id"), std::string::npos);
  EXPECT_EQ(refusal(R"({"unit": "a", "slots": 2, "features": [], "candidates": ["x"]})"), "taken");
  EXPECT_THROW(parse_outcomes(R"({"outcomes": [{"impression_id": "a", "reward": 2}]})"), DisplayError);
  EXPECT_THROW(parse_outcomes(R"({"outcomes": []})"), DisplayError);
  EXPECT_EQ(parse_outcomes(R"({"impression_id": "a"})").size(), 1U);
}

TEST(Cards, AreRefusedByLine) {
  const auto refusal = [](const char* text) {
    try {
      read_cards_text(text, "cards.jsonl");
    } catch (const Error& e) {
      return std::string(e.what());
    }
    return std::string("taken");
  };
  const std::string good = R"({"id": "a", "entity": "e", "aspect": "x", "expression": "t", "products": ["p"]})";
  EXPECT_EQ(refusal(good.c_str()), "taken");
  EXPECT_NE(refusal("").find("at least one"), std::string::npos);
  EXPECT_NE(refusal((good + "\n" + good).c_str()).find("line 1"), std::string::npos);
  EXPECT_NE(refusal(R"({"id": "a", "entity": "e", "aspect": "x", "expressions": []})").find("expressions"),
            std::string::npos);
  EXPECT_NE(refusal(R"({"id": "a", "entity": "e", "expression": "t"})").find("aspect"), std::string::npos);
}

}  // namespace
}  // namespace onggi::recommend
