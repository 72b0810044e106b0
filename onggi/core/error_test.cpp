#include "onggi/core/error.h"

#include <gtest/gtest.h>

namespace onggi {
namespace {

TEST(Error, SaysMessageAndPlace) {
  const Error with_place(ErrorCode::kCorrupt, "\"a\" is [2], expected [3]", "model.gguf");
  EXPECT_STREQ(with_place.what(), "\"a\" is [2], expected [3] (model.gguf)");
  EXPECT_EQ(with_place.message(), "\"a\" is [2], expected [3]");
  EXPECT_STREQ(Error(ErrorCode::kInternal, "text").what(), "text");
}

TEST(Require, MakesTheMessageOnlyOnFailure) {
  int num_messages = 0;
  const auto message = [&] {
    ++num_messages;
    return std::string("wrong");
  };
  require(true, message);
  EXPECT_EQ(num_messages, 0);
  try {
    require(false, message, ErrorCode::kNotFound, "here");
    FAIL() << "no error";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kNotFound);
    EXPECT_STREQ(e.what(), "wrong (here)");
  }
  EXPECT_EQ(num_messages, 1);
}

TEST(ErrorCode, EveryCodeHasItsOwnName) {
  EXPECT_EQ(error_code_name(ErrorCode::kInvalidArgument), "invalid argument");
  EXPECT_EQ(error_code_name(ErrorCode::kExhausted), "exhausted");
  EXPECT_EQ(error_code_name(static_cast<ErrorCode>(99)), "unknown");
}

}  // namespace
}  // namespace onggi
