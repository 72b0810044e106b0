#include "onggi/cluster/points.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <utility>

#include "onggi/core/error.h"
#include "onggi/kernels/kernels.h"

namespace onggi::cluster {
namespace {

constexpr std::int64_t kPanelsPerTask = 64;

}  // namespace

Panels::Panels(std::span<const float> values, std::int64_t num_columns, std::int64_t dimensions)
    : num_columns_(num_columns), dimensions_(dimensions) {
  values_.assign(static_cast<std::size_t>(num_panels() * dimensions * kWidth), 0.0F);
  for (std::int64_t c = 0; c < num_columns; ++c) {
    float* out = values_.data() + c / kWidth * dimensions * kWidth + c % kWidth;
    const float* in = values.data() + c * dimensions;
    for (std::int64_t d = 0; d < dimensions; ++d) out[d * kWidth] = in[d];
  }
}

void Panels::dots(const float* rows, std::int64_t num_rows, std::int64_t first, std::int64_t last, float* out,
                  std::int64_t out_stride) const {
  const auto& k = kernels::kernels();
  for (std::int64_t p = first; p < last; ++p) {
    k.panel_product({.num_rows = num_rows,
                     .depth = dimensions_,
                     .a = rows,
                     .a_row_stride = dimensions_,
                     .panel = values_.data() + p * dimensions_ * kWidth,
                     .c = out + p * kWidth,
                     .c_row_stride = out_stride});
  }
}

Points::Points(Vectors vectors) : vectors_(std::move(vectors)) {
  require(vectors_.num_rows >= 0 && vectors_.dimensions > 0 &&
              static_cast<std::int64_t>(vectors_.values.size()) == vectors_.num_rows * vectors_.dimensions,
          "vectors: the number of values is not rows times dimensions");
  require(vectors_.num_rows < (std::int64_t{1} << 31), "vectors: more rows than 2^31");
  const std::vector<float> origin(static_cast<std::size_t>(vectors_.dimensions), 0.0F);
  for (std::int64_t i = 0; i < size(); ++i) {
    const double square = cluster::squared_distance(row(i), std::span<const float>(origin));
    require(std::isfinite(square) && square < 1e30,
            [&] { return "vector " + std::to_string(i) + " has a value that is not finite, or is longer than 1e15"; });
    squared_lengths_.push_back(static_cast<float>(square));
    lengths_.push_back(std::sqrt(square));
    longest_ = std::max(longest_, lengths_.back());
  }
  panels_ = Panels(vectors_.values, size(), dimensions());
}

double Points::slack_of(double length_a, double length_b, std::int64_t dimensions) {
  // A chain of n fused steps is wrong by at most n * 2^-24 of the sum of absolute products (and a little of second
  // order); the lengths and the two additions are rounded as well.
  constexpr double kUnit = 0x1p-24;
  const double products = length_a * length_b, squares = length_a * length_a + length_b * length_b;
  return kUnit * (2.02 * static_cast<double>(dimensions) * products + 8 * squares) + 1e-30;
}

double Points::slack(std::int64_t query) const { return slack_of(length(query), longest_, dimensions()); }

void Points::finish(std::span<const std::int32_t> queries, std::int64_t first, std::int64_t last, float* out) const {
  const std::int64_t end = std::min(last * Panels::kWidth, size());
  for (std::size_t q = 0; q < queries.size(); ++q) {
    float* values = out + static_cast<std::int64_t>(q) * stride();
    const float square = squared_lengths_[static_cast<std::size_t>(queries[q])];
    for (std::int64_t j = first * Panels::kWidth; j < end; ++j) {
      values[j] = (square + squared_lengths_[static_cast<std::size_t>(j)]) - 2 * values[j];
    }
  }
}

void Points::near_distances(std::span<const std::int32_t> queries, ThreadPool& pool, std::vector<float>& out) const {
  const auto count = static_cast<std::int64_t>(queries.size());
  const Vectors taken = take_rows(vectors_, queries);
  out.resize(static_cast<std::size_t>(count * stride()));
  const std::int64_t panels = panels_.num_panels();
  pool.run((panels + kPanelsPerTask - 1) / kPanelsPerTask, [&](std::int64_t task, int) {
    const std::int64_t first = task * kPanelsPerTask, last = std::min(panels, first + kPanelsPerTask);
    panels_.dots(taken.values.data(), count, first, last, out.data(), stride());
    finish(queries, first, last, out.data());
  });
}

void Points::near_distances(std::int64_t first, std::int64_t count, std::vector<float>& out) const {
  out.resize(static_cast<std::size_t>(count * stride()));
  std::vector<std::int32_t> queries(static_cast<std::size_t>(count));
  std::iota(queries.begin(), queries.end(), static_cast<std::int32_t>(first));
  panels_.dots(vectors_.values.data() + first * dimensions(), count, 0, panels_.num_panels(), out.data(), stride());
  finish(queries, 0, panels_.num_panels(), out.data());
}

}  // namespace onggi::cluster
