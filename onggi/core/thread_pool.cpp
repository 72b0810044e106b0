#include "onggi/core/thread_pool.h"

#include <algorithm>
#include <utility>

#include <sched.h>

namespace onggi {

int num_available_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) == 0) return std::max(1, CPU_COUNT(&set));
  return std::max(1U, std::thread::hardware_concurrency());
}

ThreadPool::ThreadPool(int num_threads) {
  const int count = num_threads > 0 ? num_threads : num_available_cores();
  for (int i = 1; i < count; ++i) {
    workers_.emplace_back([this, i](const std::stop_token& stop) { work(stop, i); });
  }
}

ThreadPool::~ThreadPool() {
  for (auto& worker : workers_) worker.request_stop();
}

void ThreadPool::run(std::int64_t num_tasks, const std::function<void(std::int64_t, int)>& task) {
  if (num_tasks <= 0) return;
  if (num_tasks == 1 || workers_.empty()) {
    for (std::int64_t i = 0; i < num_tasks; ++i) task(i, 0);
    return;
  }
  {
    const std::scoped_lock lock(mutex_);
    task_ = &task;
    next_ = 0;
    end_ = num_tasks;
    busy_ = static_cast<int>(workers_.size());
    failure_ = nullptr;
    ++generation_;
  }
  wake_.notify_all();
  drain(0);
  std::unique_lock lock(mutex_);
  done_.wait(lock, [this] { return busy_ == 0; });
  task_ = nullptr;
  if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

void ThreadPool::drain(int worker) {
  std::unique_lock lock(mutex_);
  while (next_ < end_) {
    const std::int64_t mine = next_++;
    lock.unlock();
    try {
      (*task_)(mine, worker);
      lock.lock();
    } catch (...) {
      lock.lock();
      if (!failure_) failure_ = std::current_exception();
      next_ = end_;
    }
  }
}

void ThreadPool::work(const std::stop_token& stop, int worker) {
  std::int64_t seen = 0;
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      if (!wake_.wait(lock, stop, [&] { return generation_ != seen; })) return;
      seen = generation_;
    }
    drain(worker);
    {
      const std::scoped_lock lock(mutex_);
      if (--busy_ > 0) continue;
    }
    done_.notify_one();
  }
}

}  // namespace onggi
