#include "onggi/datasets/prompt_template.h"

#include <gtest/gtest.h>

#include "onggi/core/error.h"
#include "onggi/datasets/answers.h"

namespace onggi::datasets {
namespace {

Row row_of(std::string_view json) { return {.id = "r", .fields = parse_json(json, "test"), .file = "d.jsonl", .line = 7}; }

TEST(PromptTemplate, RendersSegmentsAnswerAndSharedPrefix) {
  const auto t = PromptTemplate::parse(
      "---\nname: themes\nformat: cards\n---\nP: {{product}}\nR: {{ review }}\n\n---answer---\n{{themes|cards}}\n", "p.txt");
  const Row row = row_of(R"({"product":"A","review":"<bos>{{b}}","themes":[{"entity":"e","expression":"x \"y\"","name":"n"}]})");
  EXPECT_EQ(t.name(), "themes");
  EXPECT_EQ(t.answer_format(), "cards");
  EXPECT_EQ(t.shared_prefix(), "P: ");
  EXPECT_EQ(t.slots(), (std::vector<std::string>{"product", "review"}));
  const std::vector<Segment> expected = {{"P: "}, {"A", true, "product"}, {"\nR: "}, {"<bos>{{b}}", true, "review"}, {"\n"}};
  EXPECT_EQ(t.render(row), expected);
  EXPECT_EQ(t.render_answer(row), R"(["x \"y\" 'e' : n"])");
  EXPECT_EQ(t.slot_values(row)[1].second, "<bos>{{b}}");
}

TEST(PromptTemplate, BracesAndWindowsLineBreaks) {
  const auto t = PromptTemplate::parse("\\{{x}} {\"a\":{\"b\":1}}\r\n{{n}}", "p.txt");
  EXPECT_EQ(joined_text(t.render(row_of(R"({"n":3})"))), "{{x}} {\"a\":{\"b\":1}}\n3");
  EXPECT_FALSE(t.has_answer());
  EXPECT_THROW(t.render_answer(row_of("{}")), Error);
}

TEST(PromptTemplate, UnknownSlotNamesTheNearestColumn) {
  const auto t = PromptTemplate::parse("{{produkt}}", "p.txt");
  try {
    t.render(row_of(R"({"product":"A","review":"B"})"));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.where(), "d.jsonl:7, slot {{produkt}} of p.txt");
    EXPECT_NE(error.message().find("did you mean \"product\"?"), std::string::npos) << error.message();
  }
}

TEST(PromptTemplate, RefusesWhatItCannotMean) {
  for (const char* source : {"", "a {{b", "{{}}", "{{a|crds}}", "---\nname: x\nno end", "---\nnme: x\n---\na",
                             "---\nformat: xml\n---\na", "a\n---answer---\n", "{{a\nb}}"}) {
    EXPECT_THROW(PromptTemplate::parse(source, "p.txt"), Error) << source;
  }
}

TEST(Answers, ParseIsTheInverseOfWriting) {
  const std::vector<Card> cards = {{"미스트", "수분 채워주기 좋은", "보습력"}, {"컵 \"a\"", "x\\y z", "b"}};
  EXPECT_EQ(cards_answer({}), "[]");
  EXPECT_EQ(parse_cards(cards_answer(cards)), cards);
  EXPECT_EQ(cards_answer(std::span(cards).first(1)), "[\"수분 채워주기 좋은 '미스트' : 보습력\"]");
}

// Each line was judged by score_themes.py's items().
TEST(Answers, ParsesAsTheReferenceScorerDoes) {
  const auto parsed = [](std::string_view text) { return parse_cards(text); };
  EXPECT_EQ(parsed(" [ ] ")->size(), 0u);
  EXPECT_EQ(parsed("[\"a 'b' : c 'd' : e\"]")->at(0), (Card{"b", "a", "c 'd' : e"}));
  EXPECT_EQ(parsed("[\"a 'b ' : c\"]")->at(0), (Card{"b ", "a", "c"}));
  EXPECT_EQ(parsed("[\"a '' : b' : c\"]")->at(0), (Card{"' : b", "a", "c"}));
  EXPECT_EQ(parsed("[\"\\ud83d\\ude00 'b' : c\"]")->at(0).expression, "\xF0\x9F\x98\x80");
  EXPECT_TRUE(parsed("[\"\\ud83d 'b' : c\"]"));
  for (const char* bad : {"", "[", "{}", "null", "[1]", "[\"a\"]", "[\" 'b' : c\"]", "[\"a 'b' : \"]", "[\"a '' : c\"]",
                          "[\"a 'b' : c\",]", "[\"a 'b' : c\"] x", "[\"a\\n 'b' : c\"]", "[\"a\n 'b' : c\"]", "['a']",
                          "[\"a\\x 'b' : c\"]", "[\"\\u12g4 'b' : c\"]", "[[]]", "\xEF\xBB\xBF[]", "[\"\xFF 'b' : c\"]"}) {
    EXPECT_FALSE(parsed(bad)) << bad;
  }
}

}  // namespace
}  // namespace onggi::datasets
