#include "onggi/text/pre_tokenizer.h"

#include <gtest/gtest.h>

#include "onggi/core/error.h"
#include "onggi/core/random.h"
#include "onggi/text/utf8.h"

namespace onggi::text {
namespace {

std::vector<std::string> split(const PreTokenizer& pre, std::string_view text) {
  std::vector<std::size_t> ends;
  pre.split(text, ends);
  std::vector<std::string> out;
  std::size_t begin = 0;
  for (const std::size_t end : ends) {
    out.emplace_back(text.substr(begin, end - begin));
    begin = end;
  }
  EXPECT_EQ(begin, text.size());
  return out;
}

/// Pieces by ICU, where the pattern in brackets is no longer one that is scanned by hand.
PreTokenizer by_regex(const std::string& pattern) {
  PreTokenizer pre;
  pre.add_pattern("(?:" + pattern + ")");
  return pre;
}

TEST(PreTokenizer, ScannersAgreeWithTheirPatterns) {
  const std::pair<const char*, const char*> pairs[] = {
      {"gpt-2", kGpt2Pattern}, {"llama-bpe", kLlama3Pattern}, {"qwen2", kQwen2Pattern}};
  const std::u32string alphabet =
      U"abzABS'strevmldST \t\n\r \u00A0\u30000123456789\u0661\u00BD.,!?-_<>\uAC00\uD55C\u4E2D\u00E9\u0301\u017F\U0001F600\u200D\u0085\u212A";
  constexpr std::uint64_t kSeed = 20261127;
  for (const auto& [name, pattern] : pairs) {
    const PreTokenizer scanned = PreTokenizer::by_name(name);
    const PreTokenizer matched = by_regex(pattern);
    for (std::uint64_t trial = 0; trial < 2000; ++trial) {
      std::string text;
      const std::uint64_t length = uniform_int(kSeed, trial, 0, 24);
      for (std::uint64_t i = 1; i <= length; ++i) {
        append_utf8(text, alphabet[uniform_int(kSeed, trial, i, alphabet.size())]);
      }
      ASSERT_EQ(split(scanned, text), split(matched, text)) << name << " seed " << kSeed << " trial " << trial << " [" << text << "]";
    }
  }
}

TEST(PreTokenizer, DigitsApartInOnePassOrTwo) {
  PreTokenizer two;
  two.add_single_digits();
  two.add_pattern("(?:" + std::string(kGpt2Pattern) + ")");
  const PreTokenizer one = PreTokenizer::by_name("smollm");
  for (const char* text : {"a 12 b", "  3", "x1'll 2'd", "\n\n9 \t8", "1", "", "  ", "가 ½ 나"}) {
    EXPECT_EQ(split(one, text), split(two, text)) << text;
  }
}

TEST(PreTokenizer, InvalidBytesAreKept) {
  for (const char* name : {"gpt-2", "llama-bpe", "qwen2", "smollm"}) {
    const auto pieces = split(PreTokenizer::by_name(name), "a\xFF\xC3 b\xED\xA0\x80");
    EXPECT_FALSE(pieces.empty());
  }
}

TEST(PreTokenizer, RefusesWhatItDoesNotKnow) {
  const auto code = [](auto&& run) {
    try {
      run();
    } catch (const Error& e) {
      return e.code();
    }
    return ErrorCode::kInternal;
  };
  EXPECT_EQ(code([] { PreTokenizer::by_name("nope"); }), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code([] { PreTokenizer().add_pattern("(a"); }), ErrorCode::kCorrupt);
}

}  // namespace
}  // namespace onggi::text
