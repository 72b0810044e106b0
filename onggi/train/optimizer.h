#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "onggi/core/thread_pool.h"
#include "onggi/nn/parameter.h"

namespace onggi::train {

struct AdamWOptions {
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0.0;  ///< For parameters with `decay`; others get none.
};

/// AdamW in torch's order of operations (Loshchilov and Hutter 2019, arXiv:1711.05101), state in f32:
///   p *= 1 - lr wd;  m += (1-b1) (g - m);  v = b2 v + (1-b2) g g;
///   p -= lr / (1-b1^t) * m / (sqrt(v) / sqrt(1-b2^t) + epsilon)
/// Element by element, so the result is the same bits with any number of threads. Confined to one thread.
class AdamW {
 public:
  /// The parameters must outlive the optimiser and keep their order and sizes. Throws kInvalidArgument on options out
  /// of range, or no parameter at all.
  AdamW(std::vector<nn::Parameter*> parameters, AdamWOptions options);

  /// One update from the gradients, which stay. Throws kInvalidArgument if a gradient is missing. `pool` may be null.
  void step(double learning_rate, ThreadPool* pool = nullptr);

  /// Updates made so far; 1 during the first one. Set together with the moments when a run is resumed.
  std::int64_t num_updates() const { return num_updates_; }
  void set_num_updates(std::int64_t updates) { num_updates_ = updates; }

  std::span<nn::Parameter* const> parameters() const { return parameters_; }
  /// One vector for each parameter, as long as its value. First and second moment.
  std::vector<std::vector<float>>& first_moments() { return first_; }
  std::vector<std::vector<float>>& second_moments() { return second_; }
  const std::vector<std::vector<float>>& first_moments() const { return first_; }
  const std::vector<std::vector<float>>& second_moments() const { return second_; }

 private:
  std::vector<nn::Parameter*> parameters_;
  AdamWOptions options_;
  std::vector<std::vector<float>> first_;
  std::vector<std::vector<float>> second_;
  std::int64_t num_updates_ = 0;
};

/// L2 norm over all gradients, summed in f64 over fixed pieces in their order: the same bits with any thread count.
/// Throws kInvalidArgument, naming the tensor and how many of its values, if a gradient is NaN or infinite.
double gradient_norm(std::span<nn::Parameter* const> parameters, ThreadPool* pool = nullptr);

/// Scales all gradients by min(1, max_norm / (norm + 1e-6)), as torch's clip_grad_norm_; max_norm 0 does not scale.
/// Returns the norm before scaling. Throws as `gradient_norm`.
double clip_gradients(std::span<nn::Parameter* const> parameters, double max_norm, ThreadPool* pool = nullptr);

}  // namespace onggi::train
