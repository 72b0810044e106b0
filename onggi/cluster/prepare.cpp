#include "onggi/cluster/prepare.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "onggi/core/error.h"
#include "onggi/core/random.h"
#include "onggi/kernels/kernels.h"

namespace onggi::cluster {
namespace {

constexpr std::int64_t kSampleRows = 20000;
constexpr std::int64_t kChunkRows = 128;  // Summed in f32; chunks are added in double.
constexpr std::int64_t kWidth = kernels::kPanelColumns;
constexpr int kSpareAxes = 8;  // Iterated along: what lies between the wanted ones and these decides how fast it ends.
constexpr int kMaxRounds = 300;
constexpr std::uint64_t kAxisStream = 0x61786573;  // "axes"

std::vector<double> mean_of(const Vectors& vectors) {
  std::vector<double> mean(static_cast<std::size_t>(vectors.dimensions), 0.0);
  for (std::int64_t i = 0; i < vectors.num_rows; ++i) {
    const auto row = vectors.row(i);
    for (std::size_t d = 0; d < mean.size(); ++d) mean[d] += static_cast<double>(row[d]);
  }
  for (auto& value : mean) value /= static_cast<double>(std::max<std::int64_t>(1, vectors.num_rows));
  return mean;
}

/// A symmetric matrix [size, size].
struct Square {
  std::size_t size = 0;
  std::vector<double> values;
  double& at(std::size_t i, std::size_t j) { return values[i * size + j]; }
  double at(std::size_t i, std::size_t j) const { return values[i * size + j]; }
};

Square covariance(const Vectors& vectors, const std::vector<double>& mean, ThreadPool& pool) {
  const std::int64_t dimensions = vectors.dimensions, padded = (dimensions + kWidth - 1) / kWidth * kWidth;
  const auto rows = sample_rows(vectors.num_rows, kSampleRows);
  const auto num_rows = static_cast<std::int64_t>(rows.size());
  std::vector<float> centred(static_cast<std::size_t>(num_rows * padded), 0.0F);
  for (std::int64_t i = 0; i < num_rows; ++i) {
    const auto row = vectors.row(rows[static_cast<std::size_t>(i)]);
    for (std::size_t d = 0; d < row.size(); ++d) {
      centred[static_cast<std::size_t>(i * padded) + d] = static_cast<float>(static_cast<double>(row[d]) - mean[d]);
    }
  }
  Square result{.size = static_cast<std::size_t>(dimensions), .values = {}};
  result.values.assign(result.size * result.size, 0.0);
  pool.run(padded / kWidth, [&](std::int64_t task, int) {
    const std::int64_t n0 = task * kWidth;
    std::vector<float> sums(static_cast<std::size_t>(dimensions * kWidth));
    for (std::int64_t first = 0; first < num_rows; first += kChunkRows) {
      const float* chunk = centred.data() + first * padded;
      kernels::kernels().panel_product({.num_rows = dimensions,
                                        .depth = std::min(kChunkRows, num_rows - first),
                                        .a = chunk,
                                        .a_row_stride = 1,
                                        .a_depth_stride = padded,
                                        .panel = chunk + n0,
                                        .panel_stride = padded,
                                        .c = sums.data(),
                                        .c_row_stride = kWidth});
      for (std::int64_t m = 0; m < dimensions; ++m) {
        for (std::int64_t n = n0; n < std::min(dimensions, n0 + kWidth); ++n) {
          result.at(static_cast<std::size_t>(m), static_cast<std::size_t>(n)) +=
              static_cast<double>(sums[static_cast<std::size_t>(m * kWidth + n - n0)]);
        }
      }
    }
  });
  for (auto& value : result.values) value /= static_cast<double>(std::max<std::int64_t>(1, num_rows - 1));
  return result;
}

using Axes = std::vector<std::vector<double>>;

double dot(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

/// Modified Gram-Schmidt, twice over; what is left of nothing becomes 0.
void make_orthonormal(Axes& axes) {
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const double before = std::sqrt(dot(axes[i], axes[i]));
    for (int pass = 0; pass < 2; ++pass) {
      for (std::size_t j = 0; j < i; ++j) {
        const double along = dot(axes[i], axes[j]);
        for (std::size_t d = 0; d < axes[i].size(); ++d) axes[i][d] -= along * axes[j][d];
      }
    }
    const double length = std::sqrt(dot(axes[i], axes[i]));
    const double factor = length > 1e-12 * before && length > 0 ? 1 / length : 0;
    for (auto& value : axes[i]) value *= factor;
  }
}

Axes product(const Square& matrix, const Axes& axes, ThreadPool& pool) {
  Axes result(axes.size(), std::vector<double>(matrix.size, 0.0));
  pool.run(static_cast<std::int64_t>(axes.size()), [&](std::int64_t a, int) {
    const auto& axis = axes[static_cast<std::size_t>(a)];
    auto& out = result[static_cast<std::size_t>(a)];
    for (std::size_t i = 0; i < matrix.size; ++i) {
      for (std::size_t d = 0; d < matrix.size; ++d) out[d] += axis[i] * matrix.at(i, d);
    }
  });
  return result;
}

/// Eigenvectors of a small symmetric matrix by Jacobi's rotations: rows of `vectors`, eigenvalues on the diagonal.
void diagonalize(Square& a, Square& vectors) {
  const std::size_t n = a.size;
  vectors = {.size = n, .values = std::vector<double>(n * n, 0.0)};
  for (std::size_t i = 0; i < n; ++i) vectors.at(i, i) = 1;
  constexpr int kSweeps = 60;
  for (int sweep = 0; sweep < kSweeps; ++sweep) {
    double off = 0, diagonal = 0;
    for (std::size_t p = 0; p < n; ++p) {
      diagonal += a.at(p, p) * a.at(p, p);
      for (std::size_t q = p + 1; q < n; ++q) off += a.at(p, q) * a.at(p, q);
    }
    if (off <= 1e-30 * diagonal) return;
    for (std::size_t p = 0; p < n; ++p) {
      for (std::size_t q = p + 1; q < n; ++q) {
        if (a.at(p, q) == 0) continue;
        const double theta = (a.at(q, q) - a.at(p, p)) / (2 * a.at(p, q));
        const double t = std::copysign(1 / (std::abs(theta) + std::sqrt(theta * theta + 1)), theta);
        const double c = 1 / std::sqrt(t * t + 1), s = t * c;
        for (std::size_t k = 0; k < n; ++k) {
          const double kp = a.at(k, p), kq = a.at(k, q);
          a.at(k, p) = c * kp - s * kq;
          a.at(k, q) = s * kp + c * kq;
        }
        for (std::size_t k = 0; k < n; ++k) {
          const double pk = a.at(p, k), qk = a.at(q, k);
          a.at(p, k) = c * pk - s * qk;
          a.at(q, k) = s * pk + c * qk;
          const double vp = vectors.at(p, k), vq = vectors.at(q, k);
          vectors.at(p, k) = c * vp - s * vq;
          vectors.at(q, k) = s * vp + c * vq;
        }
      }
    }
  }
}

/// Turns the axes to the eigenvectors of the matrix within their span, greatest first; the eigenvalues.
std::vector<double> turn_to_eigenvectors(const Square& matrix, Axes& axes, ThreadPool& pool) {
  const std::size_t count = axes.size();
  const auto images = product(matrix, axes, pool);
  Square within{.size = count, .values = std::vector<double>(count * count)};
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t j = 0; j < count; ++j) within.at(i, j) = (dot(axes[i], images[j]) + dot(axes[j], images[i])) / 2;
  }
  Square turns;
  diagonalize(within, turns);
  std::vector<std::size_t> order(count);
  for (std::size_t i = 0; i < count; ++i) order[i] = i;
  std::ranges::stable_sort(order, [&](auto i, auto j) { return within.at(i, i) > within.at(j, j); });
  Axes turned(count, std::vector<double>(matrix.size, 0.0));
  std::vector<double> values;
  for (std::size_t i = 0; i < count; ++i) {
    values.push_back(within.at(order[i], order[i]));
    for (std::size_t j = 0; j < count; ++j) {
      for (std::size_t d = 0; d < matrix.size; ++d) turned[i][d] += turns.at(order[i], j) * axes[j][d];
    }
  }
  axes = std::move(turned);
  return values;
}

