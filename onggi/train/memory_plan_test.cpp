#include "onggi/train/memory_plan.h"

#include <fstream>
#include <limits>

#include <gtest/gtest.h>
#include <unistd.h>

#include "onggi/core/error.h"

namespace onggi::train {
namespace {

namespace fs = std::filesystem;

MemoryPlanInput gemma_270m() {
  return {.hidden = 640,
          .ff = 2048,
          .num_layers = 18,
          .num_heads = 4,
          .num_kv_heads = 1,
          .head_dim = 256,
          .vocab = 262144,
          .weight_bytes = 240 << 20,
          .trainable_parameters = 3'796'992,
          .tokens = 1024,
          .supervised = 200,
          .lora_rank = 16};
}

std::int64_t bytes_of(const MemoryPlan& plan, std::string_view name) {
  for (const MemoryItem& item : plan.items) {
    if (item.name == name) return item.bytes;
  }
  return 0;
}

TEST(MemoryPlan, TotalIsTheSumAndTheTableShowsEveryItem) {
  const auto plan = plan_memory(gemma_270m());
  std::int64_t sum = 0;
  for (const MemoryItem& item : plan.items) {
    sum += item.bytes;
    EXPECT_NE(plan.table().find(item.name), std::string::npos);
  }
  EXPECT_EQ(sum, plan.total_bytes);
  EXPECT_NE(plan.table().find("total"), std::string::npos);
  EXPECT_EQ(bytes_of(plan, "optimiser moments"), 2 * 4 * 3'796'992);
  EXPECT_EQ(bytes_of(plan, "head logits"), 128 * 262144 * 4);
}

TEST(MemoryPlan, LoraParametersOfGemma270m) {
  // Rank 16 on q [1024,640], k and v [256,640], o [640,1024], gate and up [2048,640], down [640,2048], 18 layers.
  EXPECT_EQ(lora_parameters(gemma_270m(), 16), 18 * 16 * (1664 + 896 + 896 + 1664 + 3 * 2688));
}

TEST(MemoryPlan, GrowsWithTokensAndShrinksWithRecomputation) {
  auto input = gemma_270m();
  const auto plain = plan_memory(input).total_bytes;
  input.recompute = true;
  const auto recomputed = plan_memory(input).total_bytes;
  EXPECT_LT(recomputed, plain);
  input.tokens *= 2;
  EXPECT_GT(plan_memory(input).total_bytes, recomputed);
}

TEST(MemoryPlan, RefusesAbsurdSizes) {
  auto input = gemma_270m();
  input.hidden = std::int64_t{1} << 40;
  EXPECT_THROW(plan_memory(input), Error);
  input = gemma_270m();
  input.tokens = -1;
  EXPECT_THROW(plan_memory(input), Error);
}

TEST(MemoryPlan, RefusalNamesTheLargestItemAndTheWayOut) {
  struct Case {
    std::int64_t weight_bytes, parameters, rank, tokens;
    bool recompute;
    const char* advice;
  };
  const Case cases[] = {{std::int64_t{30} << 30, 100, 16, 100, false, "--base-type nf4"},
                        {100, std::int64_t{10} << 30, 0, 100, false, "--method lora"},
                        {100, std::int64_t{10} << 30, 4096, 100, false, "--rank"},
                        {100, 100, 16, 1 << 20, false, "--recompute"},
                        {100, 100, 16, 1 << 20, true, "--max-tokens"}};
  for (const Case& c : cases) {
    auto input = gemma_270m();
    input.weight_bytes = c.weight_bytes;
    input.trainable_parameters = c.parameters;
    input.lora_rank = c.rank;
    input.tokens = c.tokens;
    input.supervised = 100;
    input.recompute = c.recompute;
    try {
      require_fits(plan_memory(input), input, std::int64_t{1} << 30);
      ADD_FAILURE() << c.advice;
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ErrorCode::kExhausted);
      EXPECT_NE(e.message().find(c.advice), std::string::npos) << e.message();
      EXPECT_NE(e.message().find("total"), std::string::npos);
    }
  }
  require_fits(plan_memory(gemma_270m()), gemma_270m(), std::int64_t{8} << 30);
}

class AvailableMemory : public ::testing::Test {
 protected:
  AvailableMemory() : root_(fs::path(::testing::TempDir()) / ("onggi_memory_" + std::to_string(::getpid()))) {
    fs::remove_all(root_);
  }
  ~AvailableMemory() override { fs::remove_all(root_); }
  void put(const char* path, const char* text) {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text;
  }
  fs::path root_;
};

TEST_F(AvailableMemory, IsTheSmallerOfMachineAndCgroup) {
  EXPECT_EQ(available_memory_bytes(root_), std::numeric_limits<std::int64_t>::max());
  put("proc/meminfo", "MemTotal: 2000 kB\nMemAvailable:    1000 kB\n");
  EXPECT_EQ(available_memory_bytes(root_), 1'024'000);
  put("proc/self/cgroup", "0::/a/b\n");
  put("sys/fs/cgroup/a/b/memory.max", "max\n");
  put("sys/fs/cgroup/a/b/memory.current", "100\n");
  EXPECT_EQ(available_memory_bytes(root_), 1'024'000);
  put("sys/fs/cgroup/a/memory.max", "5000\n");  // the one above binds too
  put("sys/fs/cgroup/a/memory.current", "1500\n");
  EXPECT_EQ(available_memory_bytes(root_), 3500);
  put("sys/fs/cgroup/a/b/memory.max", "90\n");
  EXPECT_EQ(available_memory_bytes(root_), 0);
}

TEST_F(AvailableMemory, ReadsTheOldCgroupFiles) {
  put("proc/meminfo", "MemAvailable: 1000 kB\n");
  put("proc/self/cgroup", "12:cpu:/x\n4:memory:/docker/abc\n");
  put("sys/fs/cgroup/memory/memory.limit_in_bytes", "9000\n");
  put("sys/fs/cgroup/memory/memory.usage_in_bytes", "1000\n");
  EXPECT_EQ(available_memory_bytes(root_), 8000);
}

TEST(AvailableMemoryHere, IsSomething) { EXPECT_GT(available_memory_bytes(), 0); }

}  // namespace
}  // namespace onggi::train
