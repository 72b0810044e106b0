#include "onggi/tasks/embed/npy.h"

#include <bit>
#include <cstddef>
#include <string_view>

namespace onggi::tasks {

std::string npy_header(std::int64_t rows, std::int64_t columns) {
  using std::string_view_literals::operator""sv;
  constexpr std::string_view kMagic = "\x93NUMPY\x01\x00"sv;
  constexpr std::size_t kLengthBytes = 2, kAlignment = 64;
  std::string dictionary = "{'descr': '<f4', 'fortran_order': False, 'shape': (" + std::to_string(rows) + ", " +
                           std::to_string(columns) + "), }";
  const std::size_t unpadded = kMagic.size() + kLengthBytes + dictionary.size() + 1;
  dictionary.append((kAlignment - unpadded % kAlignment) % kAlignment, ' ');
  dictionary += '\n';
  std::string header(kMagic);
  header += static_cast<char>(dictionary.size() & 0xFFU);
  header += static_cast<char>(dictionary.size() >> 8U);
  return header + dictionary;
}

std::string npy_bytes(std::span<const float> values) {
  static_assert(std::endian::native == std::endian::little, "the file holds little-endian floats");
  const auto bytes = std::as_bytes(values);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace onggi::tasks
