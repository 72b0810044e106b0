#pragma once

#include <cstdint>
#include <cstring>
#include <span>

#include "onggi/nn/context.h"

namespace onggi::models {

/// Rows `tokens` of x [T, width], one after the other.
inline float* gather_rows(const float* x, std::span<const std::int64_t> tokens, std::int64_t width, nn::FloatBuffer& out) {
  float* rows = out.resize(static_cast<std::int64_t>(tokens.size()) * width);
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    std::memcpy(rows + static_cast<std::int64_t>(i) * width, x + tokens[i] * width, static_cast<std::size_t>(width) * sizeof(float));
  }
  return rows;
}

/// The inverse; other rows of y stay as they are.
inline void scatter_rows(const float* rows, std::span<const std::int64_t> tokens, std::int64_t width, float* y) {
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    std::memcpy(y + tokens[i] * width, rows + static_cast<std::int64_t>(i) * width, static_cast<std::size_t>(width) * sizeof(float));
  }
}

}  // namespace onggi::models