void turn_up(std::span<double> axis) {
  const auto greatest = std::ranges::max_element(axis, {}, [](double v) { return std::abs(v); });
  if (greatest != axis.end() && *greatest < 0) {
    for (auto& value : axis) value = -value;
  }
}

}  // namespace

Components principal_components(const Vectors& vectors, int count, ThreadPool& pool) {
  require(count >= 0, "the number of components must be 0 or more");
  Components result;
  result.mean = mean_of(vectors);
  const auto dimensions = static_cast<std::size_t>(vectors.dimensions);
  const std::size_t wanted = std::min(static_cast<std::size_t>(count), dimensions);
  if (wanted == 0) return result;
  const Square matrix = covariance(vectors, result.mean, pool);
  Axes axes(std::min(wanted + kSpareAxes, dimensions), std::vector<double>(dimensions));
  std::uint64_t draw = 0;
  for (auto& axis : axes) {
    for (auto& value : axis) value = static_cast<double>(uniform_float(0, kAxisStream, draw++)) - 0.5;
  }
  make_orthonormal(axes);
  std::vector<double> values(axes.size(), 0.0);
  for (int round = 0; round < kMaxRounds; ++round) {
    axes = product(matrix, axes, pool);
    make_orthonormal(axes);
    const auto before = values;
    values = turn_to_eigenvectors(matrix, axes, pool);
    double change = 0;
    for (std::size_t i = 0; i < wanted; ++i) change = std::max(change, std::abs(values[i] - before[i]));
    if (change <= 1e-14 * std::abs(values[0])) break;
  }
  for (std::size_t i = 0; i < wanted; ++i) {
    turn_up(axes[i]);
    result.axes.insert(result.axes.end(), axes[i].begin(), axes[i].end());
    result.variances.push_back(values[i]);
  }
  return result;
}

