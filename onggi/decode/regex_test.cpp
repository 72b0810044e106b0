#include "onggi/decode/regex.h"

#include <gtest/gtest.h>

#include <set>

#include "onggi/core/error.h"
#include "onggi/decode/test_support.h"

namespace onggi::decode {
namespace {

bool matches(const Pattern& pattern, std::string_view text, const Slots& slots = {}) {
  Dfa dfa(build_nfa(pattern, SlotUse::kFilled, slots));
  if (dfa.start() == Dfa::kDead) return false;
  const int end = dfa.walk(dfa.start(), text);
  return end != Dfa::kDead && dfa.is_accepting(end);
}
bool matches(std::string_view regex, std::string_view text, const Slots& slots = {}) { return matches(parse_regex(regex), text, slots); }

TEST(Regex, MatchesWholeTexts) {
  const struct {
    const char* regex;
    std::vector<std::string> good;
    std::vector<std::string> bad;
  } cases[] = {
      {"", {""}, {"a"}},
      {"a|b|", {"a", "b", ""}, {"ab"}},
      {"(?:ab)+c?", {"ab", "ababc"}, {"", "abcc", "a"}},
      {"a{2}b{1,}c{0,2}", {"aab", "aabbcc"}, {"ab", "aa", "aabccc"}},
      {"[a-c\\d_-]*", {"", "a-3_", "-"}, {"d", "A"}},
      {"[^a-z\\s]", {"A", "\xEA\xB0\x80", "\xF0\x9F\x98\x80"}, {"a", " ", "\xC2\xA0", "\xE3\x80\x80", "AA"}},
      {".", {"x", "\xED\x95\x9C"}, {"\n", "\r", "\xE2\x80\xA8", ""}},
      {"\\p{Hangul}+ \\p{HangulJamo}", {"\xED\x95\x9C\xEA\xB8\x80 \xE3\x85\x8B"}, {"\xE3\x85\x8B \xE3\x85\x8B", "han k"}},
      {"[\xEA\xB0\x80-\xED\x9E\xA3]{2}", {"\xEA\xB0\x80\xED\x9E\xA3"}, {"\xEA\xB0\x80", "\xED\x9E\xA4\xEA\xB0\x80"}},
      {"\\x41\\u00e9\\t\\.\\/\\W\\D\\S", {"A\xC3\xA9\t./!x-"}, {"A\xC3\xA9\t./axa"}},
      {"[\\]\\-\\\\]", {"]", "-", "\\"}, {"a"}},
      {"a**", {"", "aaa"}, {"b"}},
      {"(a*)*(b|)*", {"", "ab", "aabb"}, {"ba"}},
  };
  for (const auto& c : cases) {
    for (const auto& text : c.good) EXPECT_TRUE(matches(c.regex, text)) << c.regex << " and " << text;
    for (const auto& text : c.bad) EXPECT_FALSE(matches(c.regex, text)) << c.regex << " and " << text;
  }
}

TEST(Regex, WhatIsNotRegularOrNotKnownIsRefused) {
  for (const char* regex : {"(", ")", "a)", "[", "[]", "[a", "[b-a]", "[a-\\d]", "*", "a|*", "a{2,1}", "a{5000}", "a{2", "a*?", "a++", "(?=a)", "(?!a)",
                            "(?<=a)", "(?<n>a)", "(?i)a", "\\1", "\\b", "\\", "\\q", "\\xg0", "\\u12", "\\ud800", "\\p{Greek}", "^a", "a$", "{", "{a}",
                            "{a:sentence}", "{:words}", "\xFF", "[\xC3]"}) {
    try {
      parse_regex(regex);
      ADD_FAILURE() << regex;
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ErrorCode::kInvalidArgument) << regex;
    }
  }
  EXPECT_THROW(parse_regex("{a:words}", {.has_slots = false}), Error);
  EXPECT_THROW(parse_regex(std::string(5000, '(')), Error);
  EXPECT_THROW(parse_regex("a" + std::string(5000, '*')), Error);
  EXPECT_THROW(build_nfa(parse_regex("(" + std::string(2000, '|') + "){4000}"), SlotUse::kNone, {}), Error);
  EXPECT_THROW(build_nfa(parse_regex("((a{4000}){4000}){4000}"), SlotUse::kNone, {}), Error);
}

/// Ends of the matches of a pattern that begin at one of `starts`, the slow way.
std::set<std::size_t> ends(const Pattern& p, const std::string& text, const std::set<std::size_t>& starts) {
  std::set<std::size_t> out;
  switch (p.kind) {
    case Pattern::Kind::kClass:
      for (const auto at : starts) {
        for (const auto& [low, high] : p.ranges) {
          if (at < text.size() && low <= static_cast<char32_t>(text[at]) && static_cast<char32_t>(text[at]) <= high) out.insert(at + 1);
        }
      }
      return out;
    case Pattern::Kind::kConcat:
      out = starts;
      for (const auto& part : p.parts) out = ends(part, text, out);
      return out;
    case Pattern::Kind::kAlternate:
      for (const auto& part : p.parts) out.merge(ends(part, text, starts));
      return out;
    case Pattern::Kind::kRepeat: {
      std::set<std::size_t> now = starts;
      const int most = p.high == Pattern::kUnbounded ? p.low + static_cast<int>(text.size()) : p.high;
      for (int i = 0; i <= most; ++i) {
        if (i >= p.low) out.insert(now.begin(), now.end());
        now = ends(p.parts[0], text, now);
      }
      return out;
    }
    default: throw Error(ErrorCode::kInternal, "not made here");
  }
}

std::string random_regex(testing::Dice& dice, int depth) {
  if (depth == 0 || dice.roll(4) == 0) {
    static const char* kAtoms[] = {"a", "b", "[ab]", "[^a]", "c", ".", ""};
    return kAtoms[dice.roll(7)];
  }
  const auto part = [&] { return "(" + random_regex(dice, depth - 1) + ")"; };
  switch (dice.roll(6)) {
    case 0: return part() + "|" + part();
    case 1: return part() + "*";
    case 2: return part() + "{" + std::to_string(dice.roll(3)) + "," + std::to_string(3 + dice.roll(2)) + "}";
    case 3: return part() + "{" + std::to_string(dice.roll(4)) + ",}";
    default: return part() + part();
  }
}

TEST(Regex, TheAutomatonAgreesWithASlowMatcher) {
  testing::Dice dice(11);
  int matched = 0;
  for (int round = 0; round < 400; ++round) {
    const std::string source = random_regex(dice, 4);
    const Pattern pattern = parse_regex(source);
    for (int i = 0; i < 25; ++i) {
      std::string text;
      for (int n = dice.roll(8); n > 0; --n) text += static_cast<char>('a' + dice.roll(3));
      const bool expected = ends(pattern, text, {0}).contains(text.size());
      EXPECT_EQ(matches(pattern, text), expected) << source << " and \"" << text << "\"";
      matched += expected ? 1 : 0;
      Dfa loose(build_nfa(pattern, SlotUse::kNone, {}, true));
      EXPECT_TRUE(!expected || loose.walk(loose.start(), text) != Dfa::kDead) << source << " without bounds and " << text;
    }
  }
  EXPECT_GT(matched, 1000);
}

TEST(Regex, SpacedRunsCountSpacesAndNeverDoubleThem) {
  Pattern run{.kind = Pattern::Kind::kSpaced, .low = 2, .high = 5};
  run.parts.push_back(parse_regex("[ab]"));
  for (const char* good : {"ab", "a b", "abab", "a b a", "ababa"}) EXPECT_TRUE(matches(run, good)) << good;
  for (const char* bad : {"", "a", "a ", " a", "a  b", "ababab", "a b ab", "ab ab "}) EXPECT_FALSE(matches(run, bad)) << bad;
}

TEST(Regex, MembersKeepTheirOrderAndSeparators) {
  const auto maybe = [](const char* text) { return Pattern::repeat(Pattern::literal(text), 0, 1); };
  Pattern members{.kind = Pattern::Kind::kMembers, .parts = {Pattern::literal(","), maybe("a"), Pattern::literal("b"), maybe("c"), maybe("d")}};
  for (const char* good : {"b", "a,b", "a,b,c,d", "b,d"}) EXPECT_TRUE(matches(members, good)) << good;
  for (const char* bad : {"", "a", "a,c", "b,a", ",b", "b,", "b,b"}) EXPECT_FALSE(matches(members, bad)) << bad;
  members.parts[2] = maybe("b");
  for (const char* good : {"", "a", "c", "a,d", "b,c"}) EXPECT_TRUE(matches(members, good)) << good;
  EXPECT_FALSE(matches(members, "ab"));
  members.low = 1;
  EXPECT_TRUE(matches(members, "d"));
  EXPECT_FALSE(matches(members, ""));
}

TEST(Slots, PiecesWordsAndTailsComeFromTheRow) {
  const Slots slots = {{"p", "Moa 5kg USB-C hub"}, {"q", "say \"hi\"\n"}};
  const struct {
    const char* kind;
    std::vector<std::string> good;
    std::vector<std::string> bad;
  } cases[] = {
      {"{p:text}", {"Moa 5kg USB-C hub"}, {"Moa", ""}},
      {"{p:piece}", {"M", "oa 5", "hub", "Moa 5kg USB-C hub", "B-C h"}, {"", " hub", "hub ", "MoaX", "kg  USB"}},
      {"{p:words}", {"Moa", "5kg USB-C", "Moa 5kg USB-C hub"}, {"oa", "5kg USB", "hub ", ""}},
      {"{p:tail}", {"oa", "Moa", "g USB-C", "hub", "b", "C"}, {"5kg USB", "Mo", " hub", ""}},
      {"{p:foreign}", {"Moa", "5kg", "USB-C", "hub"}, {"USB", "5", "", "kg"}},
      {"x{q:text}", {"xsay \"hi\"\n"}, {"x"}},
  };
  for (const auto& c : cases) {
    for (const auto& text : c.good) EXPECT_TRUE(matches(c.kind, text, slots)) << c.kind << " and " << text;
    for (const auto& text : c.bad) EXPECT_FALSE(matches(c.kind, text, slots)) << c.kind << " and " << text;
  }
  Pattern quoted = parse_regex("{q:text}");
  quoted.in_json = true;
  EXPECT_TRUE(matches(quoted, "say \\\"hi\\\"\\n", slots));
  EXPECT_FALSE(matches("{p:words}", "", {{"p", ""}}));
  EXPECT_THROW(matches("{r:words}", "x", slots), Error);
  EXPECT_THROW(matches("{p:words}", "x", {{"p", "\xFF"}}), Error);
}

TEST(Slots, PiecesAreCharactersNotBytes) {
  EXPECT_TRUE(matches("{p:piece}", "\xEA\xB8\x80", {{"p", "\xED\x95\x9C\xEA\xB8\x80"}}));
  EXPECT_FALSE(matches("{p:piece}", "\xB8\x80", {{"p", "\xED\x95\x9C\xEA\xB8\x80"}}));
}

}  // namespace
}  // namespace onggi::decode
