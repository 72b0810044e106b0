#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace onggi::formats {

/// Header of a NumPy file (format 1.0) of little-endian f32 [rows, columns] in rows.
std::string npy_header(std::int64_t rows, std::int64_t columns);
/// The bytes of values as such a file holds them.
std::string npy_bytes(std::span<const float> values);

/// A NumPy file of f32 values in rows.
struct NpyMatrix {
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::vector<float> values;  ///< [rows, columns]; may hold NaN.
};

/// Reads format 1.0 to 3.0. Throws kCorrupt, naming `where` and what was found, for anything but little-endian f32 in
/// two dimensions, row after row, with exactly the bytes that its shape says.
NpyMatrix parse_npy(std::span<const std::byte> bytes, std::string_view where);
/// Throws kNotFound for the file too.
NpyMatrix read_npy(const std::filesystem::path& path);

}  // namespace onggi::formats
