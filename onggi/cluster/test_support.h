#pragma once

#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "onggi/cluster/points.h"
#include "onggi/core/files.h"
#include "onggi/core/json.h"
#include "onggi/core/random.h"

namespace onggi::cluster {

/// Points on a line.
inline Points line(std::initializer_list<float> values) {
  return Points({.num_rows = static_cast<std::int64_t>(values.size()), .dimensions = 1, .values = values});
}

/// Points around `centres` random ones, evenly dealt, and the number of each point's.
inline std::pair<Vectors, std::vector<std::int32_t>> scattered(std::int64_t rows, std::int64_t dimensions, int centres,
                                                               float spread, std::uint64_t seed) {
  Vectors v{.num_rows = rows, .dimensions = dimensions, .values = {}};
  std::vector<std::int32_t> truth;
  std::uint64_t draw = 0;
  for (std::int64_t i = 0; i < rows; ++i) {
    truth.push_back(static_cast<std::int32_t>(i % centres));
    for (std::int64_t d = 0; d < dimensions; ++d) {
      const float centre = uniform_float(seed, 1, static_cast<std::uint64_t>(truth.back() * dimensions + d));
      v.values.push_back(centre + spread * (uniform_float(seed, 2, draw++) - 0.5F));
    }
  }
  return {std::move(v), std::move(truth)};
}

inline Json golden(const std::string& name) {
  const auto path = std::filesystem::path(ONGGI_SOURCE_DIR) / "tests/golden/cluster" / name;
  return parse_json(read_file(path), path.string());
}

inline Vectors vectors_of(const Json& rows) {
  Vectors v{.num_rows = static_cast<std::int64_t>(rows.size()),
            .dimensions = static_cast<std::int64_t>(rows[0].size()),
            .values = {}};
  for (const auto& row : rows) {
    for (const auto& value : row) v.values.push_back(value.get<float>());
  }
  return v;
}

/// The labels with their names in order of appearance, so that two partitions compare; below 0 stays.
inline std::vector<std::int32_t> in_order_of_appearance(std::span<const std::int32_t> labels) {
  std::vector<std::int32_t> names, result;
  for (const auto label : labels) {
    if (label >= static_cast<std::int32_t>(names.size())) names.resize(static_cast<std::size_t>(label) + 1, -1);
    if (label >= 0 && names[static_cast<std::size_t>(label)] < 0) {
      std::int32_t next = 0;
      for (const auto name : names) next += name >= 0 ? 1 : 0;
      names[static_cast<std::size_t>(label)] = next;
    }
    result.push_back(label < 0 ? label : names[static_cast<std::size_t>(label)]);
  }
  return result;
}

}  // namespace onggi::cluster
