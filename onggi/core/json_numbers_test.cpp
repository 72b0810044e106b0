#include "onggi/core/json_numbers.h"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "onggi/core/json.h"

namespace onggi {
namespace {

TEST(JsonNumbers, ReadBackAsTheSameFloats) {
  const std::vector<float> values = {0.1F, -0.0F, 1e-45F, 3.4e38F, 1.0F / 3.0F};
  const Json list = parse_json(json_numbers(values), "list");
  ASSERT_EQ(list.size(), values.size());
  for (std::size_t i = 0; i < values.size(); ++i) EXPECT_EQ(static_cast<float>(list[i].get<double>()), values[i]);
  EXPECT_EQ(json_numbers(std::vector<float>{0.1F, 2.0F}), "[0.1,2]");
  EXPECT_EQ(json_numbers(std::vector<float>{}), "[]");
}

TEST(JsonNumbers, WhatIsNotFiniteIsNull) {
  const float nan = std::numeric_limits<float>::quiet_NaN(), infinite = std::numeric_limits<float>::infinity();
  EXPECT_EQ(json_numbers(std::vector<float>{nan, infinite, 1.0F}), "[null,null,1]");
}

}  // namespace
}  // namespace onggi
