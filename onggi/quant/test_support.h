#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "onggi/core/files.h"
#include "onggi/core/json.h"

namespace onggi::quant::testing {

/// Raw little-endian content as numbers.
template <class T>
std::vector<T> numbers(std::string_view bytes) {
  std::vector<T> out(bytes.size() / sizeof(T));
  if (!out.empty()) std::memcpy(out.data(), bytes.data(), out.size() * sizeof(T));
  return out;
}

template <class T>
std::vector<T> read_numbers(const std::filesystem::path& path) {
  return numbers<T>(read_file(path));
}

/// Hex digits as numbers.
template <class T>
std::vector<T> hex_numbers(const Json& text) {
  const auto& digits = text.get_ref<const std::string&>();
  std::string bytes;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(digits.substr(i, 2), nullptr, 16));
  }
  return numbers<T>(bytes);
}

inline Json golden(const std::string& name) {
  const auto path = std::filesystem::path(ONGGI_SOURCE_DIR) / "tests" / "golden" / "quant" / name;
  return parse_json(read_file(path), path.string());
}

}  // namespace onggi::quant::testing
