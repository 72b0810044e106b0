#include "onggi/server/key_ring.h"

#include <gtest/gtest.h>

#include <filesystem>

#include <sys/stat.h>
#include <unistd.h>

#include "onggi/core/error.h"
#include "onggi/core/files.h"
#include "onggi/core/hash.h"

namespace onggi::server {
namespace {

using std::chrono::seconds;

BudgetTime at(seconds time) {
  return {.steady = std::chrono::steady_clock::time_point(time), .wall = std::chrono::system_clock::time_point(time)};
}

TEST(Budget, ARequestIsLetInAgainWhenTheBucketHasRefilled) {
  Budget budget({.requests_per_minute = 2});
  EXPECT_FALSE(budget.admit(at(seconds(0))));
  EXPECT_FALSE(budget.admit(at(seconds(0))));
  const auto over = budget.admit(at(seconds(0)));
  ASSERT_TRUE(over);
  EXPECT_EQ(over->limit, "requests_per_minute");
  EXPECT_EQ(over->retry_after_ms, 30'000);
  EXPECT_TRUE(budget.admit(at(seconds(29))));
  EXPECT_FALSE(budget.admit(at(seconds(31))));
  EXPECT_TRUE(budget.admit(at(seconds(31))));
}

TEST(Budget, TokensMayGoBelowZeroAndThenNothingIsLetIn) {
  Budget budget({.tokens_per_minute = 600});
  EXPECT_FALSE(budget.admit(at(seconds(0))));
  budget.charge(900, at(seconds(0)));
  const auto over = budget.admit(at(seconds(0)));
  ASSERT_TRUE(over);
  EXPECT_EQ(over->limit, "tokens_per_minute");
  EXPECT_EQ(over->retry_after_ms, 30'100);
  budget.charge(-400, at(seconds(0)));  // what was not used
  EXPECT_FALSE(budget.admit(at(seconds(0))));
  EXPECT_EQ(budget.tokens_today(at(seconds(0))), 500);
}

TEST(Budget, ADayEndsAtMidnight) {
  Budget budget({.tokens_per_day = 10});
  budget.charge(10, at(seconds(86'390)));
  const auto over = budget.admit(at(seconds(86'390)));
  ASSERT_TRUE(over);
  EXPECT_EQ(over->limit, "tokens_per_day");
  EXPECT_EQ(over->retry_after_ms, 10'000);
  EXPECT_FALSE(budget.admit(at(seconds(86'400))));
}

TEST(Budget, NewLimitsKeepWhatWasUsed) {
  Budget budget({.tokens_per_minute = 100, .tokens_per_day = 100});
  budget.charge(100, at(seconds(0)));
  budget.set_limits({.tokens_per_minute = 150, .tokens_per_day = 150});
  EXPECT_FALSE(budget.admit(at(seconds(0))));
  budget.charge(50, at(seconds(0)));
  EXPECT_TRUE(budget.admit(at(seconds(0))));
  budget.set_limits({});
  EXPECT_FALSE(budget.admit(at(seconds(0))));
}

std::string entry(const std::string& name, const std::string& key, const std::string& more = "") {
  return "  - {name: " + name + ", sha256: \"" + sha256_hex(key) + "\"" + more + "}\n";
}

TEST(Keys, YamlSaysWhatAKeyOpens) {
  const auto callers = parse_keys(
      "keys:\n" + entry("shop", "a") +
          entry("board", "b", ", scopes: [metrics], models: [themes], requests_per_minute: 5, tokens_per_day: 7"),
      "f", true, false);
  ASSERT_EQ(callers.size(), 2U);
  EXPECT_TRUE(callers[0].has(Scope::kInfer) && callers[0].has(Scope::kEmbed) && callers[0].has(Scope::kBatch));
  EXPECT_FALSE(callers[0].has(Scope::kAdmin) || callers[0].has(Scope::kMetrics));
  EXPECT_TRUE(callers[0].may_use("anything"));
  EXPECT_TRUE(callers[1].has(Scope::kAny) && callers[1].has(Scope::kMetrics));
  EXPECT_FALSE(callers[1].has(Scope::kInfer) || callers[1].may_use("base"));
  EXPECT_EQ(callers[1].limits.requests_per_minute, 5);
  EXPECT_EQ(callers[1].limits.tokens_per_day, 7);
}

TEST(Keys, WhatIsWrongIsNamedWithItsPlace) {
  const auto place = [](const std::string& text, bool is_yaml = true) {
    try {
      parse_keys(text, "f", is_yaml, false);
    } catch (const Error& e) {
      return e.where();
    }
    return std::string();
  };
  EXPECT_EQ(place("keys: 1\n"), "f:1:7");
  EXPECT_EQ(place("kesy: []\n"), "f:1:1");
  EXPECT_EQ(place("keys:\n" + entry("a b", "k")), "f:2:12");
  EXPECT_EQ(place("keys:\n  - {name: a, sha256: abc}\n"), "f:2:23");
  EXPECT_EQ(place("keys:\n" + entry("a", "k") + entry("a", "l")), "f:3:12");
  EXPECT_EQ(place("keys:\n" + entry("a", "k") + entry("b", "k")).substr(0, 4), "f:3:");
  EXPECT_EQ(place("keys:\n" + entry("a", "k", ",\n     scopes: [king]")), "f:3:15");
  EXPECT_EQ(place("keys:\n" + entry("a", "k", ",\n     tokens_per_day: 0")), "f:3:22");
  EXPECT_EQ(place("keys: []\n"), "f");
  EXPECT_EQ(place("plain\n# remark\nsha256:12\n", false), "f:3");
  EXPECT_EQ(place("# remark\n\n", false), "f");
}

class KeyRingTest : public testing::Test {
 protected:
  KeyRingTest() { std::filesystem::create_directories(folder_); }
  ~KeyRingTest() override { std::filesystem::remove_all(folder_); }
  std::string write(const std::string& name, const std::string& text, mode_t mode = 0600) const {
    const auto path = folder_ / name;
    write_file_atomic(path, text);
    chmod(path.c_str(), mode);
    return path.string();
  }
  const std::filesystem::path folder_ =
      std::filesystem::path(testing::TempDir()) / ("key_ring_test." + std::to_string(getpid()));
};

TEST_F(KeyRingTest, FindsCallersByTheirKeys) {
  const KeyRing keys({.path = write("keys", "# ours\nfirst\nsha256:" + sha256_hex("second") + "\r\n")});
  EXPECT_EQ(keys.size(), 2U);
  EXPECT_EQ(keys.find("first")->name, "line-2");
  EXPECT_EQ(keys.find("second")->name, "line-3");
  EXPECT_TRUE(keys.find("first")->has(Scope::kAdmin));
  EXPECT_EQ(keys.find("third"), nullptr);
  EXPECT_EQ(keys.find(""), nullptr);
}

TEST_F(KeyRingTest, KeysAsTheyAreMustNotBeOpenToEveryone) {
  EXPECT_THROW(KeyRing({.path = write("a", "plain\n", 0644)}), Error);
  const KeyRing hashed({.path = write("b", "sha256:" + sha256_hex("k") + "\n", 0644)});
  EXPECT_NE(hashed.warning(), "");
  const KeyRing closed({.path = write("c", "plain\n", 0640)});
  EXPECT_EQ(closed.warning(), "");
  EXPECT_THROW(KeyRing({.path = (folder_ / "absent").string()}), Error);
}

TEST_F(KeyRingTest, ReadsAnewAndKeepsBudgets) {
  const auto path = write("keys.yaml", "keys:\n" + entry("a", "old", ", requests_per_minute: 1"));
  KeyRing keys({.path = path});
  EXPECT_FALSE(keys.find("old")->budget->admit());
  EXPECT_TRUE(keys.find("old")->budget->admit());
  write("keys.yaml", "keys:\n" + entry("a", "new", ", requests_per_minute: 1") + entry("b", "other"));
  keys.reload();
  EXPECT_EQ(keys.find("old"), nullptr);
  EXPECT_TRUE(keys.find("new")->budget->admit());
  EXPECT_EQ(keys.find("other")->name, "b");
  write("keys.yaml", "keys: [");
  EXPECT_THROW(keys.reload(), Error);
  EXPECT_EQ(keys.find("other")->name, "b");
}

TEST(Keys, MadeKeysAreNeverTheSame) {
  EXPECT_NE(make_key(), make_key());
  EXPECT_EQ(make_key().size(), 70U);
}

}  // namespace
}  // namespace onggi::server
