#include "onggi/nn/rope.h"

#include <cmath>
#include <numbers>

namespace onggi::nn {
namespace {

float inverse_frequency(const RopeConfig& c, int k, int head_dim) {
  float f = static_cast<float>(1.0 / std::pow(static_cast<double>(c.base), 2.0 * k / head_dim));
  f /= c.linear_factor;
  if (!c.factors.empty()) f /= c.factors[static_cast<std::size_t>(k)];
  if (c.llama3_factor == 1.0F) return f;
  const float wavelength = 2.0F * std::numbers::pi_v<float> / f;
  if (wavelength < c.llama3_original_length / c.llama3_high) return f;
  if (wavelength > c.llama3_original_length / c.llama3_low) return f / c.llama3_factor;
  const float s = (c.llama3_original_length / wavelength - c.llama3_low) / (c.llama3_high - c.llama3_low);
  return (1.0F - s) * f / c.llama3_factor + s * f;
}

}  // namespace

RopeTable::RopeTable(const RopeConfig& config, int head_dim, int max_positions)
    : half_(head_dim / 2), max_positions_(max_positions) {
  const auto size = static_cast<std::size_t>(half_) * static_cast<std::size_t>(max_positions);
  cos_.resize(size);
  sin_.resize(size);
  for (int k = 0; k < half_; ++k) {
    const float f = inverse_frequency(config, k, head_dim);
    for (int p = 0; p < max_positions; ++p) {
      const float angle = static_cast<float>(p) * f;
      const auto at = static_cast<std::size_t>(p) * static_cast<std::size_t>(half_) + static_cast<std::size_t>(k);
      cos_[at] = static_cast<float>(std::cos(static_cast<double>(angle)));
      sin_[at] = static_cast<float>(std::sin(static_cast<double>(angle)));
    }
  }
}

void RopeTable::rotate(float* head, int position, float direction) const {
  const float* c = cos_.data() + static_cast<std::ptrdiff_t>(position) * half_;
  const float* s = sin_.data() + static_cast<std::ptrdiff_t>(position) * half_;
  for (int k = 0; k < half_; ++k) {
    const float a = head[k];
    const float b = head[k + half_];
    const float sine = direction * s[k];
    head[k] = a * c[k] - b * sine;
    head[k + half_] = b * c[k] + a * sine;
  }
}

}  // namespace onggi::nn
