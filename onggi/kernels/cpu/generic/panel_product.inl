// panel_product: tiles of kPanelRows rows by one 16-lane column. Every output is one fma chain over k.

template <int kRows, bool kContiguous>
void panel_tile(const PanelProduct& p, const float* a, float* c) {
  const std::int64_t row_stride = p.a_row_stride;
  const std::int64_t depth_stride = kContiguous ? 1 : p.a_depth_stride;
  const bool whole = p.num_columns == kPanelColumns;
  F32 acc[kRows];
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
    acc[r] = !p.accumulate ? splat(0.0F)
             : whole       ? load(c + r * p.c_row_stride)
                           : load_first(c + r * p.c_row_stride, p.num_columns);
  }
  const float* panel = p.panel;
  const std::int64_t panel_stride = p.panel_stride;
  for (std::int64_t k = 0; k < p.depth; ++k) {
    const F32 b = load(panel);
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) acc[r] = fma(splat(a[r * row_stride]), b, acc[r]);
    panel += panel_stride;
    a += depth_stride;
  }
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
    if (whole) {
      store(c + r * p.c_row_stride, acc[r]);
    } else {
      store_first(c + r * p.c_row_stride, acc[r], p.num_columns);
    }
  }
}

template <int kRows>
void panel_last_rows(const PanelProduct& p, std::int64_t rows, const float* a, float* c) {
  if (rows == kRows) {
    if (p.a_depth_stride == 1) {
      panel_tile<kRows, true>(p, a, c);
    } else {
      panel_tile<kRows, false>(p, a, c);
    }
  } else if constexpr (kRows > 1) {
    panel_last_rows<kRows - 1>(p, rows, a, c);
  }
}

void panel_product(const PanelProduct& p) {
  std::int64_t m = 0;
  for (; m < p.num_rows; m += kPanelRows) {
    const std::int64_t rows = p.num_rows - m < kPanelRows ? p.num_rows - m : kPanelRows;
    panel_last_rows<kPanelRows>(p, rows, p.a + m * p.a_row_stride, p.c + m * p.c_row_stride);
  }
}
