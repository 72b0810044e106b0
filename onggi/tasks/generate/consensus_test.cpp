#include "onggi/tasks/generate/consensus.h"

#include <gtest/gtest.h>

#include <cmath>

namespace onggi::tasks {
namespace {

runtime::Answer sample_of(const std::string& text, double log_probability) {
  runtime::Answer answer;
  answer.index = 7;
  answer.text = text;
  answer.log_probability = log_probability;
  answer.complete = true;
  return answer;
}

TEST(Consensus, KeepsTheCardsThatEnoughSamplesName) {
  const std::vector<runtime::Answer> samples = {
      sample_of(R"(["부드럽게 발리는 '크림' : 발림성", "향이 좋은 '크림' : 향"])", -4.0),
      sample_of(R"(["잘 발리는 '크림' : 발림성"])", -2.0),
      sample_of(R"(["향이 은은한 '크림' : 향"])", -6.0),
      sample_of(R"([])", -1.0),
  };
  // Both are in half of the samples; each as its most probable sample writes it; in their mean order.
  const auto answer = consensus(samples, {.are_cards = true, .least_share = 0.5});
  EXPECT_EQ(answer.text, R"(["잘 발리는 '크림' : 발림성", "향이 좋은 '크림' : 향"])");
  EXPECT_EQ(answer.index, 7);
  EXPECT_NEAR(answer.log_probability, std::log(0.5), 1e-12);
  const auto none = consensus(samples, {.are_cards = true, .least_share = 0.75});
  EXPECT_EQ(none.text, "[]");
  EXPECT_NEAR(none.log_probability, std::log(0.25), 1e-12);
}

TEST(Consensus, WritesNoMoreCardsThanSomeSampleHas) {
  const std::vector<runtime::Answer> samples = {
      sample_of(R"(["향이 좋은 '크림' : 향"])", -4.0),
      sample_of(R"(["잘 발리는 '크림' : 발림성"])", -2.0),
  };
  EXPECT_EQ(consensus(samples, {.are_cards = true, .least_share = 0.5}).text, R"(["잘 발리는 '크림' : 발림성"])");
}

TEST(Consensus, OneCardAName) {
  const std::vector<runtime::Answer> samples = {
      sample_of(R"(["향이 좋은 '크림' : 향"])", -4.0),
      sample_of(R"(["향이 좋은 '수분 크림' : 향"])", -2.0),
      sample_of(R"(["향이 좋은 '크림' : 향"])", -5.0),
  };
  EXPECT_EQ(consensus(samples, {.are_cards = true, .least_share = 0.3}).text, R"(["향이 좋은 '크림' : 향"])");
}

TEST(Consensus, ASecondReaderLiftsAndLowersCardsButInventsNone) {
  const std::vector<runtime::Answer> samples = {
      sample_of(R"(["향이 좋은 '수분 크림' : 향"])", -2.0),
      sample_of(R"(["향이 좋은 '수분 크림' : 향"])", -3.0),
      sample_of(R"(["잘 발리는 '크림' : 발림성", "향이 은은한 '크림' : 향"])", -4.0),
      sample_of(R"([])", -5.0),
  };
  const eval::RuleExtractor::Opinion opinion{.names = {{"발림성", 0.9}, {"향", 0.0}, {"보습력", 0.9}}, .entities = {{"크림", 0.8}, {"수분 크림", 0.1}}};
  ConsensusOptions options{.are_cards = true, .least_share = 0.5, .opinion = &opinion, .opinion_weight = 0.0};
  EXPECT_EQ(consensus(samples, options).text, R"(["향이 좋은 '수분 크림' : 향"])");
  options.opinion_weight = 0.5;  // 0.375 and 0.575; entities 0.57 and 0.38
  EXPECT_EQ(consensus(samples, options).text, R"(["잘 발리는 '크림' : 발림성"])");
  options.least_share = 0.37;
  EXPECT_EQ(consensus(samples, options).text, R"(["잘 발리는 '크림' : 발림성", "향이 은은한 '크림' : 향"])");
}

TEST(Consensus, OtherTextsByMajorityAndFailedSamplesDoNotCount) {
  std::vector<runtime::Answer> samples = {sample_of("b", -1.0), sample_of("a", -3.0), sample_of("a", -2.0), sample_of("c", -0.5)};
  EXPECT_EQ(consensus(samples, {.are_cards = false, .least_share = 0.5}).text, "a");
  EXPECT_NEAR(consensus(samples, {.are_cards = false, .least_share = 0.5}).log_probability, std::log(0.5), 1e-12);
  samples[1].complete = false;
  EXPECT_EQ(consensus(samples, {.are_cards = false, .least_share = 0.5}).text, "c");  // a tie: the more probable one
  for (auto& s : samples) s.complete = false;
  samples[0].failure = "no end";
  EXPECT_EQ(consensus(samples, {.are_cards = false, .least_share = 0.5}).failure, "no end");
}

}  // namespace
}  // namespace onggi::tasks
