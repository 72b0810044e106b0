#include "onggi/decode/cards.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <sstream>

#include "onggi/core/error.h"
#include "onggi/core/files.h"
#include "onggi/decode/test_support.h"
#include "tests/support/shared.h"

namespace onggi::decode {
namespace {

using testing::Dice;
using testing::FakeTokenizer;

constexpr std::string_view kSpec = R"({"names": ["scent", "fit \"M\""], "expression_slots": ["product"], "expression_class": "[a-z ]",
                                       "expression_length": [4, 8], "max_cards": 2, "extra_entities": ["item"]})";

TEST(Cards, AreAListOfExpressionEntityAndName) {
  const auto guide = compile_guide({{"cards", parse_json(kSpec, "test")}}, std::make_shared<FakeTokenizer>());
  const Slots slots = {{"product", "Moa XL \"soft\" shirt"}};
  for (const char* good : {R"([])", R"(["nice 'shirt' : scent"])", R"(["nice 'irt' : fit \"M\"", "so XL is 'XL \"soft\" shirt' : scent"])",
                           R"(["nice '\"soft\"' : scent"])", R"(["so airy 'item' : scent"])"}) {
    EXPECT_TRUE(guide->accepts(good, slots)) << good;
    EXPECT_NO_THROW(parse_json(good, "test"));
  }
  for (const char* bad : {R"()", R"(["nice 'shirt' : scent",])", R"(["nice 'shirt' : taste"])", R"(["nice 'shir' : scent"])", R"(["so XL is 'blouse' : scent"])",
                          R"(["nice  x 'shirt' : scent"])", R"([" nice 'shirt' : scent"])", R"(["nice  'shirt' : scent"])", R"(["ice 'shirt' : scent"])",
                          R"(["very nice 'shirt' : scent"])", R"(["so XS is 'shirt' : scent"])", R"(["nice 'shirt' : fit "M""])", R"(["nice '"soft"' : scent"])",
                          R"(["nice 'irt' : scent", "nice 'irt' : scent", "nice 'irt' : scent"])", R"(["nice 'irt' : scent","nice 'irt' : scent"])"}) {
    EXPECT_FALSE(guide->accepts(bad, slots)) << bad;
  }
}

TEST(Cards, WrongKeysAndValuesAreRefused) {
  const auto tokenizer = std::make_shared<FakeTokenizer>();
  for (const char* change : {R"({"names": []})", R"({"names": null})", R"({"names": [""]})", R"({"names": [1]})", R"({"entity": "word"})", R"({"entity": 3})",
                             R"({"entity_slot": []})", R"({"extra_entities": "x"})", R"({"expression_class": "[a-z"})", R"({"expression_class": "ab"})",
                             R"({"expression_class": "[ -~]"})", R"({"expression_class": "[\n]"})", R"({"expression_class": 1})", R"({"expression_slots": [null]})",
                             R"({"expression_length": [5]})", R"({"expression_length": [0, 4]})", R"({"expression_length": [5, 4]})",
                             R"({"expression_length": [4294967300, 4294967301]})", R"({"expression_length": [2.5, 4]})", R"({"max_cards": 0})",
                             R"({"max_cards": 101})", R"({"max_cards": "3"})", R"({"max": 3})"}) {
    Json spec = parse_json(kSpec, "test");
    spec.update(parse_json(change, "test"));
    try {
      compile_guide({{"cards", spec}}, tokenizer);
      ADD_FAILURE() << change;
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ErrorCode::kInvalidArgument) << change << ": " << e.what();
    }
  }
}

struct Row {
  Slots slots;
  std::string answer;
  std::size_t num_themes;
};

/// Every review-theme row with its answer as a list of cards.
std::vector<Row> gold_rows() {
  std::vector<Row> rows;
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(onggi::testing::shared_folder() / "data/review-themes")) {
    if (entry.path().extension() == ".jsonl") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  for (const auto& file : files) {
    std::istringstream lines(read_file(file));
    for (std::string line; std::getline(lines, line);) {
      const Json json = parse_json(line, file.string());
      std::string answer = "[";
      for (const auto& theme : json["themes"]) {
        const auto text = [&](const char* key) { return theme[key].get<std::string>(); };
        answer += (answer == "[" ? "" : ", ") + dump_json(text("expression") + " '" + text("entity") + "' : " + text("name"));
      }
      rows.push_back({{{"product", json["product"]}, {"review", json["review"]}}, answer + "]", json["themes"].size()});
    }
  }
  return rows;
}

Json example_guide() { return parse_json(read_file(std::filesystem::path(ONGGI_SOURCE_DIR) / "examples/review-themes/guide.json"), "guide.json"); }

TEST(Cards, TheGoldAnswersOfReviewThemesAreAccepted) {
  ONGGI_NEED_SHARED("data/review-themes");
  const auto guide = compile_guide(example_guide(), std::make_shared<FakeTokenizer>());
  int accepted = 0;
  int refused = 0;
  for (const auto& row : gold_rows()) {
    const bool ok = guide->accepts(row.answer, row.slots);
    (ok ? accepted : refused) += 1;
  }
  std::printf("accepted %d, refused %d\n", accepted, refused);
  EXPECT_GT(accepted, 1000);
  EXPECT_EQ(refused, 4);  // The entity of two is no part of the name; two have a size that their row does not.
}

/// Each word ends a word of the name, in the order of the name.
bool are_ends_in_order(const std::string& words, const std::string& name) {
  std::istringstream wanted(words);
  std::istringstream given(name);
  std::string from;
  for (std::string word; wanted >> word;) {
    do {
      if (!(given >> from)) return false;
    } while (!from.ends_with(word));
  }
  return true;
}

TEST(Cards, RandomWalksAreCardsOfTheRow) {
  ONGGI_NEED_SHARED("data/review-themes");
  const auto rows = gold_rows();
  std::vector<std::string> pieces = {"[\"", "\"]", "[]", "' : ", " '", "\", \"", "\"", "'", " "};
  for (const auto& row : rows) {
    for (std::size_t i = 0; i + 3 <= std::min<std::size_t>(row.answer.size(), 60); i += 3) {
      if (pieces.size() < 800) pieces.push_back(row.answer.substr(i, 3));
    }
  }
  const auto tokenizer = std::make_shared<FakeTokenizer>(pieces);
  const auto guide = compile_guide(example_guide(), tokenizer);
  const Json spec = example_guide()["cards"];
  Dice dice(2);
  for (std::size_t i = 0; i < rows.size(); i += 6) {
    bool finished = false;
    const std::string text = testing::random_walk(*guide, *tokenizer, rows[i].slots, dice, 2000, finished);
    ASSERT_TRUE(finished);
    EXPECT_TRUE(guide->accepts(text, rows[i].slots)) << text;
    const Json cards = parse_json(text, "walk");
    ASSERT_TRUE(cards.is_array());
    EXPECT_LE(cards.size(), 3U);
    for (const auto& card : cards) {
      const std::string all = card.get<std::string>();
      const auto entity = all.find(" '");
      const auto name = all.find("' : ", entity + 2);
      ASSERT_TRUE(entity != std::string::npos && name != std::string::npos) << all;
      EXPECT_TRUE(are_ends_in_order(all.substr(entity + 2, name - entity - 2), rows[i].slots[0].second)) << all;
      EXPECT_NE(std::find(spec["names"].begin(), spec["names"].end(), Json(all.substr(name + 4))), spec["names"].end()) << all;
    }
  }
}

}  // namespace
}  // namespace onggi::decode
