#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include "onggi/core/error.h"
#include "onggi/kernels/kernels.h"

namespace onggi::decode {

/// Sums of exp((logit - highest) * scale) over blocks of a row of logits: what a softmax and a draw from it need.
class ExpSums {
 public:
  static constexpr std::int64_t kBlock = 256;

  /// `highest` is the greatest of the logits.
  ExpSums(std::span<const float> logits, float highest, float scale)
      : logits_(logits), highest_(highest), scale_(scale) {
    sums_.reserve(logits.size() / kBlock + 1);
    for (std::int64_t begin = 0; begin < std::ssize(logits); begin += kBlock) {
      sums_.push_back(kernels::kernels().sum_exp_below(logits.data() + begin, count_from(begin), highest, scale));
      total_ += static_cast<double>(sums_.back());
    }
  }

  /// NaN where a logit is.
  double total() const { return total_; }
  /// The index that share `u` in [0, 1) of the sum falls on; never one that adds nothing.
  std::size_t index_at(double u) const;

 private:
  std::int64_t count_from(std::int64_t begin) const { return std::min(kBlock, std::ssize(logits_) - begin); }

  std::span<const float> logits_;
  float highest_, scale_;
  std::vector<float> sums_;
  double total_ = 0.0;
};

/// Log-probabilities of a row of logits. The sum has a fixed order: a token has the same bits whether it was drawn, is
/// an alternative or stands in a prompt.
class LogSoftmax {
 public:
  explicit LogSoftmax(std::span<const float> logits)
      : LogSoftmax(logits, kernels::kernels().highest(logits.data(), std::ssize(logits))) {}
  /// `highest` is the greatest of the logits. Throws where one is NaN, or none is finite.
  LogSoftmax(std::span<const float> logits, float highest) : LogSoftmax(ExpSums(logits, highest, 1.0F), highest) {}
  /// `sums` of scale 1.
  LogSoftmax(const ExpSums& sums, float highest) : highest_(static_cast<double>(highest)) {
    require(std::isfinite(sums.total()), "a logit is not finite");
    log_sum_ = std::log(sums.total());
  }

  float of(float logit) const { return static_cast<float>(static_cast<double>(logit) - highest_ - log_sum_); }

 private:
  double highest_ = 0.0;
  double log_sum_ = 0.0;
};

/// Indices of the `count` greatest logits (all, if there are fewer), greatest first, the lower index first of equals.
/// None may be NaN.
std::vector<std::size_t> likeliest_indices(std::span<const float> logits, std::size_t count);

}  // namespace onggi::decode
