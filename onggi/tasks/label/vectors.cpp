#include "onggi/tasks/label/vectors.h"

#include <charconv>
#include <cmath>
#include <cstring>
#include <string>

#include "onggi/core/error.h"
#include "onggi/core/files.h"

namespace onggi::tasks {
namespace {

constexpr std::size_t kMaxHeaderBytes = 4096, kMaxColumns = 1 << 20;

[[noreturn]] void refuse(const std::string& what, std::string_view where) {
  throw Error(ErrorCode::kCorrupt, "expected a .npy file of f32 [rows, columns], as onggi embed writes it: " + what,
              std::string(where));
}

/// The number after `at`, with spaces before it; moves `at` behind it.
std::size_t number_at(std::string_view text, std::size_t& at, std::string_view where) {
  while (at < text.size() && text[at] == ' ') ++at;
  std::size_t value = 0;
  const auto [end, code] = std::from_chars(text.data() + at, text.data() + text.size(), value);
  if (code != std::errc()) refuse("its shape is not (rows, columns)", where);
  at = static_cast<std::size_t>(end - text.data());
  return value;
}

void normalise(Vectors& vectors) {
  for (std::size_t i = 0; i < vectors.rows(); ++i) {
    float* row = vectors.values.data() + i * vectors.columns;
    double squares = 0;
    for (std::size_t k = 0; k < vectors.columns; ++k) squares += static_cast<double>(row[k]) * row[k];
    const double length = std::sqrt(squares);
    const bool is_good = std::isfinite(length) && length > 0;
    for (std::size_t k = 0; k < vectors.columns; ++k) row[k] = is_good ? static_cast<float>(row[k] / length) : 0.0F;
  }
}

}  // namespace

Vectors parse_npy(std::string_view bytes, std::string_view where) {
  constexpr std::string_view kMagic("\x93NUMPY\x01\x00", 8);
  if (!bytes.starts_with(kMagic) || bytes.size() < kMagic.size() + 2) refuse("it has no header of format 1.0", where);
  const std::size_t header_bytes = static_cast<unsigned char>(bytes[8]) + 256U * static_cast<unsigned char>(bytes[9]);
  if (header_bytes > kMaxHeaderBytes || bytes.size() < 10 + header_bytes)
    refuse("its header is cut or too long", where);
  const std::string_view header = bytes.substr(10, header_bytes), body = bytes.substr(10 + header_bytes);
  if (header.find("'<f4'") == std::string_view::npos) refuse("its values are no little-endian f32", where);
  if (header.find("'fortran_order': False") == std::string_view::npos) refuse("its values do not stand in rows", where);
  auto at = header.find("'shape': (");
  if (at == std::string_view::npos) refuse("it has no shape", where);
  at += std::strlen("'shape': (");
  const std::size_t rows = number_at(header, at, where);
  if (at >= header.size() || header[at] != ',') refuse("its shape is not (rows, columns)", where);
  const std::size_t columns = number_at(header, ++at, where);
  if (columns == 0 || columns > kMaxColumns || body.size() % (columns * sizeof(float)) != 0 ||
      rows != body.size() / (columns * sizeof(float))) {
    refuse("its shape and its size differ; is it whole?", where);
  }
  Vectors vectors{.columns = columns, .values = std::vector<float>(rows * columns)};
  if (!body.empty()) std::memcpy(vectors.values.data(), body.data(), body.size());
  normalise(vectors);
  return vectors;
}

Vectors read_npy(const std::filesystem::path& path) { return parse_npy(read_file(path), path.string()); }

std::vector<double> cosines(const Vectors& vectors, std::span<const float> row) {
  require(row.size() == vectors.columns, [&] {
    return "vectors of " + std::to_string(row.size()) + " and of " + std::to_string(vectors.columns) +
           " values can't be compared: make both with the same model";
  });
  std::vector<double> result(vectors.rows());
  for (std::size_t i = 0; i < result.size(); ++i) {
    double sum = 0;
    for (std::size_t k = 0; k < row.size(); ++k) sum += static_cast<double>(row[k]) * vectors.row(i)[k];
    result[i] = sum;
  }
  return result;
}

}  // namespace onggi::tasks
