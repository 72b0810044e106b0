#include "onggi/core/thread_pool.h"

#include <gtest/gtest.h>

#include <chrono>
#include <stdexcept>

#include "onggi/core/error.h"

namespace onggi {
namespace {

TEST(ThreadPool, RunsEveryTaskOnceWithAnyNumberOfThreads) {
  for (const int num_threads : {1, 2, 3, 8}) {
    ThreadPool pool(num_threads);
    EXPECT_EQ(pool.num_threads(), num_threads);
    for (const int num_tasks : {0, 1, 2, 3, 7, 64, 1000}) {
      std::vector<int> count(static_cast<std::size_t>(num_tasks));
      pool.run(num_tasks, [&](std::int64_t task, int worker) {
        EXPECT_GE(worker, 0);
        EXPECT_LT(worker, num_threads);
        ++count[static_cast<std::size_t>(task)];
      });
      EXPECT_EQ(count, std::vector<int>(static_cast<std::size_t>(num_tasks), 1)) << num_threads << " threads";
    }
  }
}

TEST(ThreadPool, WhatTasksWroteIsSeenByTheCallerAndTheNextRun) {
  ThreadPool pool(4);
  std::vector<std::int64_t> values(16, 0);
  for (int round = 1; round <= 2000; ++round) {
    pool.run(16, [&](std::int64_t task, int) { values[static_cast<std::size_t>(15 - task)] += task; });
    ASSERT_EQ(values[0], 15 * round);
    ASSERT_EQ(values[14], round);
  }
}

TEST(ThreadPool, WorkersThatSleptWakeForTheNextRun) {
  ThreadPool pool(2);
  for (int round = 0; round < 20; ++round) {
    std::atomic<int> count = 0;
    pool.run(8, [&](std::int64_t, int) { ++count; });
    EXPECT_EQ(count, 8);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));  // Longer than any spin.
  }
}

TEST(ThreadPool, AWorkerIdIsNeverUsedByTwoTasksAtATime) {
  ThreadPool pool(4);
  std::vector<std::atomic<int>> in_use(4);
  for (int round = 0; round < 200; ++round) {
    pool.run(20, [&](std::int64_t, int worker) {
      EXPECT_EQ(in_use[static_cast<std::size_t>(worker)].fetch_add(1), 0);
      in_use[static_cast<std::size_t>(worker)].fetch_sub(1);
    });
  }
}

TEST(ThreadPool, RethrowsATasksExceptionAndStaysUsable) {
  for (const int num_threads : {1, 3}) {
    ThreadPool pool(num_threads);
    for (int round = 0; round < 50; ++round) {
      const auto failing = [](std::int64_t task, int) {
        if (task == 5) throw Error(ErrorCode::kExhausted, "task 5");
      };
      EXPECT_THROW(pool.run(10, failing), Error);
      std::atomic<int> count = 0;
      pool.run(10, [&](std::int64_t, int) { ++count; });
      EXPECT_EQ(count, 10);
    }
  }
}

TEST(ThreadPool, RefusesMoreTasksThanItCanCount) {
  ThreadPool pool(2);
  EXPECT_THROW(pool.run(std::int64_t{1} << 31, [](std::int64_t, int) {}), Error);
}

TEST(ThreadPool, ZeroThreadsMeansAllCores) {
  EXPECT_EQ(ThreadPool(0).num_threads(), num_available_cores());
  EXPECT_GE(num_available_cores(), 1);
}

TEST(ThreadPool, ManyPoolsStartAndStopWithoutWork) {
  for (int i = 0; i < 100; ++i) ThreadPool pool(3);
}

}  // namespace
}  // namespace onggi
