#include "onggi/tasks/embed/npy.h"

#include <gtest/gtest.h>

#include <array>

namespace onggi::tasks {
namespace {

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

}  // namespace
}  // namespace onggi::tasks
