#include "onggi/server/batch/payer.h"

#include <gtest/gtest.h>

#include <filesystem>

#include <unistd.h>

#include "onggi/core/files.h"
#include "onggi/core/hash.h"

namespace onggi::server {
namespace {

class PayerTest : public ::testing::Test {
 protected:
  ~PayerTest() override { std::filesystem::remove(path_); }
  static std::string entry(const std::string& name, const std::string& more) {
    return "  - {name: " + name + ", sha256: \"" + sha256_hex(name) + "\"" + more + "}\n";
  }
  void write(const std::string& entries) const { write_file_atomic(path_, "keys:\n" + entries); }

  const std::string path_ =
      (std::filesystem::temp_directory_path() / ("onggi-payer-" + std::to_string(::getpid()) + ".yaml")).string();
};

TEST_F(PayerTest, LinesOfNobodyCostNobody) {
  write(entry("shop", ""));
  const KeyRing keys({.path = path_});
  for (const auto& payer : {payer_of(nullptr, "shop"), payer_of(nullptr, ""), payer_of(&keys, "")}) {
    EXPECT_EQ(payer.caller, nullptr);
    EXPECT_EQ(payer.obstacle, "");
  }
}

TEST_F(PayerTest, LinesWaitWhileTheBudgetIsUsedUpAndCountNoRequests) {
  write(entry("shop", ", requests_per_minute: 1, tokens_per_minute: 600") + entry("board", ", tokens_per_day: 5"));
  KeyRing keys({.path = path_});
  for (int i = 0; i < 3; ++i) EXPECT_EQ(payer_of(&keys, "shop").obstacle, "");
  EXPECT_FALSE(keys.find_name("shop")->budget->admit());
  payer_of(&keys, "shop").caller->budget->charge(900);
  const Payer payer = payer_of(&keys, "shop");
  EXPECT_NE(payer.obstacle.find("tokens_per_minute"), std::string::npos);
  EXPECT_GT(payer.retry_after_ms, 20'000);
  EXPECT_LE(payer.retry_after_ms, 30'100);
  EXPECT_EQ(payer_of(&keys, "board").obstacle, "");
  payer.caller->budget->charge(-800);  // What was not used.
  EXPECT_EQ(payer_of(&keys, "shop").obstacle, "");
  keys.find_name("board")->budget->charge(5);
  EXPECT_NE(payer_of(&keys, "board").obstacle.find("tokens_per_day"), std::string::npos);
  write(entry("board", ", tokens_per_day: 6"));
  keys.reload();
  EXPECT_EQ(payer_of(&keys, "board").obstacle, "");
}

TEST_F(PayerTest, LinesWaitForAKeyThatIsGone) {
  write(entry("shop", "") + entry("board", ""));
  KeyRing keys({.path = path_});
  EXPECT_EQ(payer_of(&keys, "shop").caller->name, "shop");
  write(entry("board", ", scopes: [infer]"));
  keys.reload();
  for (const char* name : {"shop", "board"}) {
    const Payer payer = payer_of(&keys, name);
    EXPECT_NE(payer.obstacle.find(name), std::string::npos);
    EXPECT_EQ(payer.retry_after_ms, 0);
  }
  write(entry("shop", "") + entry("board", ""));
  keys.reload();
  for (const char* name : {"shop", "board"}) EXPECT_EQ(payer_of(&keys, name).obstacle, "");
}

}  // namespace
}  // namespace onggi::server