Vectors prepare(Vectors vectors, const PrepareOptions& options, ThreadPool& pool) {
  require(options.remove_components >= 0 && options.remove_components < vectors.dimensions, [&] {
    return "can't take " + std::to_string(options.remove_components) + " components out of vectors of " +
           std::to_string(vectors.dimensions) + " dimensions";
  });
  const auto components = principal_components(vectors, options.remove_components, pool);
  const auto dimensions = static_cast<std::size_t>(vectors.dimensions);
  constexpr std::int64_t kRowsPerTask = 256;
  pool.run((vectors.num_rows + kRowsPerTask - 1) / kRowsPerTask, [&](std::int64_t task, int) {
    std::vector<double> values(dimensions);
    for (std::int64_t i = task * kRowsPerTask; i < std::min(vectors.num_rows, (task + 1) * kRowsPerTask); ++i) {
      const auto row = vectors.row(i);
      for (std::size_t d = 0; d < dimensions; ++d) {
        values[d] = static_cast<double>(row[d]) - (options.centre ? components.mean[d] : 0);
      }
      for (std::size_t c = 0; c < components.variances.size(); ++c) {
        const auto axis = components.axis(c);
        double along = 0;
        for (std::size_t d = 0; d < dimensions; ++d) along += values[d] * axis[d];
        for (std::size_t d = 0; d < dimensions; ++d) values[d] -= along * axis[d];
      }
      double square = 0;
      for (const double value : values) square += value * value;
      const double factor = options.normalize && square > 0 ? 1 / std::sqrt(square) : 1;
      for (std::size_t d = 0; d < dimensions; ++d) row[d] = static_cast<float>(values[d] * factor);
    }
  });
  return vectors;
}

}  // namespace onggi::cluster
