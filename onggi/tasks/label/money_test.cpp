#include "onggi/tasks/label/money.h"

#include <gtest/gtest.h>

#include <limits>

namespace onggi::tasks {
namespace {

TEST(Money, DollarsAreReadExactly) {
  EXPECT_EQ(parse_dollars("0.15"), 150'000);
  EXPECT_EQ(parse_dollars("12"), 12'000'000);
  EXPECT_EQ(parse_dollars("0.000001"), 1);
  EXPECT_EQ(parse_dollars("1000000"), 1'000'000'000'000);
  for (const char* text : {"", ".5", "1.", "-1", "1e3", "1,5", " 1", "0.0000001", "1000001", "99999999", "nan"}) {
    EXPECT_EQ(parse_dollars(text), std::nullopt) << text;
  }
}

TEST(Money, TextsAreReadBack) {
  EXPECT_EQ(dollars_text(0), "$0.00");
  EXPECT_EQ(dollars_text(1), "$0.000001");
  EXPECT_EQ(dollars_text(12'500'000), "$12.50");
  for (const MicroDollars amount : {1LL, 99LL, 150'000LL, 1'234'567LL}) {
    EXPECT_EQ(parse_dollars(dollars_text(amount).substr(1)), amount);
  }
}

TEST(Money, CostsAreSumsRoundedUp) {
  const Prices prices{.input = 2'500'000, .cached_input = 1'250'000, .output = 10'000'000};
  EXPECT_EQ(prices.cost(1'000'000, 0, 0), 2'500'000);
  EXPECT_EQ(prices.cost(1'000'000, 1'000'000, 0), 1'250'000);
  EXPECT_EQ(prices.cost(100, 0, 20), 250 + 200);
  EXPECT_EQ(prices.cost(1, 0, 0), 3);     // 2.5
  EXPECT_EQ(prices.cost(10, 99, 0), 13);  // no more cached than there are: 12.5
  EXPECT_EQ(prices.cost(0, 0, 0), 0);
}

TEST(Money, HostileCountsDoNotOverflow) {
  const Prices prices{.input = 1'000'000'000'000, .cached_input = 0, .output = 1'000'000'000'000};
  constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
  EXPECT_GT(prices.cost(kMost, 0, kMost), 0);
  EXPECT_EQ(prices.cost(-5, -5, -5), 0);
}

}  // namespace
}  // namespace onggi::tasks
