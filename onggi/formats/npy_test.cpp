#include "onggi/formats/npy.h"

#include <gtest/gtest.h>

#include <array>
#include <string_view>

#include "onggi/core/error.h"

namespace onggi::formats {
namespace {

NpyMatrix parse(std::string_view text) {
  return parse_npy(std::as_bytes(std::span(text.data(), text.size())), "v.npy");
}

/// A file with this dictionary and body, format 1.0.
std::string file(std::string dictionary, std::string_view body) {
  return "\x93NUMPY\x01" + std::string(1, '\0') + static_cast<char>(dictionary.size()) + std::string(1, '\0') +
         dictionary + std::string(body);
}

TEST(Npy, HeaderIsAsNumpyWritesIt) {
  const std::string header = npy_header(12, 640);
  EXPECT_EQ(header.substr(0, 6), "\x93NUMPY");
  EXPECT_EQ(header.size() % 64, 0U);
  EXPECT_EQ(header.back(), '\n');
  const auto low = static_cast<unsigned char>(header[8]), high = static_cast<unsigned char>(header[9]);
  EXPECT_EQ(header.size(), 10U + low + 256U * high);
  EXPECT_EQ(header.find("{'descr': '<f4', 'fortran_order': False, 'shape': (12, 640), }"), 10U);
}

TEST(Npy, ValuesAreLittleEndian) {
  EXPECT_EQ(npy_bytes(std::array<float, 1>{1.0F}), std::string("\x00\x00\x80\x3F", 4));
}

TEST(Npy, ReadsWhatItWrites) {
  const std::array<float, 6> values = {1, 2, 3, 4, 5, -6};
  const auto matrix = parse(npy_header(2, 3) + npy_bytes(values));
  EXPECT_EQ(matrix.rows, 2);
  EXPECT_EQ(matrix.columns, 3);
  EXPECT_EQ(matrix.values, std::vector<float>(values.begin(), values.end()));
  EXPECT_EQ(parse(npy_header(0, 3)).rows, 0);
}

TEST(Npy, RefusesEverythingElse) {
  const std::string body(24, '\0');
  EXPECT_NO_THROW(parse(file("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }\n", body)));
  const std::string bad[] = {
      "",
      "\x93NUMPY",
      npy_header(2, 3) + body.substr(1),
      npy_header(2, 3) + body + std::string(4, '\0'),
      npy_header(3, 3) + body,
      npy_header(1LL << 62, 1LL << 62) + body,
      file("{'descr': '<f8', 'fortran_order': False, 'shape': (1, 3), }\n", body),
      file("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }\n", body),
      file("{'descr': '<f4', 'fortran_order': False, 'shape': (6,), }\n", body),
      file("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2, 3), }\n", body),
      file("{'descr': '<f4', 'fortran_order': False, 'shape': (-2, -3), }\n", body),
      file("{'descr': '<f4', 'fortran_order': False}", body),
      file("", body),
  };
  for (const auto& text : bad) {
    try {
      parse(text);
      ADD_FAILURE() << "taken: " << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kCorrupt) << text;
      EXPECT_EQ(error.where(), "v.npy");
    }
  }
}

}  // namespace
}  // namespace onggi::formats
