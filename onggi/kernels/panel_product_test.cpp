#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "onggi/kernels/kernels.h"
#include "onggi/kernels/test_support.h"
#include "tests/support/tolerance.h"

namespace onggi::kernels {
namespace {

using onggi::testing::expect_equal_bits;
using testing::random_floats;
using Floats = std::vector<float>;

/// C after the call of one table, in a frame that must stay as it was.
struct Case {
  std::int64_t rows, depth;
  int columns;
  bool accumulate, transposed_a;
  std::int64_t panel_stride = kPanelColumns;
};

Floats run(const Kernels& k, const Case& c, const Floats& a, const Floats& panel, Floats out) {
  k.panel_product({.num_rows = c.rows,
                   .depth = c.depth,
                   .a = a.data(),
                   .a_row_stride = c.transposed_a ? 1 : c.depth + 3,
                   .a_depth_stride = c.transposed_a ? c.rows + 2 : 1,
                   .panel = panel.data(),
                   .panel_stride = c.panel_stride,
                   .c = out.data(),
                   .c_row_stride = 21,
                   .num_columns = c.columns,
                   .accumulate = c.accumulate});
  return out;
}

/// The contract, word by word.
Floats expected(const Case& c, const Floats& a, const Floats& panel, Floats out) {
  for (std::int64_t m = 0; m < c.rows; ++m) {
    for (std::int64_t n = 0; n < c.columns; ++n) {
      float sum = c.accumulate ? out[m * 21 + n] : 0;
      for (std::int64_t k = 0; k < c.depth; ++k) {
        sum = std::fma(a[c.transposed_a ? k * (c.rows + 2) + m : m * (c.depth + 3) + k], panel[k * c.panel_stride + n],
                       sum);
      }
      out[m * 21 + n] = sum;
    }
  }
  return out;
}

TEST(PanelProduct, IsOneFmaChainInEveryTableAndTouchesItsColumnsOnly) {
  std::vector<Case> cases;
  for (std::int64_t rows = 0; rows <= 20; ++rows) {
    cases.push_back({rows, 33, 16, rows % 2 == 0, rows % 3 == 0});
    cases.push_back({rows, 8, 1 + static_cast<int>(rows % 15), rows % 3 == 0, rows % 2 == 0});
  }
  for (int columns = 1; columns <= 16; ++columns) cases.push_back({7, 5, columns, columns % 2 == 0, false});
  for (const std::int64_t depth : {0, 1, 2, 15, 16, 17, 640}) {
    cases.push_back({13, depth, 16, false, false});
    cases.push_back({13, depth, 9, true, true, 24});
  }
  cases.push_back({151, 300, 16, true, false, 40});
  for (const Case& c : cases) {
    const Floats a = random_floats(1, (c.rows + 3) * (c.depth + 3)),
                 panel = random_floats(2, (c.depth + 1) * c.panel_stride);
    const Floats before = random_floats(3, (c.rows + 1) * 21);
    const Floats want = expected(c, a, panel, before);
    for (const Kernels* k : available_kernels()) {
      SCOPED_TRACE(std::string(k->isa) + " " + std::to_string(c.rows) + " x " + std::to_string(c.depth));
      const Floats got = run(*k, c, a, panel, before);
      expect_equal_bits(got, want);
    }
  }
}

TEST(Int8PanelProduct, IsOneFmaChainAndOneScaleInEveryTable) {
  for (const std::int64_t rows : {0, 1, 2, 5, 6, 7, 13, 31}) {
    for (const std::int64_t depth : {0, 1, 16, 33, 640}) {
      const int columns = static_cast<int>(1 + (rows + depth) % 16);
      const bool accumulate = rows % 2 == 0;
      const Floats a = random_floats(1, (rows + 1) * (depth + 3)), scale = random_floats(2, 16);
      const Floats before = random_floats(3, (rows + 1) * 21);
      std::vector<std::int8_t> panel;
      for (const float x : random_floats(4, depth * 16))
        panel.push_back(static_cast<std::int8_t>(std::lrint(std::clamp(x * 60, -127.0F, 127.0F))));
      Floats want = before;
      for (std::int64_t m = 0; m < rows; ++m) {
        for (int n = 0; n < columns; ++n) {
          float sum = 0;
          for (std::int64_t k = 0; k < depth; ++k)
            sum = std::fma(a[m * (depth + 3) + k], static_cast<float>(panel[k * 16 + n]), sum);
          want[m * 21 + n] = std::fma(scale[n], sum, accumulate ? want[m * 21 + n] : 0.0F);
        }
      }
      for (const Kernels* k : available_kernels()) {
        SCOPED_TRACE(std::string(k->isa) + " " + std::to_string(rows) + " x " + std::to_string(depth));
        Floats got = before;
        k->int8_panel_product({.num_rows = rows,
                               .depth = depth,
                               .a = a.data(),
                               .a_row_stride = depth + 3,
                               .panel = panel.data(),
                               .scale = scale.data(),
                               .c = got.data(),
                               .c_row_stride = 21,
                               .num_columns = columns,
                               .accumulate = accumulate});
        expect_equal_bits(got, want);
      }
    }
  }
}

TEST(PanelProduct, BlocksOfDepthGiveTheBitsOfOneCall) {
  const std::int64_t rows = 31, depth = 200;
  const Floats a = random_floats(4, rows * depth), panel = random_floats(5, depth * 16);
  for (const Kernels* k : available_kernels()) {
    Floats whole(rows * 16), parts(rows * 16);
    PanelProduct p{.num_rows = rows,
                   .depth = depth,
                   .a = a.data(),
                   .a_row_stride = depth,
                   .panel = panel.data(),
                   .c = whole.data(),
                   .c_row_stride = 16};
    k->panel_product(p);
    p.c = parts.data();
    for (std::int64_t at = 0; at < depth; at += 64) {
      p.depth = std::min<std::int64_t>(64, depth - at);
      p.a = a.data() + at;
      p.panel = panel.data() + at * 16;
      p.accumulate = at > 0;
      k->panel_product(p);
    }
    expect_equal_bits(parts, whole, k->isa.data());
  }
}

}  // namespace
}  // namespace onggi::kernels
