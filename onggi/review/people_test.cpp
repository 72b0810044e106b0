#include "onggi/review/people.h"

#include <gtest/gtest.h>

#include "onggi/core/error.h"

namespace onggi::review {
namespace {

TEST(People, WithoutAFileAnyNameIsLetInWithEveryRight) {
  const People people;
  EXPECT_TRUE(people.is_open());
  ASSERT_TRUE(people.find("하나", ""));
  EXPECT_TRUE(people.find("하나", "")->may_settle);
  for (const char* wrong : {"", " a", "a\n", "\xff"}) EXPECT_FALSE(people.find(wrong, "")) << wrong;
}

TEST(People, ATokenSaysWhoItIs) {
  const People people("people:\n" + person_entry("하나", "right", false) + person_entry("민수", "other", true),
                      "people.yaml");
  EXPECT_TRUE(people.have_tokens());
  ASSERT_TRUE(people.find("", "right"));
  EXPECT_EQ(people.find("민수", "right")->name, "하나");  // The token counts, not what is said.
  EXPECT_FALSE(people.find("", "right")->may_settle);
  EXPECT_TRUE(people.find("", "other")->may_settle);
  EXPECT_FALSE(people.find("하나", ""));
  EXPECT_FALSE(people.find("하나", "wrong"));
}

TEST(People, ANameWithoutATokenIsEnoughWhereTheFileSaysSo) {
  const People people("people:\n" + person_entry("a", "", true), "people.yaml");
  EXPECT_FALSE(people.have_tokens());
  EXPECT_TRUE(people.find("a", ""));
  EXPECT_FALSE(people.find("b", ""));
  EXPECT_FALSE(people.find("a", "token"));
}

TEST(People, WhatIsWrongIsSaidWithItsPlace) {
  const auto error_of = [](const std::string& text) -> std::string {
    try {
      People(text, "people.yaml");
    } catch (const Error& e) {
      return e.what();
    }
    return "";
  };
  EXPECT_NE(error_of("people: []\n").find("people.yaml"), std::string::npos);
  const auto role = error_of("people:\n  - name: a\n    role: king\n");
  EXPECT_NE(role.find("reviewer or adjudicator"), std::string::npos) << role;
  EXPECT_NE(role.find("people.yaml:3"), std::string::npos) << role;
  EXPECT_NE(error_of("people:\n  - name: a\n  - name: a\n").find("nobody else"), std::string::npos);
  EXPECT_NE(error_of("people:\n  - name: a\n    sha256: \"12\"\n").find("64 digits"), std::string::npos);
  EXPECT_NE(error_of("people:\n  - nam: a\n").find("\"name\""), std::string::npos);
}

}  // namespace
}  // namespace onggi::review
