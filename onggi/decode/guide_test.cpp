#include "onggi/decode/guide.h"

#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "onggi/core/error.h"
#include "onggi/decode/test_support.h"

namespace onggi::decode {
namespace {

using testing::Dice;
using testing::FakeTokenizer;

std::shared_ptr<const Guide> guide_of(std::string_view spec, std::shared_ptr<const text::Tokenizer> tokenizer) {
  return compile_guide(parse_json(spec, "test"), std::move(tokenizer));
}

bool allows(GuideState& state, int id) {
  const auto ids = state.allowed();
  EXPECT_TRUE(std::is_sorted(ids.begin(), ids.end()));
  EXPECT_FALSE(ids.empty());
  return std::binary_search(ids.begin(), ids.end(), id);
}

TEST(Guide, ChoicesAreTheWholeAnswer) {
  const auto tokenizer = std::make_shared<FakeTokenizer>(std::vector<std::string>{"yes", "no", "not", "ye"});
  const auto guide = guide_of(R"({"choices": ["yes", "no", "not sure"]})", tokenizer);
  const auto state = guide->start({});
  EXPECT_TRUE(allows(*state, tokenizer->id_of("yes")));
  EXPECT_TRUE(allows(*state, tokenizer->id_of("ye")));
  EXPECT_TRUE(allows(*state, tokenizer->id_of("not")));
  EXPECT_FALSE(allows(*state, tokenizer->id_of("s")));
  EXPECT_FALSE(allows(*state, FakeTokenizer::kEos));
  state->advance(tokenizer->id_of("no"));
  EXPECT_TRUE(allows(*state, FakeTokenizer::kEos));
  EXPECT_TRUE(allows(*state, tokenizer->id_of("t")));
  EXPECT_FALSE(state->is_finished());
  state->advance(FakeTokenizer::kEos);
  EXPECT_TRUE(state->is_finished());
  for (const char* good : {"yes", "no", "not sure"}) EXPECT_TRUE(guide->accepts(good, {}));
  for (const char* bad : {"", "not", "yes!", "Yes"}) EXPECT_FALSE(guide->accepts(bad, {}));
}

TEST(Guide, ATokenThatIsNotAllowedIsRefusedAndChangesNothing) {
  const auto tokenizer = std::make_shared<FakeTokenizer>();
  const auto guide = guide_of(R"({"regex": "ab"})", tokenizer);
  const auto state = guide->start({});
  for (const int id : {FakeTokenizer::kEos, FakeTokenizer::kPad, 2, -1, 100'000, tokenizer->id_of("b")}) {
    EXPECT_THROW(state->advance(id), Error) << id;
  }
  state->advance(tokenizer->id_of("a"));
  state->advance(tokenizer->id_of("b"));
  EXPECT_EQ(state->allowed().size(), 1U);
  state->advance(FakeTokenizer::kEos);
  EXPECT_THROW(state->advance(FakeTokenizer::kEos), Error);
  EXPECT_TRUE(state->is_finished());
}

/// A token is allowed exactly where some text of the language begins with what is written and the token.
TEST(Guide, MasksAreExactAgainstEveryTextOfTheLanguage) {
  Dice dice(5);
  for (int round = 0; round < 60; ++round) {
    std::set<std::string> language;
    Json choices = Json::array();
    for (int i = 1 + dice.roll(6); i > 0; --i) {
      std::string text;
      for (int n = 1 + dice.roll(4); n > 0; --n) text += dice.roll(3) == 0 ? "\xEA\xB0\x80" : dice.flip() ? "a" : "b";
      if (language.insert(text).second) choices.push_back(text);
    }
    std::vector<std::string> tokens;
    for (int i = 0; i < 12; ++i) {
      const std::string& source = *std::next(language.begin(), dice.roll(static_cast<int>(language.size())));
      const auto from = static_cast<std::size_t>(dice.roll(static_cast<int>(source.size())));
      tokens.push_back(source.substr(from, 1 + static_cast<std::size_t>(dice.roll(4))));
    }
    const auto tokenizer = std::make_shared<FakeTokenizer>(tokens);
    const auto guide = compile_guide(Json{{"choices", choices}}, tokenizer);
    const auto state = guide->start({});
    std::string written;
    while (!state->is_finished()) {
      const auto ids = state->allowed();
      std::vector<int> expected;
      for (int id = 0; id < tokenizer->vocab_size(); ++id) {
        const std::string next = written + std::string(tokenizer->token_bytes(id));
        const bool fits = std::any_of(language.begin(), language.end(), [&](const std::string& text) { return text.starts_with(next); });
        if (id == FakeTokenizer::kEos ? language.contains(written) : !tokenizer->is_control(id) && fits) expected.push_back(id);
      }
      ASSERT_EQ(std::vector<int>(ids.begin(), ids.end()), expected) << "round " << round << " after " << written;
      const int id = ids[static_cast<std::size_t>(dice.roll(static_cast<int>(ids.size())))];
      state->advance(id);
      if (id != FakeTokenizer::kEos) written += tokenizer->token_bytes(id);
    }
    EXPECT_TRUE(language.contains(written));
  }
}

TEST(Guide, EveryAllowedTokenIsReachable) {
  const auto tokenizer = std::make_shared<FakeTokenizer>(std::vector<std::string>{"ab", "USB", "SB", "-C", ": U", "zz", "\": \"", "aU"});
  const auto guide = guide_of(R"({"regex": "[ab]{2,5}: {p:words}( {p:piece})?"})", tokenizer);
  EXPECT_FALSE(std::binary_search(guide->reachable().begin(), guide->reachable().end(), tokenizer->id_of("zz")));
  EXPECT_TRUE(std::binary_search(guide->reachable().begin(), guide->reachable().end(), FakeTokenizer::kEos));
  EXPECT_FALSE(std::binary_search(guide->reachable().begin(), guide->reachable().end(), tokenizer->id_of("USB")));
  Dice dice(9);
  for (int round = 0; round < 200; ++round) {
    const Slots slots = {{"p", round % 2 == 0 ? "USB-C hub" : "USB 3"}};
    const auto row = guide->reachable_from(slots);
    EXPECT_TRUE(std::is_sorted(row.begin(), row.end()));
    EXPECT_EQ(std::binary_search(row.begin(), row.end(), tokenizer->id_of("-C")), round % 2 == 0);
    const auto state = guide->start(slots);
    while (!state->is_finished()) {
      const auto ids = state->allowed();
      for (const int id : ids) {
        EXPECT_TRUE(std::binary_search(guide->reachable().begin(), guide->reachable().end(), id) || std::binary_search(row.begin(), row.end(), id)) << id;
      }
      state->advance(ids[static_cast<std::size_t>(dice.roll(static_cast<int>(ids.size())))]);
    }
  }
}

TEST(Guide, RandomWalksEndInSentences) {
  const auto tokenizer = std::make_shared<FakeTokenizer>(std::vector<std::string>{"true", "\"", "\", \"", "[", "]", "1", "10", ", ", ": ", "{\"", "\xEA\xB0\x80", "\\u", "ab"});
  const Slots slots = {{"p", "Moa \"5kg\" hub"}};
  Dice dice(21);
  for (const char* spec : {
           R"({"regex": "([a-c]|\\d){3,9}-{p:words}"})",
           R"({"schema": {"type": "object", "additionalProperties": false, "required": ["a"], "properties": {
                "a": {"type": "string", "maxLength": 6}, "b": {"type": "array", "items": {"type": "integer", "minimum": -12, "maximum": 107}, "maxItems": 3},
                "c": {"enum": ["x", 1.5, null, {"k": [true]}]}, "d": {"type": "string", "x-onggi-regex": "{p:tail}!"}}}})",
           R"({"whitespace": "flexible", "schema": {"type": "array", "items": {"type": "boolean"}, "minItems": 1}})"}) {
    const auto guide = guide_of(spec, tokenizer);
    for (int round = 0; round < 150; ++round) {
      bool finished = false;
      const std::string text = testing::random_walk(*guide, *tokenizer, slots, dice, 200, finished);
      ASSERT_TRUE(finished) << text;
      EXPECT_TRUE(guide->accepts(text, slots)) << text;
      const bool is_json = std::string_view(spec).find("schema") != std::string_view::npos;
      EXPECT_TRUE(!is_json || !parse_json(text, "walk").is_discarded()) << text;
    }
  }
}

