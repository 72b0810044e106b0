#include "onggi/text/utf8.h"

#include <gtest/gtest.h>

#include "onggi/text/unicode.h"

namespace onggi::text {
namespace {

TEST(Utf8, EveryCodePointComesBack) {
  for (char32_t code = 0; code <= 0x10FFFF; ++code) {
    if (code >= 0xD800 && code <= 0xDFFF) continue;
    std::string s;
    append_utf8(s, code);
    const Utf8Char c = next_utf8(s, 0);
    ASSERT_TRUE(c.valid);
    ASSERT_EQ(c.code, code);
    ASSERT_EQ(static_cast<std::size_t>(c.length), s.size());
    for (std::size_t n = 1; n < s.size(); ++n) ASSERT_EQ(incomplete_utf8_suffix(s.substr(0, n)), n);
    ASSERT_EQ(incomplete_utf8_suffix(s), 0u);
  }
}

TEST(Utf8, RefusesWhatIsNoCharacter) {
  for (const char* s : {"\x80", "\xC0\x80", "\xC1\xBF", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xFF", "\xEA\xB0"}) {
    EXPECT_FALSE(is_valid_utf8(s));
    EXPECT_EQ(next_utf8(s, 0).length, 1);
  }
  EXPECT_EQ(repair_utf8("a\xFF\xEA\xB0\x80"), "a\xEF\xBF\xBD\xEA\xB0\x80");
  EXPECT_EQ(incomplete_utf8_suffix("\xED\xA0"), 0u);  // Would be a surrogate whatever came.
  std::string s;
  append_utf8(s, 0xD800);
  append_utf8(s, 0x110000);
  EXPECT_EQ(s, "\xEF\xBF\xBD\xEF\xBF\xBD");
}

TEST(Unicode, ClassesNormalFormAndCase) {
  EXPECT_EQ(char_class(U'\uAC00'), kLetter);
  EXPECT_EQ(char_class(U'\u00BD'), kNumber);
  EXPECT_EQ(char_class(U'\u3000'), kSpace);
  EXPECT_EQ(char_class(U'.'), 0);
  EXPECT_EQ(char_class(0x110000), 0);
  EXPECT_EQ(to_nfc("\xE1\x84\x80\xE1\x85\xA1"), "\xEA\xB0\x80");  // Jamo to a syllable.
  EXPECT_EQ(to_nfc("plain"), "plain");
  EXPECT_EQ(to_nfkc_casefold("\xEF\xBC\xA1\xE2\x91\xA0Straße\xE2\x80\x8B"), "a1strasse");  // Full width, circled, zero width.
  EXPECT_EQ(to_nfkc_casefold("\xE1\x84\x80\xE1\x85\xA1"), "\xEA\xB0\x80");
  EXPECT_EQ(to_upper(U'\u00DF'), "SS");
  EXPECT_EQ(to_lower(U'\u00C9'), "\xC3\xA9");
}

}  // namespace
}  // namespace onggi::text
