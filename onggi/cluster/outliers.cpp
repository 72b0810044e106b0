#include "onggi/cluster/outliers.h"

#include <algorithm>
#include <cmath>

#include "onggi/core/error.h"

namespace onggi::cluster {
namespace {

double median_of(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return (*std::max_element(values.begin(), middle) + *middle) / 2;
}

struct Scale {
  double median = 0, per_unit = 0;
};

Scale scale_of(const std::vector<double>& values) {
  if (values.empty()) return {};
  Scale scale{.median = median_of(values), .per_unit = 0};
  std::vector<double> away;
  double sum = 0;
  for (const double value : values) {
    away.push_back(std::abs(value - scale.median));
    sum += away.back();
  }
  const double mean = sum / static_cast<double>(values.size());
  if (const double deviation = median_of(std::move(away)); deviation > 0) {
    scale.per_unit = 0.6745 / deviation;
  } else if (mean > 0) {
    scale.per_unit = 1 / (1.253314 * mean);
  }
  return scale;
}

}  // namespace

std::vector<double> robust_z(std::span<const double> values, std::span<const std::int32_t> groups) {
  require(values.size() == groups.size(), "robust z: one group a value");
  std::vector<std::vector<double>> members;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (groups[i] < 0) continue;
    if (static_cast<std::size_t>(groups[i]) >= members.size()) members.resize(static_cast<std::size_t>(groups[i]) + 1);
    members[static_cast<std::size_t>(groups[i])].push_back(values[i]);
  }
  std::vector<Scale> scales;
  for (const auto& group : members) scales.push_back(scale_of(group));
  const Scale all = scale_of({values.begin(), values.end()});
  std::vector<double> z;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const Scale& scale = groups[i] < 0 ? all : scales[static_cast<std::size_t>(groups[i])];
    z.push_back((values[i] - scale.median) * scale.per_unit);
  }
  return z;
}

std::vector<double> local_outlier_factors(const Neighbours& neighbours) {
  if (neighbours.count == 0) return {};
  const auto count = static_cast<std::size_t>(neighbours.count);
  const std::size_t size = neighbours.indices.size() / count;
  std::vector<double> density(size);
  for (std::size_t a = 0; a < size; ++a) {
    double reach = 0;
    for (std::size_t n = 0; n < count; ++n) {
      const auto b = static_cast<std::int64_t>(neighbours.indices[a * count + n]);
      reach += std::max(neighbours.distances_of(b).back(), neighbours.distances[a * count + n]);
    }
    density[a] = 1 / (reach / static_cast<double>(count) + 1e-10);
  }
  std::vector<double> factors(size);
  for (std::size_t a = 0; a < size; ++a) {
    double sum = 0;
    for (const auto b : neighbours.of(static_cast<std::int64_t>(a)))
      sum += density[static_cast<std::size_t>(b)] / density[a];
    factors[a] = sum / static_cast<double>(count);
  }
  return factors;
}

}  // namespace onggi::cluster
