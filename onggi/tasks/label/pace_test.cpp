#include "onggi/tasks/label/pace.h"

#include <gtest/gtest.h>

#include <vector>

namespace onggi::tasks {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const PaceClock::time_point kStart{};

TEST(Pace, GrowsByOneAWindowAndIsHalvedOnceARound) {
  Pace pace({.most_in_flight = 6}, kStart);
  EXPECT_EQ(pace.window(), 4);
  std::vector<std::int64_t> calls;
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(pace.next_start(kStart).has_value());
    calls.push_back(pace.started(kStart, 0));
  }
  EXPECT_FALSE(pace.next_start(kStart).has_value());
  for (const auto call : calls) pace.ended(kStart, call, Reception::kGood, 0);
  EXPECT_EQ(pace.window(), 5);
  for (int round = 0; round < 5; ++round) {
    for (int i = 0; i < 6; ++i) pace.ended(kStart, pace.started(kStart, 0), Reception::kGood, 0);
  }
  EXPECT_EQ(pace.window(), 6);
  calls.clear();
  for (int i = 0; i < 6; ++i) calls.push_back(pace.started(kStart, 0));
  for (const auto call : calls) pace.ended(kStart, call, Reception::kOverloaded, 0);
  EXPECT_EQ(pace.window(), 3) << "one crowd that is refused is one sign";
  for (int i = 0; i < 9; ++i) pace.ended(kStart, pace.started(kStart, 0), Reception::kOverloaded, 0);
  EXPECT_EQ(pace.window(), 1);
  EXPECT_EQ(pace.num_in_flight(), 0);
}

TEST(Pace, ALowQuotaHalvesAndFailuresOfOthersSayNothing) {
  Pace pace({.most_in_flight = 16}, kStart);
  pace.ended(kStart, pace.started(kStart, 0), Reception::kGood, 0, 0.05);
  EXPECT_EQ(pace.window(), 2);
  for (int i = 0; i < 20; ++i) pace.ended(kStart, pace.started(kStart, 0), Reception::kOther, 0);
  EXPECT_EQ(pace.window(), 2);
}

/// Calls that a pace lets through in a time, each ended at once.
int count_calls(Pace& pace, seconds time, std::int64_t tokens) {
  int count = 0;
  for (auto now = kStart; now < kStart + time;) {
    const auto start = pace.next_start(now);
    now = std::max(now, *start);
    if (now >= kStart + time) break;
    pace.ended(now, pace.started(now, tokens), Reception::kGood, 0);
    ++count;
  }
  return count;
}

TEST(Pace, RequestsAndTokensAMinuteAreKept) {
  Pace by_requests({.most_in_flight = 16, .requests_per_minute = 60}, kStart);
  const int calls = count_calls(by_requests, seconds(120), 0);
  EXPECT_GE(calls, 118);
  EXPECT_LE(calls, 122);
  Pace by_tokens({.most_in_flight = 16, .tokens_per_minute = 6000}, kStart);
  const int few = count_calls(by_tokens, seconds(120), 1000);
  EXPECT_GE(few, 11);
  EXPECT_LE(few, 14);
}

TEST(Pace, TokensBeyondTheExpectedAreOwed) {
  Pace pace({.most_in_flight = 16, .tokens_per_minute = 600}, kStart);
  pace.ended(kStart, pace.started(kStart, 1), Reception::kGood, 600);
  EXPECT_GT(*pace.next_start(kStart), kStart + seconds(59));
}

TEST(Pace, WaitsDoubleWithJitterAndHeedTheTeacher) {
  EXPECT_EQ(retry_delay(1, 0.0, std::nullopt), milliseconds(250));
  EXPECT_EQ(retry_delay(1, 1.0, std::nullopt), milliseconds(500));
  EXPECT_EQ(retry_delay(3, 1.0, std::nullopt), milliseconds(2000));
  EXPECT_EQ(retry_delay(100, 1.0, std::nullopt), milliseconds(60'000));
  EXPECT_EQ(retry_delay(1, 0.5, milliseconds(9000)), milliseconds(9000));
  EXPECT_EQ(retry_delay(9, 1.0, milliseconds(10)), milliseconds(60'000));
}

TEST(Pace, RetryAfterIsSecondsOrADateOrMilliseconds) {
  EXPECT_EQ(retry_after("", "3", 0), milliseconds(3000));
  EXPECT_EQ(retry_after("250", "3", 0), milliseconds(250));
  EXPECT_EQ(retry_after("", "0.5", 0), milliseconds(500));
  EXPECT_EQ(retry_after("", "Thu, 01 Jan 1970 00:01:40 GMT", 90), milliseconds(10'000));
  EXPECT_EQ(retry_after("", "Thu, 01 Jan 1970 00:01:40 GMT", 900), milliseconds(0));
  EXPECT_EQ(retry_after("", "1e300", 0), milliseconds(600'000));
  for (const char* text : {"", "soon", "-3", "nan", "inf", "3 s"})
    EXPECT_EQ(retry_after("", text, 0), std::nullopt) << text;
}

}  // namespace
}  // namespace onggi::tasks
