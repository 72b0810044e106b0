#include "onggi/formats/npy.h"

#include <bit>
#include <charconv>
#include <cstring>
#include <optional>
#include <utility>

#include "onggi/core/error.h"
#include "onggi/core/files.h"
#include "onggi/formats/quote.h"

namespace onggi::formats {
namespace {

static_assert(std::endian::native == std::endian::little, "the file holds little-endian floats");

using std::string_view_literals::operator""sv;
constexpr std::string_view kMagic = "\x93NUMPY"sv;
constexpr std::size_t kMaxHeader = 1 << 16;

/// What follows `'name':` in the header's dictionary, spaces left out; empty if it is not there once.
std::string_view value_of(std::string_view dictionary, std::string_view name) {
  const std::string key = "'" + std::string(name) + "':";
  const auto at = dictionary.find(key);
  if (at == std::string_view::npos || dictionary.find(key, at + 1) != std::string_view::npos) return {};
  auto value = dictionary.substr(at + key.size());
  while (value.starts_with(' ')) value.remove_prefix(1);
  const bool is_tuple = value.starts_with('(');
  const auto end = value.find_first_of(is_tuple ? ")" : ",}");
  return end == std::string_view::npos ? std::string_view() : value.substr(0, end + (is_tuple ? 1 : 0));
}

/// "(12, 640)" as two numbers.
std::optional<std::pair<std::int64_t, std::int64_t>> shape_of(std::string_view text) {
  std::int64_t sizes[2] = {0, 0};
  if (!text.starts_with('(')) return {};
  const char* at = text.data() + 1;
  const char* end = text.data() + text.size() - 1;  // At the closing bracket.
  for (auto& size : sizes) {
    while (at < end && *at == ' ') ++at;
    const auto [after, error] = std::from_chars(at, end, size);
    if (error != std::errc() || size < 0) return {};
    at = after;
    if (&size == sizes && (at == end || *at++ != ',')) return {};
  }
  return at == end ? std::optional(std::pair(sizes[0], sizes[1])) : std::nullopt;
}

}  // namespace

std::string npy_header(std::int64_t rows, std::int64_t columns) {
  constexpr std::string_view kVersion = "\x01\x00"sv;
  constexpr std::size_t kLengthBytes = 2, kAlignment = 64;
  std::string dictionary = "{'descr': '<f4', 'fortran_order': False, 'shape': (" + std::to_string(rows) + ", " +
                           std::to_string(columns) + "), }";
  const std::size_t unpadded = kMagic.size() + kVersion.size() + kLengthBytes + dictionary.size() + 1;
  dictionary.append((kAlignment - unpadded % kAlignment) % kAlignment, ' ');
  dictionary += '\n';
  std::string header = std::string(kMagic) + std::string(kVersion);
  header += static_cast<char>(dictionary.size() & 0xFFU);
  header += static_cast<char>(dictionary.size() >> 8U);
  return header + dictionary;
}

std::string npy_bytes(std::span<const float> values) {
  const auto bytes = std::as_bytes(values);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

NpyMatrix parse_npy(std::span<const std::byte> bytes, std::string_view where) {
  const auto check = [&](bool ok, auto&& message) { require(ok, message, ErrorCode::kCorrupt, where); };
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  check(text.starts_with(kMagic) && text.size() >= 12, "no NumPy file: it does not begin with \\x93NUMPY");
  const auto byte = [&](std::size_t i) { return static_cast<std::size_t>(static_cast<unsigned char>(text[i])); };
  const std::size_t version = byte(6);
  check(version >= 1 && version <= 3, [&] { return "NumPy format " + std::to_string(version) + ", expected 1 to 3"; });
  const std::size_t begin = version == 1 ? 10 : 12;
  const std::size_t length =
      version == 1 ? byte(8) | byte(9) << 8U : byte(8) | byte(9) << 8U | byte(10) << 16U | byte(11) << 24U;
  check(length <= kMaxHeader && begin + length <= text.size(), "the header of the NumPy file is cut, or too long");
  const auto dictionary = text.substr(begin, length);
  const auto type = value_of(dictionary, "descr");
  check(type == "'<f4'",
        [&] { return "values are " + quote(std::string(type)) + ", expected '<f4': save it with .astype('float32')"; });
  check(value_of(dictionary, "fortran_order") == "False", "columns come first (fortran_order), expected row after row");
  const auto shape = shape_of(value_of(dictionary, "shape"));
  check(shape.has_value(), [&] {
    return "the shape is " + quote(std::string(value_of(dictionary, "shape"))) + ", expected rows and columns";
  });
  const std::int64_t rows = shape->first, columns = shape->second;
  const std::size_t held = (text.size() - begin - length) / sizeof(float);
  const bool fits = rows == 0 || columns == 0
                        ? held == 0
                        : static_cast<std::size_t>(columns) <= held &&
                              static_cast<std::size_t>(rows) == held / static_cast<std::size_t>(columns) &&
                              held % static_cast<std::size_t>(columns) == 0;
  check(fits && (text.size() - begin - length) % sizeof(float) == 0, [&] {
    return "the header promises " + std::to_string(rows) + " rows of " + std::to_string(columns) +
           " values, the file holds " + std::to_string(held) + " values: is it still being written?";
  });
  NpyMatrix matrix{.rows = rows, .columns = columns, .values = std::vector<float>(held)};
  if (held > 0) std::memcpy(matrix.values.data(), text.data() + begin + length, held * sizeof(float));
  return matrix;
}

NpyMatrix read_npy(const std::filesystem::path& path) { return parse_npy(MappedFile(path).bytes(), path.string()); }

}  // namespace onggi::formats
