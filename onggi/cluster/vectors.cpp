#include "onggi/cluster/vectors.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <utility>

#include "onggi/core/random.h"

namespace onggi::cluster {
namespace {

constexpr std::uint64_t kSampleStream = 0x73616D70;  // "samp"

template <class A, class B>
double sum_of_squares(std::span<const A> a, std::span<const B> b) {
  constexpr std::size_t kLanes = 8;
  std::array<double, kLanes> sums{};
  std::size_t i = 0;
  for (; i + kLanes <= a.size(); i += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const double difference = static_cast<double>(a[i + lane]) - static_cast<double>(b[i + lane]);
      sums[lane] += difference * difference;
    }
  }
  for (std::size_t lane = 0; i + lane < a.size(); ++lane) {
    const double difference = static_cast<double>(a[i + lane]) - static_cast<double>(b[i + lane]);
    sums[lane] += difference * difference;
  }
  for (std::size_t half = kLanes / 2; half > 0; half /= 2) {
    for (std::size_t lane = 0; lane < half; ++lane) sums[lane] += sums[lane + half];
  }
  return sums[0];
}

}  // namespace

Vectors take_rows(const Vectors& vectors, std::span<const std::int32_t> rows) {
  Vectors taken{.num_rows = static_cast<std::int64_t>(rows.size()), .dimensions = vectors.dimensions, .values = {}};
  taken.values.reserve(rows.size() * static_cast<std::size_t>(vectors.dimensions));
  for (const auto row : rows) {
    const auto values = vectors.row(row);
    taken.values.insert(taken.values.end(), values.begin(), values.end());
  }
  return taken;
}

std::vector<std::int32_t> sample_rows(std::int64_t num_rows, std::int64_t count) {
  std::vector<std::int32_t> rows(static_cast<std::size_t>(num_rows));
  std::iota(rows.begin(), rows.end(), 0);
  if (count >= num_rows) return rows;
  std::vector<std::pair<std::uint32_t, std::int32_t>> drawn;
  for (const auto row : rows) drawn.emplace_back(philox(0, kSampleStream, static_cast<std::uint64_t>(row))[0], row);
  std::nth_element(drawn.begin(), drawn.begin() + count, drawn.end());
  rows.clear();
  for (std::int64_t i = 0; i < count; ++i) rows.push_back(drawn[static_cast<std::size_t>(i)].second);
  std::ranges::sort(rows);
  return rows;
}

double squared_distance(std::span<const float> a, std::span<const float> b) { return sum_of_squares(a, b); }

double squared_distance(std::span<const float> a, std::span<const double> b) { return sum_of_squares(a, b); }

}  // namespace onggi::cluster