TEST(Guide, RowsDoNotDisturbEachOther) {
  const auto tokenizer = std::make_shared<FakeTokenizer>(std::vector<std::string>{"ab", "cd"});
  const auto guide = guide_of(R"({"regex": "(ab|cd){1,20}"})", tokenizer);
  const auto with_slot = guide_of(R"({"regex": "(ab|cd){1,9}{p:tail}"})", tokenizer);
  std::vector<std::jthread> threads;
  for (std::uint64_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      Dice dice(t);
      for (int round = 0; round < 60; ++round) {
        bool finished = false;
        const Slots slots = {{"p", "x" + std::to_string(t)}};
        EXPECT_TRUE(guide->accepts(testing::random_walk(*guide, *tokenizer, {}, dice, 10, finished), {}));
        EXPECT_TRUE(with_slot->accepts(testing::random_walk(*with_slot, *tokenizer, slots, dice, 50, finished), slots));
      }
    });
  }
}

TEST(Guide, TheStateKeepsItsGuideAlive) {
  const auto tokenizer = std::make_shared<FakeTokenizer>();
  const auto state = guide_of(R"({"choices": ["a"]})", tokenizer)->start({});
  state->advance(tokenizer->id_of("a"));
  EXPECT_EQ(state->allowed()[0], FakeTokenizer::kEos);
}

TEST(Guide, WhatCannotBeEnforcedIsRefused) {
  const auto tokenizer = std::make_shared<FakeTokenizer>();
  for (const char* spec : {"[]", "{}", R"({"choices": []})", R"({"choices": "a"})", R"({"choices": [1]})", R"({"choices": [""]})", R"({"regex": 1})",
                           R"({"regex": "("})", R"({"regex": "a", "choices": ["a"]})", R"({"regex": "a", "strict": true})", R"({"trie": []})",
                           R"({"regex": "a", "whitespace": "compact"})", R"({"schema": {"type": "null"}, "whitespace": "loose"})",
                           R"({"schema": {"type": "null"}, "whitespace": 1})", R"({"schema": {"not": {}}})", R"({"cards": []})"}) {
    try {
      guide_of(spec, tokenizer);
      ADD_FAILURE() << spec;
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ErrorCode::kInvalidArgument) << spec << ": " << e.what();
    }
  }
  // A row that leaves nothing to write.
  const auto guide = guide_of(R"({"regex": "{p:words}"})", tokenizer);
  EXPECT_THROW(guide->start({{"p", ""}}), Error);
  EXPECT_THROW(guide->start({{"q", "x"}}), Error);
  EXPECT_FALSE(guide->accepts("x", {{"p", ""}}));
}

}  // namespace
}  // namespace onggi::decode
