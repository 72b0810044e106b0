#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace onggi::cluster {

/// Rows of f32 vectors, row-major.
struct Vectors {
  std::int64_t num_rows = 0;
  std::int64_t dimensions = 0;
  std::vector<float> values;  ///< [num_rows, dimensions]

  std::span<const float> row(std::int64_t i) const {
    return std::span(values).subspan(static_cast<std::size_t>(i * dimensions), static_cast<std::size_t>(dimensions));
  }
  std::span<float> row(std::int64_t i) {
    return std::span(values).subspan(static_cast<std::size_t>(i * dimensions), static_cast<std::size_t>(dimensions));
  }
};

/// These rows, in this order.
Vectors take_rows(const Vectors& vectors, std::span<const std::int32_t> rows);

/// At most `count` of [0, num_rows), ascending, drawn at random but the same ones each time: rows in a file often come
/// in turns, which even steps would fall in with.
std::vector<std::int32_t> sample_rows(std::int64_t num_rows, std::int64_t count);

/// Sum of squared differences in double, in 8 lanes by index and a fixed tree: the same bits everywhere.
double squared_distance(std::span<const float> a, std::span<const float> b);
/// The same for a point of double values.
double squared_distance(std::span<const float> a, std::span<const double> b);

}  // namespace onggi::cluster
