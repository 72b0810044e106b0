#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>
#include <vector>

namespace onggi::tasks {

/// Rows of f32 side by side, brought to length 1 (NaN and zero rows become zero).
struct Vectors {
  std::size_t columns = 0;
  std::vector<float> values;

  std::size_t rows() const { return columns == 0 ? 0 : values.size() / columns; }
  std::span<const float> row(std::size_t i) const { return std::span(values).subspan(i * columns, columns); }
};

/// A NumPy file of f32 [rows, columns] in rows, as `onggi embed` writes it. Throws kCorrupt saying what was expected.
Vectors parse_npy(std::string_view bytes, std::string_view where);
Vectors read_npy(const std::filesystem::path& path);

/// Cosine of `row` with each of the vectors' rows. Throws kInvalidArgument where widths differ.
std::vector<double> cosines(const Vectors& vectors, std::span<const float> row);

}  // namespace onggi::tasks
