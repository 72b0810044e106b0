#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

namespace onggi {

/// Fixed set of workers for data-parallel loops. Tasks must write disjoint outputs, and the split into tasks must come
/// from shapes alone, so that results are the same bits with any number of threads. `run` is for one caller at a time.
class ThreadPool {
 public:
  /// `num_threads` counts the caller; 0 means all cores that this process may use.
  explicit ThreadPool(int num_threads = 0);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int num_threads() const { return static_cast<int>(workers_.size()) + 1; }

  /// Calls task(i, worker) once for each i in [0, num_tasks), on all threads; returns when all are done. `worker` is in
  /// [0, num_threads()) and selects scratch memory only. The first exception is rethrown here.
  void run(std::int64_t num_tasks, const std::function<void(std::int64_t task, int worker)>& task);

 private:
  void work(const std::stop_token& stop, int worker);
  void drain(int worker);

  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::condition_variable done_;
  const std::function<void(std::int64_t, int)>* task_ = nullptr;
  std::int64_t next_ = 0;
  std::int64_t end_ = 0;
  std::int64_t generation_ = 0;
  int busy_ = 0;
  std::exception_ptr failure_;
  std::vector<std::jthread> workers_;
};

/// Cores in this process's affinity mask.
int num_available_cores();

}  // namespace onggi
