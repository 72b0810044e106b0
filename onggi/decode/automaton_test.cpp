#include "onggi/decode/automaton.h"

#include <gtest/gtest.h>

#include <string>

#include "onggi/core/error.h"
#include "onggi/decode/test_support.h"
#include "onggi/decode/token_trie.h"

namespace onggi::decode {
namespace {

std::string utf8(char32_t c) {
  if (c < 0x80) return {static_cast<char>(c)};
  std::string tail;
  int lead = c < 0x800 ? 0xC0 : c < 0x10000 ? 0xE0 : 0xF0;
  for (int n = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3; n > 0; --n, c >>= 6) tail.insert(0, 1, static_cast<char>(0x80 | (c & 63)));
  return static_cast<char>(lead | static_cast<int>(c)) + tail;
}

bool accepts(Dfa& dfa, std::string_view text) {
  const int end = dfa.walk(dfa.start(), text);
  return end != Dfa::kDead && dfa.is_accepting(end);
}

Dfa range(char32_t low, char32_t high) {
  auto nfa = std::make_shared<Nfa>();
  const int end = nfa->add_state();
  nfa->add_code_points(0, low, high, end);
  nfa->set_accepting(end);
  return Dfa(nfa);
}

TEST(Automaton, CodePointRangesTakeTheirUtf8AndNothingElse) {
  testing::Dice dice(7);
  const char32_t edges[] = {0, 0x7F, 0x80, 0x7FF, 0x800, 0xFFF, 0x1000, 0xABFF, 0xAC00, 0xD7A3, 0xD7FF, 0xE000, 0xFFFF, 0x10000, 0x3FFFF, 0x40000, 0xFFFFF, 0x100000, 0x10FFFF};
  for (int round = 0; round < 200; ++round) {
    const auto pick = [&] { return dice.flip() ? edges[dice.roll(std::size(edges))] : static_cast<char32_t>(dice.roll(0x110000)); };
    char32_t low = pick();
    char32_t high = pick();
    if (low > high) std::swap(low, high);
    Dfa dfa = range(low, high);
    for (int i = 0; i < 60; ++i) {
      const char32_t near[] = {low, low + 1, high, high + 1, low == 0 ? 0 : low - 1, pick(), low + static_cast<char32_t>(dice.roll(static_cast<int>(high - low) + 1))};
      const char32_t c = near[dice.roll(std::size(near))];
      if (c > 0x10FFFF || (c >= 0xD800 && c < 0xE000)) continue;
      EXPECT_EQ(accepts(dfa, utf8(c)), low <= c && c <= high) << static_cast<unsigned>(low) << ".." << static_cast<unsigned>(high) << " at " << static_cast<unsigned>(c);
    }
  }
  Dfa all = range(0, 0x10FFFF);
  for (const char* bad : {"\xC0\x80", "\xC1\xBF", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\x80", "\xC3", ""}) {
    EXPECT_FALSE(accepts(all, bad));
  }
}

TEST(Automaton, AClassSharesPathsAndTakesItsMembersOnly) {
  std::vector<std::pair<char32_t, char32_t>> ranges = {{'a', 'c'}, {0x7E, 0x81}, {0x3FF, 0x400}, {0xAC3E, 0xAC41}, {0xD7FF, 0xD7FF}, {0x1F600, 0x1F610}};
  for (char32_t c = 0xB000; c < 0xB800; c += 28) ranges.emplace_back(c + 4, c + 4);
  auto nfa = std::make_shared<Nfa>();
  const int end = nfa->add_state();
  nfa->add_class(0, ranges, end);
  nfa->set_accepting(end);
  EXPECT_LT(nfa->num_states(), 70);
  Dfa dfa(nfa);
  for (char32_t c = 0; c < 0x20000; ++c) {
    if (c >= 0xD800 && c < 0xE000) continue;
    const bool is_member = std::any_of(ranges.begin(), ranges.end(), [&](const auto& r) { return r.first <= c && c <= r.second; });
    ASSERT_EQ(accepts(dfa, utf8(c)), is_member) << static_cast<unsigned>(c);
  }
}

TEST(Automaton, EveryStateOfAWalkCanReachTheEnd) {
  auto nfa = std::make_shared<Nfa>();
  const int end = nfa->add_state();
  const int dead_end = nfa->add_state();
  nfa->add_bytes(0, "ab", end);
  nfa->add_bytes(0, "xy", dead_end);
  nfa->set_accepting(end);
  Dfa dfa(nfa);
  EXPECT_TRUE(accepts(dfa, "ab"));
  EXPECT_EQ(dfa.walk(dfa.start(), "x"), Dfa::kDead);
  EXPECT_NE(dfa.walk(dfa.everything(), "b"), Dfa::kDead);
  EXPECT_EQ(dfa.walk(dfa.everything(), "y"), Dfa::kDead);
}

TEST(Automaton, WithoutAnEndThereIsNoStart) {
  auto nfa = std::make_shared<Nfa>();
  const int end = nfa->add_state();
  nfa->set_accepting(end);
  EXPECT_EQ(Dfa(nfa).start(), Dfa::kDead);
}

TEST(Automaton, TooManyStatesAreRefused) {
  Nfa nfa;
  try {
    for (;;) nfa.add_state();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kExhausted);
  }
}

TEST(TokenTrie, CollectsWhatCanBeReadAndNeverControlTokens) {
  const testing::FakeTokenizer tokenizer({"ab", "abc", "abd", "b", "ba", "xyz", "ab"});
  auto nfa = std::make_shared<Nfa>();
  const int loop = nfa->add_state();
  nfa->add_empty(0, loop);
  nfa->add_bytes(loop, "ab", loop);
  nfa->set_accepting(loop);
  Dfa dfa(nfa);
  std::vector<std::string> texts;
  std::vector<int> ids;
  TokenTrie(tokenizer).collect(dfa, dfa.start(), ids);
  for (const int id : ids) {
    EXPECT_FALSE(tokenizer.is_control(id));
    texts.emplace_back(tokenizer.token_bytes(id));
  }
  EXPECT_EQ(texts, (std::vector<std::string>{"a", "ab", "ab"}));
  ids.clear();
  const int kept[] = {testing::FakeTokenizer::kPad, testing::FakeTokenizer::kFirstByte + 'a', testing::FakeTokenizer::kFirstByte + 'b'};
  TokenTrie(tokenizer, kept).collect(dfa, dfa.start(), ids);
  EXPECT_EQ(ids, std::vector<int>{testing::FakeTokenizer::kFirstByte + 'a'});
}

TEST(TokenTrie, AgreesWithWalkingEachToken) {
  testing::Dice dice(3);
  for (int round = 0; round < 100; ++round) {
    std::vector<std::string> texts;
    for (int i = 0; i < 60; ++i) {
      std::string text;
      for (int n = 1 + dice.roll(5); n > 0; --n) text += static_cast<char>('a' + dice.roll(3));
      texts.push_back(text);
    }
    const testing::FakeTokenizer tokenizer(texts);
    auto nfa = std::make_shared<Nfa>();
    for (int i = 0; i < 6; ++i) nfa->add_state();
    for (int i = 0; i < 12; ++i) {
      const auto byte = static_cast<std::uint8_t>('a' + dice.roll(3));
      nfa->add_edge(dice.roll(7), byte, static_cast<std::uint8_t>(byte + dice.roll(2)), dice.roll(7));
    }
    nfa->add_empty(dice.roll(7), dice.roll(7));
    nfa->set_accepting(6);
    Dfa dfa(nfa);
    if (dfa.start() == Dfa::kDead) continue;
    std::vector<int> ids;
    TokenTrie(tokenizer).collect(dfa, dfa.start(), ids);
    std::sort(ids.begin(), ids.end());
    std::vector<int> expected;
    for (int id = testing::FakeTokenizer::kFirstByte; id < tokenizer.vocab_size(); ++id) {
      if (dfa.walk(dfa.start(), tokenizer.token_bytes(id)) != Dfa::kDead) expected.push_back(id);
    }
    EXPECT_EQ(ids, expected) << "round " << round;
  }
}

}  // namespace
}  // namespace onggi::decode
