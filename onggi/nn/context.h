#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <new>
#include <vector>

#include "onggi/core/thread_pool.h"
#include "onggi/kernels/kernels.h"

namespace onggi::nn {

/// Growing f32 buffer, 64-byte aligned, with kPanelColumns readable floats past its end (panels may over-read).
/// Growing keeps no content.
class FloatBuffer {
 public:
  /// At least `count` floats; content is unspecified unless the size did not grow.
  float* resize(std::int64_t count) {
    if (count > capacity_) {
      const auto padded = static_cast<std::size_t>(count + 2 * kernels::kPanelColumns);
      data_.reset(static_cast<float*>(::operator new(padded * sizeof(float), std::align_val_t{64})));
      capacity_ = count;
      for (std::size_t i = 0; i < padded; ++i) data_[i] = 0.0F;
    }
    return data_.get();
  }
  float* data() { return data_.get(); }
  const float* data() const { return data_.get(); }
  std::int64_t capacity() const { return capacity_; }

 private:
  struct Free {
    void operator()(float* p) const { ::operator delete(p, std::align_val_t{64}); }
  };
  std::unique_ptr<float[], Free> data_;
  std::int64_t capacity_ = 0;
};

/// What every computation needs: threads, a kernel table, scratch memory. Used by one thread at a time.
class Context {
 public:
  explicit Context(ThreadPool& pool, const kernels::Kernels& table = kernels::kernels())
      : pool_(pool), kernels_(table), scratch_(static_cast<std::size_t>(pool.num_threads())) {}

  const kernels::Kernels& kernels() const { return kernels_; }
  ThreadPool& pool() { return pool_; }

  /// A worker's scratch memory number `slot`, at least `count` floats; valid until the same slot is asked for again.
  float* scratch(int worker, int slot, std::int64_t count) {
    return scratch_[static_cast<std::size_t>(worker)].slots[slot].resize(count);
  }

  /// task(begin, end, worker) over [0, count) in pieces of `grain`.
  void parallel_for(std::int64_t count, std::int64_t grain,
                    const std::function<void(std::int64_t begin, std::int64_t end, int worker)>& task) {
    if (count <= grain) {
      if (count > 0) task(0, count, 0);
      return;
    }
    pool_.run((count + grain - 1) / grain, [&](std::int64_t i, int worker) {
      task(i * grain, std::min(count, (i + 1) * grain), worker);
    });
  }

 private:
  static constexpr int kSlots = 8;
  struct Scratch {
    FloatBuffer slots[kSlots];
  };
  ThreadPool& pool_;
  const kernels::Kernels& kernels_;
  std::vector<Scratch> scratch_;
};

}  // namespace onggi::nn
