#include "onggi/core/base64.h"

#include <gtest/gtest.h>

#include <string_view>

namespace onggi {
namespace {

std::string encoded(std::string_view text) { return base64(std::as_bytes(std::span(text.data(), text.size()))); }

TEST(Base64, GivesTheVectorsOfRfc4648) {
  EXPECT_EQ(encoded(""), "");
  EXPECT_EQ(encoded("f"), "Zg==");
  EXPECT_EQ(encoded("fo"), "Zm8=");
  EXPECT_EQ(encoded("foo"), "Zm9v");
  EXPECT_EQ(encoded("foobar"), "Zm9vYmFy");
  EXPECT_EQ(encoded("\xFF\xFE\xFB"), "//77");
}

}  // namespace
}  // namespace onggi
