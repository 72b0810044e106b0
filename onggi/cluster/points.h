#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "onggi/cluster/vectors.h"
#include "onggi/core/thread_pool.h"

namespace onggi::cluster {

/// Told how far a long step is: its name, and how much of it is done. May be empty.
using Report = std::function<void(std::string_view step, std::int64_t done, std::int64_t total)>;

/// Columns of vectors as the f32 kernels read them: [num_columns / 16 rounded up][dimensions][16], zeros past the end.
class Panels {
 public:
  Panels() = default;
  /// `values` is [num_columns, dimensions].
  Panels(std::span<const float> values, std::int64_t num_columns, std::int64_t dimensions);

  std::int64_t num_columns() const { return num_columns_; }
  /// out[r * out_stride + c] = dot of row r of `rows` [num_rows, dimensions] and column c, one fma a step; for the
  /// columns of panels [first, last). `out_stride` covers whole panels: up to 15 columns past the last are written.
  void dots(const float* rows, std::int64_t num_rows, std::int64_t first, std::int64_t last, float* out,
            std::int64_t out_stride) const;
  std::int64_t num_panels() const { return (num_columns_ + kWidth - 1) / kWidth; }
  static constexpr std::int64_t kWidth = 16;

 private:
  std::int64_t num_columns_ = 0;
  std::int64_t dimensions_ = 0;
  std::vector<float> values_;
};

/// Points between which distances are asked for: exact ones in double, and blocks of quick ones in f32 whose error is
/// bounded, so that what they decide can be checked where it is near. Immutable and thread-safe.
class Points {
 public:
  /// Throws kInvalidArgument where a value is not finite, or the sizes do not fit.
  explicit Points(Vectors vectors);

  std::int64_t size() const { return vectors_.num_rows; }
  std::int64_t dimensions() const { return vectors_.dimensions; }
  const Vectors& vectors() const { return vectors_; }
  std::span<const float> row(std::int64_t i) const { return vectors_.row(i); }

  double squared_distance(std::int64_t a, std::int64_t b) const { return cluster::squared_distance(row(a), row(b)); }

  /// out[q * stride() + j]: about the squared distance of queries[q] and point j, wrong by at most slack(queries[q]).
  /// At most kMaxQueries queries. Work is split over `pool`.
  void near_distances(std::span<const std::int32_t> queries, ThreadPool& pool, std::vector<float>& out) const;
  /// The same for points [first, first + count), on this thread.
  void near_distances(std::int64_t first, std::int64_t count, std::vector<float>& out) const;
  double slack(std::int64_t query) const;
  std::int64_t stride() const { return panels_.num_panels() * Panels::kWidth; }
  static constexpr std::int64_t kMaxQueries = 48;

  /// Bound on the error of |a|^2 + |b|^2 - 2 a.b as the kernels compute it, for lengths |a| and |b|.
  static double slack_of(double length_a, double length_b, std::int64_t dimensions);
  double length(std::int64_t i) const { return lengths_[static_cast<std::size_t>(i)]; }

 private:
  void finish(std::span<const std::int32_t> queries, std::int64_t first, std::int64_t last, float* out) const;

  Vectors vectors_;
  std::vector<float> squared_lengths_;
  std::vector<double> lengths_;
  double longest_ = 0;
  Panels panels_;
};

}  // namespace onggi::cluster
