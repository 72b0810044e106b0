#include "onggi/tasks/label/reply.h"

#include <gtest/gtest.h>

#include "onggi/core/error.h"
#include "onggi/tasks/label/remote_teacher.h"

namespace onggi::tasks {
namespace {

TEST(ChatReply, HasTextTokensAndUsage) {
  const auto reply = parse_chat_reply(
      R"({"choices":[{"message":{"role":"assistant","content":"ab"},"finish_reason":"stop","logprobs":{"content":[
          {"token":"a","bytes":[97],"logprob":-0.5},{"token":"b","logprob":-0.25},{"token":"<end>","logprob":-0.1}]}}],
          "usage":{"prompt_tokens":7,"completion_tokens":3,"prompt_tokens_details":{"cached_tokens":4}}})");
  EXPECT_EQ(reply.text, "ab");
  EXPECT_EQ(reply.finish_reason, "stop");
  ASSERT_EQ(reply.tokens.size(), 2U);
  EXPECT_EQ(reply.tokens[1].begin_byte, 1U);
  EXPECT_EQ(reply.tokens[1].log_probability, -0.25);
  EXPECT_TRUE(reply.has_usage);
  EXPECT_EQ(reply.prompt_tokens + reply.cached_tokens + reply.completion_tokens, 14);
}

TEST(ChatReply, TokensThatDoNotSpellTheTextAreLeftOut) {
  for (const char* tokens : {R"([{"token":"x","logprob":-1}])", R"([{"token":"a","logprob":-1}])",
                             R"([{"token":"ab","logprob":1}])", R"([{"token":"ab"}])", R"({})", "null"}) {
    const auto reply = parse_chat_reply(
        std::string(R"({"choices":[{"message":{"content":"ab"},"logprobs":{"content":)") + tokens + "}}]}");
    EXPECT_TRUE(reply.tokens.empty()) << tokens;
    EXPECT_FALSE(reply.has_usage);
  }
}

TEST(ChatReply, WhatIsNoCompletionIsRefused) {
  for (const char* body : {"", "{}", "[]", "<html>", R"({"choices":[]})", R"({"choices":[{}]})",
                           R"({"choices":[{"message":"a"}]})", R"({"choices":{"message":{}}})"}) {
    EXPECT_THROW((void)parse_chat_reply(body), Error) << body;
  }
}

TEST(ChatReply, WhatALocalTeacherSendsIsReadBack) {
  ChatReply reply{.text = "\xEA\xB0\x80\"b", .refusal = {}, .finish_reason = "length"};
  reply.tokens = {{0, 2, -0.5}, {2, 5, -0.125}};
  reply.has_usage = true;
  reply.prompt_tokens = 5;
  reply.completion_tokens = 2;
  const auto again = parse_chat_reply(chat_reply_body(reply));
  EXPECT_EQ(again.text, reply.text);
  EXPECT_EQ(again.finish_reason, "length");
  ASSERT_EQ(again.tokens.size(), 2U);
  EXPECT_EQ(again.tokens[0].end_byte, 2U);
  EXPECT_EQ(again.tokens[1].log_probability, -0.125);
  EXPECT_EQ(again.prompt_tokens, 5);
}

TEST(ChatReply, ErrorsAreWordedInOneShortLine) {
  EXPECT_EQ(error_words(R"({"error":{"message":"no\nroom","code":"full"}})"), "no room");
  EXPECT_EQ(error_words(R"({"error":"no room"})"), "no room");
  EXPECT_EQ(error_words(R"({"detail":"no room"})"), "no room");
  EXPECT_EQ(error_words("<html>\r\n\x1b[2J</html>"), "<html> [2J</html>");
  EXPECT_LE(error_words(std::string(10'000, 'x')).size(), 310U);
  EXPECT_EQ(error_kind(R"({"error":{"type":"t","code":"c"}})"), "c");
  EXPECT_EQ(error_kind(R"({"error":{"type":"t","code":null}})"), "t");
  EXPECT_EQ(error_kind("x"), "");
}

TEST(RemoteTeacher, AddressesEndAtTheRoute) {
  EXPECT_EQ(completions_url("https://a.example/v1", true), "https://a.example/v1/chat/completions");
  EXPECT_EQ(completions_url("https://a.example/v1/", true), "https://a.example/v1/chat/completions");
  EXPECT_EQ(completions_url("https://a.example/x/chat/completions", true), "https://a.example/x/chat/completions");
  EXPECT_EQ(completions_url("http://localhost:8080", false), "http://localhost:8080/v1/chat/completions");
  EXPECT_EQ(completions_url("http://127.0.0.1:8080/", true), "http://127.0.0.1:8080/v1/chat/completions");
  EXPECT_EQ(completions_url("http://[::1]:8080/v1", true), "http://[::1]:8080/v1/chat/completions");
  for (const char* url : {"ftp://a/v1", "https://", "https:///v1", "https://a/v1?x=1", "https://user@a/v1",
                          "http://a.example/v1", "http://127.0.0.1.example/v1", "http://localhost.example/v1"}) {
    EXPECT_THROW((void)completions_url(url, true), Error) << url;
  }
}

TEST(RemoteTeacher, StatusesFallIntoClasses) {
  using Kind = TeacherReply::Kind;
  for (const int status : {408, 409, 425, 429, 500, 502, 503, 504, 529})
    EXPECT_EQ(judge_status(status, "").kind, Kind::kRetry) << status;
  for (const int status : {400, 413, 422}) EXPECT_EQ(judge_status(status, "").kind, Kind::kRefused) << status;
  for (const int status : {204, 301, 307, 401, 402, 403, 404, 405, 418})
    EXPECT_EQ(judge_status(status, "").kind, Kind::kStop) << status;
  EXPECT_EQ(judge_status(429, R"({"error":{"code":"insufficient_quota"}})").kind, Kind::kStop);
  EXPECT_TRUE(judge_status(429, "").is_overloaded);
  EXPECT_FALSE(judge_status(500, "").is_overloaded);
  const auto page = judge_status(200, "<html>");
  EXPECT_EQ(page.kind, Kind::kRetry);
  EXPECT_TRUE(page.may_be_paid);
}

}  // namespace
}  // namespace onggi::tasks
