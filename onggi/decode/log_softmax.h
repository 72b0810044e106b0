#pragma once

#include <cmath>
#include <span>

#include "onggi/core/error.h"

namespace onggi::decode {

/// Log-probabilities of a row of logits. The sum runs in double, by index: a token has the same bits whether it was
/// drawn, is an alternative or stands in a prompt.
class LogSoftmax {
 public:
  /// `highest` is the greatest of the logits. Throws where the sum is not finite.
  LogSoftmax(std::span<const float> logits, float highest) : highest_(static_cast<double>(highest)) {
    double sum = 0.0;
    for (const float logit : logits) sum += std::exp(static_cast<double>(logit) - highest_);
    require(std::isfinite(sum), "a logit is not finite");
    log_sum_ = std::log(sum);
  }

  float of(float logit) const { return static_cast<float>(static_cast<double>(logit) - highest_ - log_sum_); }

 private:
  double highest_ = 0.0;
  double log_sum_ = 0.0;
};

}  // namespace onggi::decode
