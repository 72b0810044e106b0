#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <numeric>
#include <sstream>

#include "onggi/core/error.h"
#include "onggi/core/files.h"
#include "onggi/core/json.h"
#include "onggi/datasets/rows.h"
#include "onggi/eval/metrics/bootstrap.h"
#include "onggi/eval/metrics/classification.h"
#include "onggi/eval/metrics/overlap.h"
#include "onggi/eval/metrics/registry.h"
#include "tests/support/shared.h"

namespace onggi::eval {
namespace {

const std::filesystem::path kCases = std::filesystem::path(ONGGI_SOURCE_DIR) / "tests/cases/metrics";

struct MetricCase {
  std::string metric;
  std::vector<std::string> hypotheses;
  std::vector<std::vector<std::string>> references;
  double score = 0;
};

std::vector<MetricCase> read_cases(const std::filesystem::path& path) {
  std::vector<MetricCase> cases;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    const auto colon = line.find(": ");
    if (line.starts_with('#') || colon == std::string::npos) continue;
    const std::string key = line.substr(0, colon), value = line.substr(colon + 2);
    if (key == "metric") cases.push_back({.metric = value});
    if (key == "hypothesis") cases.back().hypotheses.push_back(value), cases.back().references.emplace_back();
    if (key == "reference") cases.back().references.back().push_back(value);
    if (key == "score") cases.back().score = std::stod(value);
  }
  return cases;
}

TEST(Metrics, EveryOneHasCasesThatItMeets) {
  for (const TextMetric& metric : text_metrics()) {
    const auto cases = read_cases(kCases / (std::string(metric.id) + ".case"));
    EXPECT_FALSE(cases.empty()) << metric.id;
    EXPECT_NE(metric.signature.find("version:onggi"), std::string_view::npos);
    for (std::size_t i = 0; i < cases.size(); ++i) {
      EXPECT_EQ(cases[i].metric, metric.id);
      EXPECT_NEAR(find_text_metric(metric.id).score(cases[i].hypotheses, cases[i].references), cases[i].score, 1e-7)
          << metric.id << " block " << i;
    }
  }
}

TEST(Metrics, RegistryIsSortedAndSuggests) {
  EXPECT_TRUE(std::ranges::is_sorted(text_metrics(), {}, &TextMetric::id));
  try {
    find_text_metric("chrff");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kNotFound);
    EXPECT_NE(error.message().find("did you mean chrf"), std::string::npos);
  }
}

TEST(Metrics, ReferenceSentencesAndCorpus) {
  ONGGI_NEED_SHARED("data/text-metrics");
  const auto folder = testing::shared_folder() / "data/text-metrics";
  std::vector<std::string> hypotheses;
  std::vector<std::vector<std::string>> references;
  for (const auto& row : datasets::read_rows(folder / "korean_sentence.jsonl")) {
    hypotheses.push_back(datasets::text_of(row, "hyp"));
    references.push_back(row.fields["refs"].get<std::vector<std::string>>());
    const std::span h(&hypotheses.back(), 1);
    const std::span r(&references.back(), 1);
    for (const std::string tokenizer : {"13a", "char", "intl", "none"}) {
      EXPECT_NEAR(bleu(h, r, tokenizer, true).score, row.fields["bleu_" + tokenizer].get<double>(), 1e-6) << tokenizer;
    }
    EXPECT_NEAR(find_text_metric("chrf").score(h, r), row.fields["chrf2"].get<double>(), 1e-6);
    EXPECT_NEAR(find_text_metric("chrf++").score(h, r), row.fields["chrf2pp"].get<double>(), 1e-6);
  }
  const Json corpus = parse_json(read_file(folder / "korean_corpus.json"), "korean_corpus.json");
  for (const std::string tokenizer : {"13a", "char", "intl", "none"}) {
    const BleuScore score = bleu(hypotheses, references, tokenizer);
    const Json& expected = corpus["bleu_" + tokenizer];
    EXPECT_NEAR(score.score, expected["score"].get<double>(), 1e-6);
    EXPECT_NEAR(score.brevity_penalty, expected["bp"].get<double>(), 1e-6);
    EXPECT_EQ(score.hypothesis_length, expected["sys_len"].get<std::int64_t>());
    EXPECT_EQ(score.reference_length, expected["ref_len"].get<std::int64_t>());
    for (int n = 0; n < 4; ++n) EXPECT_NEAR(score.precisions[n], expected["precisions"][n].get<double>(), 1e-6);
  }
  EXPECT_NEAR(find_text_metric("chrf").score(hypotheses, references), corpus["chrf2"].get<double>(), 1e-6);
  EXPECT_NEAR(find_text_metric("chrf++").score(hypotheses, references), corpus["chrf2pp"].get<double>(), 1e-6);
}

