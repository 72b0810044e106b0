#include "onggi/tasks/label/sample.h"

#include <gtest/gtest.h>

namespace onggi::tasks {
namespace {

const LabelForm kCards{.format = "cards", .column = "label", .required = {}, .names = {"N", "M"}};
const LabelForm kJson{.format = "json", .column = "label", .required = {"tone"}, .names = {}};
const LabelForm kText{.format = "text", .column = "label", .required = {}, .names = {}};

LabelSample sample_of(const std::string& text, const LabelForm& form, const std::string& finish = "stop") {
  ChatReply reply;
  reply.text = text;
  reply.finish_reason = finish;
  return read_sample(reply, form);
}

TEST(LabelSample, CardsTextsAndObjectsBecomeColumns) {
  EXPECT_EQ(sample_of(R"(["a b 'E' : N"])", kCards).columns,
            Json::parse(R"({"themes":[{"entity":"E","expression":"a b","name":"N"}]})"));
  EXPECT_EQ(sample_of("```json\n[]\n```", kCards).columns, Json::parse(R"({"themes":[]})"));
  EXPECT_EQ(sample_of(R"({"tone":"warm","n":3})", kJson).columns, Json::parse(R"({"tone":"warm","n":3})"));
  EXPECT_EQ(sample_of("good", kText).columns, Json::parse(R"({"label":"good"})"));
}

TEST(LabelSample, FaultsAreNamedAndSayWhetherToAskAgain) {
  const auto refused = [](const std::string& text, const LabelForm& form, const std::string& word,
                          bool is_repairable = true, const std::string& finish = "stop") {
    const auto sample = sample_of(text, form, finish);
    EXPECT_TRUE(sample.columns.is_null()) << text;
    EXPECT_NE(sample.fault.find(word), std::string::npos) << sample.fault;
    EXPECT_EQ(sample.is_repairable, is_repairable) << text;
  };
  refused("sorry", kCards, "JSON list");
  refused(R"(["a b 'E' : X"])", kCards, "\"X\"");
  refused(R"(["no card"])", kCards, "JSON list");
  refused("{", kJson, "no JSON");
  refused("{}", kJson, "\"tone\" is missing");
  refused(R"({"tone":1,"themes":[{"entity":1}]})", kJson, "");
  refused("", kText, "empty");
  refused(R"([)", kCards, "cut", false, "length");
  refused("[]", kCards, "filter", false, "content_filter");
}

TEST(LabelSample, ThemesAreJoinedByTheirShareAndConfidenceFollows) {
  const std::string one = R"(["a b 'E' : N"])", two = R"(["a b 'E' : N", "c d 'E' : M"])", none = "[]";
  std::vector<LabelSample> samples;
  for (const auto& text : {one, two, one, none}) samples.push_back(sample_of(text, kCards));
  const auto label = join_samples(samples, 0.5);
  ASSERT_EQ(label.columns["themes"].size(), 1U);
  EXPECT_EQ(label.columns["themes"][0]["name"], "N");
  EXPECT_NEAR(label.confidence, 0.75, 1e-9);
  EXPECT_EQ(label.details["themes"][0]["share"], 0.75);
  // Pairs: 1|2 and 2|1: 1/3 each, one|one 0, none with the three: 1 each.
  EXPECT_NEAR(label.disagreement, (1.0 / 3 + 1.0 / 3 + 0 + 3) / 6, 1e-9);
}

TEST(LabelSample, OneAnswerIsSureAndNoneIsAFailure) {
  const auto sure = join_samples({sample_of("[]", kCards)}, 0.5);
  EXPECT_EQ(sure.confidence, 1);
  EXPECT_EQ(sure.disagreement, 0);
  const auto failed = join_samples({sample_of("x", kCards), sample_of("[", kCards, "length")}, 0.5);
  EXPECT_TRUE(failed.columns.is_null());
  EXPECT_NE(failed.fault.find("JSON list"), std::string::npos);
}

TEST(LabelSample, ColumnsAreVotedOnOneByOne) {
  std::vector<LabelSample> samples;
  for (const char* text : {R"({"tone":"warm","n":1})", R"({"tone":"cold","n":2})", R"({"tone":"warm","n":2})"})
    samples.push_back(sample_of(text, kJson));
  const auto label = join_samples(samples, 0.5);
  EXPECT_EQ(label.columns, Json::parse(R"({"tone":"warm","n":2})"));
  EXPECT_NEAR(label.confidence, 2.0 / 3, 1e-9);
  EXPECT_NEAR(label.disagreement, 2.0 / 3, 1e-9);
}

}  // namespace
}  // namespace onggi::tasks
