#include "onggi/review/export.h"

#include <gtest/gtest.h>

#include "onggi/core/error.h"
#include "onggi/datasets/rows.h"
#include "onggi/review/test_support.h"

namespace onggi::review {
namespace {

using testing::Office;
using testing::theme_row;

std::string import_error(const std::string& rows, ImportOptions options = {}) {
  testing::Workplace workplace;
  const auto store = workplace.store();
  options.input = {workplace.write("rows.jsonl", rows)};
  try {
    import_rows(*store, options, nullptr);
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

TEST(Import, WhatIsWrongWithARowIsSaidWithItsPlace) {
  EXPECT_NE(import_error("").find("no rows"), std::string::npos);
  EXPECT_NE(import_error("{\"id\": \"a\", \"review\": \"x\"}\n").find("\"themes\" is missing"), std::string::npos);
  const std::string good = dump_json(theme_row("a")) + "\n";
  EXPECT_NE(import_error(good + good).find("rows.jsonl:2"), std::string::npos);
  EXPECT_NE(import_error(good + "{\"id\": \"b\", \"themes\": 7}\n").find("rows.jsonl:2, themes"), std::string::npos);
  EXPECT_NE(import_error(good + "{\"id\": \"b\", \"themes\": [], \"priority\": \"high\"}\n").find("priority"),
            std::string::npos);
  EXPECT_NE(import_error(good, {.overlap = 2}).find("overlap"), std::string::npos);
}

TEST(Import, ARowThatHasChangedIsRefusedAndNothingAdded) {
  Office office(std::vector<Json>{theme_row("a")});
  ImportOptions options;
  options.input = {
      office.workplace.write("more.jsonl", testing::jsonl(std::vector<Json>{theme_row("b"), theme_row("a", "[]")}))};
  EXPECT_THROW(import_rows(*office.store, options, nullptr), Error);
  EXPECT_EQ(office.store->heads(0).size(), 1U);
}

TEST(Import, WhoIsAskedDependsOnTheRowAlone) {
  std::vector<Json> rows;
  for (int i = 0; i < 300; ++i) rows.push_back(theme_row("r" + std::to_string(i)));
  Office all(rows, {}, 0.2);
  std::reverse(rows.begin(), rows.end());
  rows.resize(150);
  Office half(rows, {}, 0.2);
  std::map<std::string, int> wanted;
  int num_shared = 0;
  for (const auto& head : all.store->heads(0)) {
    wanted[all.store->content(head.number).id] = head.wanted;
    num_shared += head.wanted == 2;
  }
  EXPECT_NEAR(num_shared, 60, 25);
  for (const auto& head : half.store->heads(0)) EXPECT_EQ(wanted[half.store->content(head.number).id], head.wanted);
}

TEST(Export, RowsHaveTheAgreedAnswerAndWhereItIsFrom) {
  Office office(std::vector<Json>{theme_row("a"), theme_row("b"), theme_row("c"), theme_row("d")});
  office.desk->set_guidelines("the rules");
  const auto keys = office.keys("hana", 4);
  office.decide("hana", keys[0], "accept");
  office.decide("hana", keys[1], "edit",
                {{"answer", Json::parse(R"([{"entity": "크림", "expression": "밤새 촉촉한", "name": "보습력"}])")},
                 {"note", "softer"}});
  office.decide("hana", keys[2], "reject", {{"reason", 7}});
  const auto result = export_rows(*office.store, {});
  const auto rows = datasets::read_rows_text(result.rows, "export");
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].fields["themes"], theme_row("a")["themes"]);
  EXPECT_EQ(rows[1].fields["themes"][0]["expression"], "밤새 촉촉한");
  const Json& from = rows[1].fields["review_of"];
  EXPECT_EQ(from["decision"], "edit");
  EXPECT_EQ(from["by"], Json::array({"hana"}));
  EXPECT_EQ(from["at"], "1970-01-01T00:16:40.000Z");
  EXPECT_EQ(from["guideline"], office.desk->guideline());
  EXPECT_EQ(from["note"], "softer");
  EXPECT_EQ(from["source_sha256"].get<std::string>().size(), 64U);
  const auto rejected = datasets::read_rows_text(result.rejected, "rejected");
  ASSERT_EQ(rejected.size(), 1U);
  EXPECT_EQ(rejected[0].fields["review_of"]["reason"], "private");
  EXPECT_EQ(result.manifest["decisions"]["open"], 1);
  EXPECT_EQ(result.manifest["rows"], 2);
  EXPECT_EQ(export_rows(*office.store, {}).rows, result.rows);
}

TEST(Export, WhatBreaksARuleIsLeftOutUnlessAskedFor) {
  Office office(std::vector<Json>{theme_row("a")});
  office.decide("a", office.keys("a", 1)[0], "edit",
                {{"answer", Json::parse(R"([{"entity": "크림", "expression": "촉촉해요", "name": "향"}])")}});
  EXPECT_EQ(export_rows(*office.store, {}).rows, "");
  const auto all = export_rows(*office.store, {.with_faulty = true});
  EXPECT_NE(all.rows.find("\"faults\":[\"ending\""), std::string::npos);
}

TEST(Export, DisputedRowsWaitForTheLastWord) {
  Office office(std::vector<Json>{theme_row("a")}, {}, 1.0);
  const auto key = office.keys("a", 1)[0];
  office.decide("a", key, "accept");
  office.decide("b", key, "reject", {{"reason", 1}});
  EXPECT_EQ(export_rows(*office.store, {}).manifest["decisions"]["disputed"], 1);
  office.submit("c", {{"id", "settle-01"},
                      {"kind", "settle"},
                      {"item", key},
                      {"action", "edit"},
                      {"answer", theme_row("a")["themes"]}});
  const auto rows = datasets::read_rows_text(export_rows(*office.store, {}).rows, "export");
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].fields["review_of"]["settled_by"], "c");
}

TEST(Export, JsonThatCameAsTextGoesAsText) {
  testing::Workplace workplace;
  const auto store = workplace.store();
  ImportOptions options;
  options.input = {workplace.write("rows.jsonl", R"({"id": "a", "question": "q", "reply": "{\"stars\": 4}"})"
                                                 "\n")};
  options.answer = "reply";
  options.overlap = 0;
  import_rows(*store, options, nullptr);
  Desk desk(*store, nullptr, {.now_ms = [] { return std::int64_t{5}; }});
  const auto item = desk.lease({.name = "a"}, 1, {})["items"][0];
  EXPECT_EQ(item["answer"], Json::parse(R"({"stars": 4})"));
  EXPECT_EQ(item["fields"], Json::parse(R"({"question": "q"})"));
  desk.submit({.name = "a"}, parse_client_events({{"events", Json::array({{{"id", "event-01"},
                                                                           {"kind", "decide"},
                                                                           {"item", item["key"]},
                                                                           {"action", "edit"},
                                                                           {"answer", {{"stars", 5}}}}})}}));
  const auto rows = datasets::read_rows_text(export_rows(*store, {}).rows, "export");
  EXPECT_EQ(rows[0].fields["reply"], R"({"stars":5})");
}

}  // namespace
}  // namespace onggi::review
