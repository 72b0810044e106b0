// int8_panel_product: panel_product's tiles, the panel's codes made f32 in the register.

template <int kRows>
void int8_panel_tile(const Int8PanelProduct& p, const float* a, float* c) {
  F32 acc[kRows];
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) acc[r] = splat(0.0F);
  const std::int8_t* panel = p.panel;
  for (std::int64_t k = 0; k < p.depth; ++k) {
    Bytes16 codes;
    __builtin_memcpy(&codes, panel, sizeof codes);
    const F32 b = from_signed(codes);
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) acc[r] = fma(splat(a[r * p.a_row_stride + k]), b, acc[r]);
    panel += kPanelColumns;
  }
  const bool whole = p.num_columns == kPanelColumns;
  const F32 scale = load(p.scale);
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
    float* out = c + r * p.c_row_stride;
    const F32 before = !p.accumulate ? splat(0.0F) : whole ? load(out) : load_first(out, p.num_columns);
    if (whole) {
      store(out, fma(scale, acc[r], before));
    } else {
      store_first(out, fma(scale, acc[r], before), p.num_columns);
    }
  }
}

template <int kRows>
void int8_panel_last_rows(const Int8PanelProduct& p, std::int64_t rows, const float* a, float* c) {
  if (rows == kRows) {
    int8_panel_tile<kRows>(p, a, c);
  } else if constexpr (kRows > 1) {
    int8_panel_last_rows<kRows - 1>(p, rows, a, c);
  }
}

void int8_panel_product(const Int8PanelProduct& p) {
  for (std::int64_t m = 0; m < p.num_rows; m += kPanelRows) {
    const std::int64_t rows = p.num_rows - m < kPanelRows ? p.num_rows - m : kPanelRows;
    int8_panel_last_rows<kPanelRows>(p, rows, p.a + m * p.a_row_stride, p.c + m * p.c_row_stride);
  }
}
