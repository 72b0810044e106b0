#include "onggi/text/merge_table.h"

#include <gtest/gtest.h>

#include "onggi/core/random.h"

namespace onggi::text {
namespace {

TEST(MergeTable, LowestRankFirstOfEqualOnesTheLeftmost) {
  MergeTable table;
  table.add(1, 1, 5, 2);
  table.add(2, 1, 5, 3);
  table.add(1, 2, 4, 4);
  table.add(1, 1, 0, 9);  // Known already.
  std::vector<int> symbols{1, 1, 1, 1, 1};
  table.merge(symbols);
  EXPECT_EQ(symbols, (std::vector<int>{3, 2}));
  symbols = {-1, 1, -1};
  table.merge(symbols);
  EXPECT_EQ(symbols, (std::vector<int>{-1, 1, -1}));
  symbols.clear();
  table.merge(symbols);
  EXPECT_TRUE(symbols.empty());
}

TEST(MergeTable, QueueAndScanAgreeOnRandomInput) {
  constexpr std::uint64_t kSeed = 20261127;
  for (std::uint64_t trial = 0; trial < 200; ++trial) {
    MergeTable table;
    std::uint64_t i = 0;
    const auto random = [&](std::uint64_t bound) { return static_cast<int>(uniform_int(kSeed, trial, i++, bound)); };
    const int merges = 1 + random(60);
    for (int m = 0; m < merges; ++m) table.add(random(12), random(12), static_cast<std::uint32_t>(random(20)), random(12));
    std::vector<int> symbols(static_cast<std::size_t>(random(300)));
    for (int& s : symbols) s = random(13) - 1;
    std::vector<int> by_scan = symbols;
    std::vector<int> by_queue = symbols;
    std::vector<int> by_either = symbols;
    table.merge_by_scan(by_scan);
    table.merge_by_queue(by_queue);
    table.merge(by_either);
    ASSERT_EQ(by_scan, by_queue) << "seed " << kSeed << " trial " << trial;
    ASSERT_EQ(by_scan, by_either);
  }
}

}  // namespace
}  // namespace onggi::text
