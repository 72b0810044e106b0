#include "onggi/datasets/split.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "onggi/core/error.h"
#include "onggi/datasets/characters.h"
#include "onggi/datasets/data_card.h"
#include "onggi/datasets/validate.h"

namespace onggi::datasets {
namespace {

const std::filesystem::path kExample = std::filesystem::path(ONGGI_SOURCE_DIR) / "examples/review-themes";

std::vector<Row> review_rows() {
  std::vector<Row> rows;
  for (const char* file : {"authored-beauty", "authored-fashion-digital", "authored-food-living", "authored-plain"}) {
    for (Row& row : read_rows(kExample / "data" / (std::string(file) + ".jsonl"))) rows.push_back(std::move(row));
  }
  return rows;
}

std::vector<Row> rows_of(std::string_view jsonl) { return read_rows_text(jsonl, "d.jsonl"); }

TEST(Split, ReviewThemesAreDealtAsTheReferenceDealsThem) {
  const auto rows = review_rows();
  const Split split = split_rows(rows, {});
  EXPECT_EQ(rows.size(), 1258u);
  EXPECT_EQ(split.test.size(), 236u);
  EXPECT_EQ(split.train.size() + split.validation.size(), 1022u);
  EXPECT_GT(split.validation.size(), 70u);
  EXPECT_EQ(rows[split.test[0]].id, "beauty-0009");
  const auto train = select(rows, split.train), validation = select(rows, split.validation), test = select(rows, split.test);
  const SplitPart parts[] = {{"train", train}, {"validation", validation}, {"test", test}};
  EXPECT_NO_THROW(check_no_leak(parts, {.group = "product", .texts = {"review"}}));
}

TEST(Split, StratifiedKeepsSharesAndSeedsMatter) {
  std::string jsonl;
  for (int i = 0; i < 200; ++i) {
    jsonl += "{\"id\":\"" + std::to_string(i) + "\",\"label\":\"" + (i % 4 == 0 ? "a" : "b") + "\"}\n";
  }
  const auto rows = rows_of(jsonl);
  SplitOptions options{.kind = "stratified", .label = "label", .test_share = 0.2, .validation_share = 0.1};
  const Split split = split_rows(rows, options);
  EXPECT_EQ(split.test.size(), 40u);
  EXPECT_EQ(split.validation.size(), 20u);
  EXPECT_EQ(std::ranges::count_if(split.test, [&](std::size_t i) { return text_of(rows[i], "label") == "a"; }), 10);
  std::set<std::size_t> all;
  for (const auto* part : {&split.train, &split.validation, &split.test}) all.insert(part->begin(), part->end());
  EXPECT_EQ(all.size(), 200u);
  options.kind = "random";
  const Split random = split_rows(rows, options);
  EXPECT_EQ(random.test, split_rows(rows, options).test);
  options.seed = 1;
  EXPECT_NE(random.test, split_rows(rows, options).test);
  options.test_share = 1;
  EXPECT_THROW(split_rows(rows, options), Error);
  EXPECT_THROW(split_rows(rows, {.kind = "grop"}), Error);
  EXPECT_THROW(split_rows(rows, {.group = "product"}), Error);
}

TEST(Split, LeaksAreRefusedWithBothPlaces) {
  const auto train = read_rows_text("{\"id\":1,\"p\":\"A\",\"t\":\"한 글\"}\n", "train.jsonl");
  const auto same_group = read_rows_text("{\"id\":2,\"p\":\"A\",\"t\":\"y\"}\n", "test.jsonl");
  // The same text decomposed, with other spacing.
  const auto same_text = read_rows_text("\n{\"id\":3,\"p\":\"B\",\"t\":\" \u1112\u1161\u11ab  글\"}\n", "test.jsonl");
  const auto message = [&](const std::vector<Row>& test, const LeakOptions& options) -> std::string {
    const SplitPart parts[] = {{"train", train}, {"test", test}};
    try {
      check_no_leak(parts, options);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(message(same_group, {.group = "p", .texts = {"t"}}),
            "split: p \"A\" is in train (train.jsonl:1) and in test (test.jsonl:1)");
  EXPECT_EQ(message(same_text, {.group = "p", .texts = {"t"}}),
            "split: the same row is in train (train.jsonl:1) and in test (test.jsonl:2)");
  EXPECT_EQ(message(same_text, {.group = "p"}), "");  // all text columns: the products differ
}

TEST(DataCard, CountsWhatTheRowsHold) {
  const auto rows = review_rows();
  const DataCard card = make_data_card(rows, {.texts = {"review"}, .label = "themes", .by = {"category", "rating"}});
  EXPECT_EQ(card.rows, 1258);
  EXPECT_EQ(card.empty, 318);
  EXPECT_EQ(card.labels.size(), 40u);
  EXPECT_EQ(card.labels[0].first, "간편함");
  EXPECT_EQ(card.duplicates, 0);
  EXPECT_EQ(card.by.at("rating").size(), 5u);
  std::int64_t counted = 0;
  for (const auto& [bound, count] : card.lengths.at("review").histogram) counted += count;
  EXPECT_EQ(counted, 1258);
  EXPECT_EQ(card.to_json()["labels"].size(), 40u);
  EXPECT_NE(card.to_text().find("empty       318 (25.3 %)"), std::string::npos);
}

TEST(DataCard, HashIgnoresSpacingAndMemberOrderOnly) {
  const std::string hash = content_hash(rows_of("{\"id\":1,\"t\":\"x\"}\n"));
  EXPECT_EQ(hash, content_hash(rows_of("\n{ \"t\": \"x\", \"id\":1 }")));
  EXPECT_NE(hash, content_hash(rows_of("{\"id\":1,\"t\":\"y\"}\n")));
  // printf '{"id":1,"t":"x"}\n' | sha256sum
  EXPECT_EQ(hash, "5176847741d10f83e27ff29b4487171ba66a3fd6f5436342506f3c0798405875");
}

TEST(Validate, CleanDataHasNoFinding) {
  const auto rows = review_rows();
  for (const char* name : {"1-long", "2-task-format", "3-task", "4-example", "5-no-header", "base-few-shot"}) {
    const auto t = PromptTemplate::load(kExample / "prompts" / (std::string(name) + ".txt"));
    EXPECT_EQ(t.name(), name);
    const auto findings = validate_rows(rows, t);
    EXPECT_TRUE(findings.empty()) << findings[0].text();
    EXPECT_EQ(t.slots(), (std::vector<std::string>{"category", "product", "rating", "review"}));
    EXPECT_TRUE(joined_text(t.render(rows[0])).ends_with("\n"));
  }
  EXPECT_GE(PromptTemplate::load(kExample / "prompts/1-long.txt").num_static_characters(), 500u);
}

TEST(Validate, EachFaultHasItsCode) {
  const auto t = PromptTemplate::parse("---\nformat: cards\n---\n{{r}}\n---answer---\n{{a|text}}", "p.txt");
  const auto rows = rows_of(
      "{\"id\":1,\"r\":\"ok\",\"a\":\"[]\"}\n"
      "{\"id\":1,\"r\":\"\u1112\u1161\u11ab\",\"a\":\"[]\"}\n"
      "{\"id\":3,\"r\":\"a\\u0007\",\"a\":\"[\\\"x 'e' : q\\\"]\"}\n"
      "{\"id\":4,\"r\":\"say <end_of_turn>\",\"a\":\" \"}\n"
      "{\"id\":5,\"r\":\"ok\",\"a\":\"[x]\"}\n"
      "{\"id\":6,\"r\":\" \",\"a\":null}\n"
      "{\"id\":7,\"a\":\"[]\"}\n"
      "{\"id\":8,\"r\":\"\uFFFD\",\"a\":\"[]\"}\n");
  std::multimap<std::int64_t, std::string> codes;
  const auto findings = validate_rows(rows, t, {.labels = {"n"}});
  for (const auto& finding : findings) codes.emplace(finding.line, finding.code);
  const std::multimap<std::int64_t, std::string> expected = {
      {2, "not_nfc"},       {2, "repeated_id"},        {3, "control_character"}, {3, "unknown_label"},
      {4, "special_token"}, {4, "no_supervised_text"}, {5, "duplicate_row"},     {5, "bad_answer"},
      {6, "empty_input"},   {6, "bad_answer"},         {7, "missing_column"},    {8, "replacement_character"}};
  EXPECT_EQ(codes, expected);
  EXPECT_EQ(validate_rows(rows, t, {.max_findings = 1}).size(), 2u);  // a row's findings stay together
  try {
    require_no_errors(findings);
    FAIL();
  } catch (const Error& error) {
    EXPECT_TRUE(error.message().starts_with("5 rows can't be used:\n  error: id \"1\" is on line 1 too (d.jsonl:2, column \"id\")"))
        << error.message();
  }
}

TEST(Validate, ExamplesCarryPromptAndAnswer) {
  const auto t = PromptTemplate::parse("{{r}}\n\n---answer---\n{{a}}", "p.txt");
  const auto rows = rows_of("{\"id\":\"x\",\"r\":\"in\",\"a\":\"out\"}\n{\"r\":\"in\",\"a\":\"\"}\n");
  const auto examples = build_examples(std::span(rows).first(1), t, true);
  EXPECT_EQ(joined_text(examples[0].prompt), "in\n");
  EXPECT_EQ(examples[0].answer, "out");
  EXPECT_THROW(build_examples(rows, t, true), Error);
  EXPECT_EQ(build_examples(rows, t, false).size(), 2u);
}

TEST(Characters, HangulAndSpaces) {
  EXPECT_EQ(final_consonant(U'은'), 4);
  EXPECT_EQ(final_consonant(U'a'), -1);
  EXPECT_EQ(with_final_consonant(U'하', 4), U'한');
  EXPECT_EQ(collapse_spaces(" a \t\u3000b\n"), "a b");
  EXPECT_EQ(to_nfc("\u1112\u1161\u11ab"), "한");
  EXPECT_EQ(num_characters("한a"), 2u);
  EXPECT_EQ(to_utf8(to_code_points("한\U0001F600")), "한\U0001F600");
}

}  // namespace
}  // namespace onggi::datasets
