#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

namespace onggi {

/// Fixed set of workers for data-parallel loops. Tasks must write disjoint outputs, and the split into tasks must come
/// from shapes alone, so that results are the same bits with any number of threads. `run` is for one caller at a time
/// and not for use inside a task. Why workers spin a little before they sleep: docs/decisions/0003-short-spin.md.
class ThreadPool {
 public:
  /// `num_threads` counts the caller; 0 means all cores that this process may use.
  explicit ThreadPool(int num_threads = 0);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int num_threads() const { return static_cast<int>(workers_.size()) + 1; }

  /// Calls task(i, worker) once for each i in [0, num_tasks), on all threads; returns when all are done. `worker` is in
  /// [0, num_threads()) and selects scratch memory only. The first exception is rethrown here; tasks not yet begun by
  /// then are left out. Throws kInvalidArgument if num_tasks is not below 2^31.
  void run(std::int64_t num_tasks, const std::function<void(std::int64_t task, int worker)>& task);

 private:
  void work(const std::stop_token& stop, int worker);
  void drain(int worker);
  template <class Ready>
  bool spin_until(Ready ready) const;

  // What one run is about: written by the caller before `unclaimed_`, read by a worker only while it holds a claim.
  const std::function<void(std::int64_t, int)>* task_ = nullptr;
  std::int32_t num_tasks_ = 0;

  alignas(64) std::atomic<std::int32_t> unclaimed_ = 0;   ///< Tasks that nobody has begun; below 0 means the same as 0.
  alignas(64) std::atomic<std::int32_t> unfinished_ = 0;  ///< Tasks not yet done; the caller waits for 0.
  alignas(64) std::atomic<std::uint32_t> generation_ = 0;  ///< Counts runs; sleeping workers wait for a change.
  std::atomic<bool> has_failed_ = false;
  std::mutex failure_mutex_;
  std::exception_ptr failure_;
  bool is_spinning_ = false;
  std::vector<std::jthread> workers_;
};

/// Cores in this process's affinity mask.
int num_available_cores();

}  // namespace onggi