TEST(Metrics, OriginalRougeScriptAgreesWithoutStemming) {
  ONGGI_NEED_SHARED("data/text-metrics/rouge155.jsonl");
  int compared = 0;
  for (const auto& row : datasets::read_rows(testing::shared_folder() / "data/text-metrics/rouge155.jsonl")) {
    const std::string type = datasets::text_of(row, "type");
    if (row.fields["stem"].get<bool>() || type == "rougeLsum") continue;
    const Tokens prediction = rouge_tokens(datasets::text_of(row, "prediction"), "google");
    const Tokens target = rouge_tokens(datasets::text_of(row, "target"), "google");
    const PrecisionRecall score = type == "rougeL" ? rouge_l(prediction, target) : rouge_n(prediction, target, type.back() - '0');
    EXPECT_NEAR(score.precision, row.fields["precision"].get<double>(), 6e-6) << type;
    EXPECT_NEAR(score.recall, row.fields["recall"].get<double>(), 6e-6) << type;
    EXPECT_NEAR(score.f1, row.fields["f"].get<double>(), 6e-6) << type;
    ++compared;
  }
  EXPECT_GT(compared, 2);
}

TEST(Metrics, SizesAndNamesAreChecked) {
  const std::vector<std::string> one = {"a"};
  const std::vector<std::vector<std::string>> none, no_reference = {{}};
  EXPECT_THROW(bleu(one, none, "char"), Error);
  EXPECT_THROW(bleu(one, no_reference, "char"), Error);
  EXPECT_THROW(bleu_tokens("a", "zh"), Error);
  EXPECT_THROW(rouge_tokens("a", "ko"), Error);
  EXPECT_THROW(rouge_n({}, {}, 10), Error);
  EXPECT_THROW(chrf_counts("a", {}), Error);
  EXPECT_THROW(classification({}, {}), Error);
  for (const TextMetric& metric : text_metrics()) EXPECT_THROW(metric.score(one, no_reference), Error) << metric.id;
}

TEST(Classification, ClassesAndAverages) {
  const std::vector<std::string> predicted = {"a", "a", "b", "c"}, expected = {"a", "b", "b", "b"};
  const ClassificationScore score = classification(predicted, expected);
  EXPECT_DOUBLE_EQ(score.accuracy, 0.5);
  EXPECT_DOUBLE_EQ(score.classes.at("a").score().precision, 0.5);
  EXPECT_DOUBLE_EQ(score.classes.at("b").score().recall, 1.0 / 3);
  EXPECT_DOUBLE_EQ(score.macro_f1, (2.0 / 3 + 0.5 + 0) / 3);
  EXPECT_DOUBLE_EQ(score.weighted_f1, (2.0 / 3 + 3 * 0.5) / 4);
}

TEST(Bootstrap, IsSeededAndCoversAMean) {
  std::vector<double> values(200);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<double>(i % 2);
  const GroupStatistics mean = [&](std::span<const std::uint32_t> groups) {
    double sum = 0;
    for (const auto g : groups) sum += values[g];
    return std::vector{sum / static_cast<double>(groups.size()), 1.0};
  };
  const auto intervals = bootstrap(values.size(), mean, {.seed = 3});
  EXPECT_DOUBLE_EQ(intervals[0].value, 0.5);
  // The mean of 200 coins has standard deviation 0.0354: 1.96 of them each way.
  EXPECT_NEAR(intervals[0].low, 0.5 - 0.069, 0.012);
  EXPECT_NEAR(intervals[0].high, 0.5 + 0.069, 0.012);
  EXPECT_DOUBLE_EQ(intervals[1].low, 1.0);
  EXPECT_EQ(bootstrap(values.size(), mean, {.seed = 3})[0].low, intervals[0].low);
  EXPECT_NE(bootstrap(values.size(), mean, {.seed = 4})[0].low, intervals[0].low);
  EXPECT_THROW(bootstrap(0, mean, {}), Error);
  EXPECT_THROW(bootstrap(2, mean, {.num_resamples = 0}), Error);
}

TEST(Bootstrap, PairedDifferenceChangesSignWithTheOrder) {
  const double a[] = {1, 1, 0, 1, 1, 0, 1, 1}, b[] = {0, 1, 0, 1, 0, 0, 1, 0};
  const auto mean_difference = [](const double* x, const double* y) {
    return [x, y](std::span<const std::uint32_t> groups) {
      double sum = 0;
      for (const auto g : groups) sum += x[g] - y[g];
      return sum / static_cast<double>(groups.size());
    };
  };
  const auto ab = paired_bootstrap(8, mean_difference(a, b), {}), ba = paired_bootstrap(8, mean_difference(b, a), {});
  EXPECT_DOUBLE_EQ(ab.difference.value, -ba.difference.value);
  EXPECT_NEAR(ab.difference.low, -ba.difference.high, 1e-12);
  EXPECT_LT(ab.share_not_above, 0.05);
  EXPECT_GT(ba.share_not_above, 0.99);
}

}  // namespace
}  // namespace onggi::eval
