#include "onggi/core/thread_pool.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <utility>

#include <sched.h>

#include "onggi/core/error.h"

namespace onggi {
namespace {

// Longer than the serial gap between two parallel regions of a decode step, shorter than anybody could notice. Measured
// in docs/decisions/0003-short-spin.md.
constexpr auto kSpin = std::chrono::microseconds(50);
constexpr int kMaxThreads = 1024;

void pause_core() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#else
  std::this_thread::yield();
#endif
}

}  // namespace

int num_available_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) == 0) return std::max(1, CPU_COUNT(&set));
  return std::max(1U, std::thread::hardware_concurrency());
}

ThreadPool::ThreadPool(int num_threads) {
  require(num_threads >= 0 && num_threads <= kMaxThreads, [&] {
    return "threads is " + std::to_string(num_threads) + ", expected 0 (all cores) to " + std::to_string(kMaxThreads);
  });
  const int num_cores = num_available_cores();
  const int count = num_threads > 0 ? num_threads : num_cores;
  // With more threads than cores a spinning thread would hold up the one that it waits for.
  is_spinning_ = count <= num_cores;
  for (int i = 1; i < count; ++i) {
    workers_.emplace_back([this, i](const std::stop_token& stop) { work(stop, i); });
  }
}

ThreadPool::~ThreadPool() {
  for (auto& worker : workers_) worker.request_stop();
  generation_.fetch_add(1, std::memory_order_release);
  generation_.notify_all();
}

void ThreadPool::run(std::int64_t num_tasks, const std::function<void(std::int64_t, int)>& task) {
  if (num_tasks <= 0) return;
  if (num_tasks == 1 || workers_.empty()) {
    for (std::int64_t i = 0; i < num_tasks; ++i) task(i, 0);
    return;
  }
  require(num_tasks <= std::numeric_limits<std::int32_t>::max(), "a parallel loop has 2^31 tasks or more");
  task_ = &task;
  num_tasks_ = static_cast<std::int32_t>(num_tasks);
  has_failed_.store(false, std::memory_order_relaxed);
  unfinished_.store(num_tasks_, std::memory_order_relaxed);
  unclaimed_.store(num_tasks_, std::memory_order_release);
  generation_.fetch_add(1, std::memory_order_release);
  generation_.notify_all();

  drain(0);
  const auto is_done = [this] { return unfinished_.load(std::memory_order_acquire) == 0; };
  if (!spin_until(is_done)) {
    for (std::int32_t left = unfinished_.load(std::memory_order_acquire); left != 0;
         left = unfinished_.load(std::memory_order_acquire)) {
      unfinished_.wait(left, std::memory_order_acquire);
    }
  }
  if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

void ThreadPool::drain(int worker) {
  for (;;) {
    // A late worker may claim a task of a newer run than the one that woke it: the claim itself makes that run's fields
    // visible, and the run can't end before the claim is worked off.
    const std::int32_t left = unclaimed_.fetch_sub(1, std::memory_order_acquire);
    if (left <= 0) return;
    if (!has_failed_.load(std::memory_order_relaxed)) {
      try {
        (*task_)(num_tasks_ - left, worker);
      } catch (...) {
        const std::scoped_lock lock(failure_mutex_);
        if (!failure_) failure_ = std::current_exception();
        has_failed_.store(true, std::memory_order_relaxed);
      }
    }
    if (unfinished_.fetch_sub(1, std::memory_order_acq_rel) == 1 && worker != 0) unfinished_.notify_one();
  }
}

void ThreadPool::work(const std::stop_token& stop, int worker) {
  std::uint32_t seen = 0;
  for (;;) {
    const auto has_changed = [&] { return generation_.load(std::memory_order_acquire) != seen; };
    if (!spin_until(has_changed)) generation_.wait(seen, std::memory_order_acquire);
    seen = generation_.load(std::memory_order_acquire);
    if (stop.stop_requested()) return;
    drain(worker);
  }
}

/// True once `ready` holds; false if it does not within the spin.
template <class Ready>
bool ThreadPool::spin_until(Ready ready) const {
  if (!is_spinning_) return ready();
  const auto give_up = std::chrono::steady_clock::now() + kSpin;
  do {
    for (int i = 0; i < 16; ++i) {
      if (ready()) return true;
      pause_core();
    }
  } while (std::chrono::steady_clock::now() < give_up);
  return ready();
}

}  // namespace onggi
