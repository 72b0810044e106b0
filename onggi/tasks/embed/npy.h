#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace onggi::tasks {

/// Header of a NumPy file (format 1.0) of little-endian f32 [rows, columns] in rows.
std::string npy_header(std::int64_t rows, std::int64_t columns);
/// The bytes of values as such a file holds them.
std::string npy_bytes(std::span<const float> values);

}  // namespace onggi::tasks
