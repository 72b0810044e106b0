#include "onggi/decode/guide.h"

#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "onggi/core/error.h"
#include "onggi/decode/pattern.h"
#include "onggi/decode/regex.h"
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

/// A pattern of letters and slots of the texts "p" and "q".
std::string random_pattern(Dice& dice, int depth) {
  if (depth == 0 || dice.roll(5) == 0) {
    static const char* kAtoms[] = {"a", "b", "[ab5]", "[^a]", " ", "\xEA\xB0\x80", "", "{p:text}", "{p:piece}", "{q:piece}", "{q:words}", "{p:tail}", "{q:noun}", "{p:foreign}", "{q:foreign}"};
    return kAtoms[dice.roll(std::size(kAtoms))];
  }
  const auto part = [&] { return "(" + random_pattern(dice, depth - 1) + ")"; };
  switch (dice.roll(6)) {
    case 0: return part() + "|" + part();
    case 1: return part() + "{0,3}";
    case 2: return part() + "{" + std::to_string(dice.roll(3)) + ",}";
    default: return part() + part();
  }
}

std::string random_text(Dice& dice) {
  static const char* kPieces[] = {"a", "b", "5", " ", "\xEA\xB0\x80", "ab", "b5", "-"};
  std::string text;
  for (int n = dice.roll(6); n > 0; --n) text += kPieces[dice.roll(std::size(kPieces))];
  return text;
}

/// What a mask must hold: every token of the vocabulary, read by an automaton that was built for the row alone.
std::vector<int> expected_mask(const text::Tokenizer& tokenizer, Dfa& dfa, int state) {
  std::vector<int> ids;
  for (int id = 0; id < tokenizer.vocab_size(); ++id) {
    const bool reads = !tokenizer.is_control(id) && dfa.walk(state, tokenizer.token_bytes(id)) != Dfa::kDead;
    if (reads || (id == tokenizer.eos_id() && dfa.is_accepting(state))) ids.push_back(id);
  }
  return ids;
}

/// Rows one after the other, whose walks share what they learn, against an automaton for each row.
TEST(Guide, SharedWalksAgreeWithAnAutomatonForEachRow) {
  const auto tokenizer = std::make_shared<FakeTokenizer>(std::vector<std::string>{
      "ab", "ba", "aab", "a b", " a", "b ", "5a", "b5", "5-", "-5", "ab5", "a\xEA\xB0", "\xB0\x80", "\x80 a", "\xEA\xB0\x80", "\xEA\xB0\x80 ", " \xEA\xB0\x80", "\xEA\xB0\x80""a"});
  Dice dice(17);
  int num_masks = 0;
  int num_empty = 0;
  for (int round = 0; round < 250; ++round) {
    const std::string source = random_pattern(dice, 4);
    const Pattern pattern = parse_regex(source);
    std::shared_ptr<const Guide> guide;
    try {
      guide = compile_guide(Json{{"regex", source}}, tokenizer);
    } catch (const Error&) {  // Allows nothing, whatever the row.
      continue;
    }
    for (int row = 0; row < 4; ++row) {
      const Slots slots = {{"p", random_text(dice)}, {"q", random_text(dice)}};
      const std::string where = source + " for \"" + slots[0].second + "\" and \"" + slots[1].second + "\"";
      Dfa dfa(build_nfa(pattern, SlotUse::kFilled, slots));
      if (dfa.start() == Dfa::kDead) {
        ++num_empty;
        EXPECT_THROW(guide->start(slots), Error) << where;
        EXPECT_FALSE(guide->accepts("", slots));
        continue;
      }
      Dfa loose(build_nfa(pattern, SlotUse::kFilled, slots, true));
      std::vector<int> reachable(guide->reachable().begin(), guide->reachable().end());
      for (const int id : guide->reachable_from(slots)) reachable.push_back(id);
      std::sort(reachable.begin(), reachable.end());
      for (const int id : expected_mask(*tokenizer, loose, loose.everything())) {
        EXPECT_TRUE(std::binary_search(reachable.begin(), reachable.end(), id)) << where << ": " << tokenizer->token_bytes(id);
      }
      auto state = guide->start(slots);
      int expected = dfa.start();
      std::string written;
      for (int step = 0; step < 12 && !state->is_finished(); ++step, ++num_masks) {
        if (dice.roll(4) == 0) state = state->fork();
        const auto ids = state->allowed();
        ASSERT_EQ(std::vector<int>(ids.begin(), ids.end()), expected_mask(*tokenizer, dfa, expected)) << where << " after \"" << written << "\"";
        EXPECT_EQ(guide->accepts(written, slots), dfa.is_accepting(expected)) << where << " and \"" << written << "\"";
        const int id = ids[static_cast<std::size_t>(dice.roll(static_cast<int>(ids.size())))];
        state->advance(id);
        if (id == FakeTokenizer::kEos) break;
        written += tokenizer->token_bytes(id);
        expected = dfa.walk(expected, tokenizer->token_bytes(id));
      }
    }
  }
  EXPECT_GT(num_masks, 2000);
  EXPECT_GT(num_empty, 20);
}

/// More states than are kept from row to row: the walk begins a new automaton and goes on where it was.
TEST(Guide, AWalkThatOutgrowsItsAutomatonGoesOn) {
  Dice dice(4);
  std::vector<std::string> tokens;
  for (int i = 0; i < 1500; ++i) {
    std::string token;
    for (int n = 0; n < 18; ++n) token += dice.flip() ? 'a' : 'b';
    tokens.push_back(token);
  }
  const auto tokenizer = std::make_shared<FakeTokenizer>(tokens);
  const std::string source = "([ab]*a[ab]{15}{p:words})|[ab]*";
  const auto guide = compile_guide(Json{{"regex", source}}, tokenizer);
  const Slots slots = {{"p", "ab ba"}};
  Dfa dfa(build_nfa(parse_regex(source), SlotUse::kFilled, slots));
  int expected = dfa.start();
  const auto state = guide->start(slots);
  const auto other = state->fork();
  for (int i = 0; i < 8; ++i) {
    const auto ids = state->allowed();
    ASSERT_EQ(std::vector<int>(ids.begin(), ids.end()), expected_mask(*tokenizer, dfa, expected));
    const int id = tokenizer->id_of(tokens[static_cast<std::size_t>(dice.roll(1500))]);
    state->advance(id);
    expected = dfa.walk(expected, tokenizer->token_bytes(id));
  }
  EXPECT_GT(dfa.num_states(), 25'000);  // 20,000 are kept.
  EXPECT_TRUE(allows(*other, tokenizer->id_of("b")));
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

TEST(Guide, AForkWalksOnItsOwn) {
  const auto tokenizer = std::make_shared<FakeTokenizer>();
  const auto guide = guide_of(R"({"regex": "a(b|cd)e"})", tokenizer);
  const auto first = guide->start({});
  first->advance(tokenizer->id_of("a"));
  const auto second = first->fork();
  first->advance(tokenizer->id_of("b"));
  EXPECT_TRUE(allows(*second, tokenizer->id_of("c")));
  second->advance(tokenizer->id_of("c"));
  EXPECT_FALSE(allows(*first, tokenizer->id_of("d")));
  for (const char* text : {"d", "e"}) second->advance(tokenizer->id_of(text));
  EXPECT_TRUE(allows(*second, FakeTokenizer::kEos));
  EXPECT_TRUE(allows(*first, tokenizer->id_of("e")));
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
