// int8 activations and the product of them with a packed panel. For many rows the codes of a stretch of the panel are
// unpacked to signed bytes that stay in the first-level cache while all rows meet them (block_sums); for a few rows they
// are unpacked in registers (packed_sums). These two integer sums are what differs by instruction set.

/// Adding it rounds to an integer, ties to even, and leaves q + 128 in the low byte.
constexpr float kByteShift = 12582912.0F + 128.0F;

void quantize_rows(const float* x, std::int64_t num_rows, std::int64_t depth, std::int64_t x_row_stride,
                   const QuantizedRows& out) {
  const std::int64_t num_blocks = depth / kBlock;
  const F32 shift = splat(kByteShift);
  for (std::int64_t row = 0; row < num_rows; ++row) {
    for (std::int64_t b = 0; b < num_blocks; ++b) {
      const float* in = x + row * x_row_stride + b * kBlock;
      const F32 low = load(in), high = load(in + 16);
      const float largest = max_lane(max(abs(low), abs(high)));
      // Below this 127 / largest overflows; such a block counts as zero.
      const bool is_zero = largest < 0x1p-120F;
      const F32 inverse = splat(is_zero ? 0.0F : 127.0F / largest);
      const F32 q_low = low * inverse + shift, q_high = high * inverse + shift;
      const std::int64_t block = row * num_blocks + b;
      store_low_bytes(out.q + block * kBlock, q_low);
      store_low_bytes(out.q + block * kBlock + 16, q_high);
      // 0 * x is NaN where x is not finite: the output must not look sound then.
      const float not_finite = sum((low + high) * splat(0.0F));
      out.scale[block] = (is_zero ? 0.0F : largest / 127.0F) + not_finite;
      out.sum16[2 * block] = static_cast<std::int16_t>(not_finite == 0.0F ? sum(q_low - shift) : 0.0F);
      out.sum16[2 * block + 1] = static_cast<std::int16_t>(not_finite == 0.0F ? sum(q_high - shift) : 0.0F);
    }
  }
}

constexpr std::int64_t kStretch = 512;  // weights of each column unpacked at a time; a multiple of 256

/// A stretch of a panel, ready for block_sums.
struct Stretch {
  const std::int8_t* codes;  ///< [blocks][8][kGroupBytes]
  alignas(64) std::int8_t unpacked[kStretch * kQuantizedColumns];
  const std::uint8_t* packed;
  alignas(64) std::int32_t correction[kStretch / 16][kQuantizedColumns];  ///< A sum begins with it; see block_sums.
  alignas(64) float scale[kStretch / 16][kQuantizedColumns];
  alignas(64) float bias[kStretch / kBlock][kQuantizedColumns];
};

/// Scales (and biases) of `count` weights a column from the record at `record` on.
template <class P>
inline void unpack_scales(const std::uint8_t* record, std::int64_t count, Stretch& s) {
  for (std::int64_t unit = 0; unit < count / P::kUnit; ++unit, record += P::kScaleBytes) {
    const F32 d = load_f16(record);
    if constexpr (P::kType == DType::kQ6_K) {
      for (int j = 0; j < 16; ++j) store(s.scale[unit * 16 + j], d * from_signed(load_bytes(record + 32 + 16 * j)));
    } else if constexpr (P::kIsK) {
      const F32 dmin = splat(0.0F) - load_f16(record + 32);
      for (int j = 0; j < 8; ++j) {
        store(s.scale[unit * 8 + j], d * from_unsigned(load_bytes(record + 64 + 32 * j)));
        store(s.bias[unit * 8 + j], dmin * from_unsigned(load_bytes(record + 80 + 32 * j)));
      }
    } else {
      store(s.scale[unit], d);
      if constexpr (P::kHasMin) store(s.bias[unit], load_f16(record + 32));
    }
  }
}

/// The codes of `num_blocks` blocks to signed bytes, with what their sums begin with.
template <class P>
inline void unpack_codes(std::int64_t num_blocks, Stretch& s) {
  if constexpr (P::kBits == 8) {
    s.codes = reinterpret_cast<const std::int8_t*>(s.packed);
    if constexpr (kCorrectsEightBits) {
      for (std::int64_t b = 0; b < num_blocks; ++b) correct_eight_bits(s.codes + b * P::kCodeBytes, s.correction[b]);
    }
  } else {
    s.codes = s.unpacked;
    for (std::int64_t b = 0; b < num_blocks; ++b) {
      std::int8_t* out = s.unpacked + b * 8 * kGroupBytes;
      for (int i = 0; i < kGroupBytes; i += kBytes) {
        Bytes sums[P::kSumsPerBlock] = {};  // a column's codes of one block add up to at most 8 * 16 in size
        unpack_groups<P>(s.packed + b * P::kCodeBytes, i, [&](int group, Bytes code) {
          __builtin_memcpy(out + group * kGroupBytes + i, &code, kBytes);
          sums[group / P::kGroupsPerSum] += code;
        });
        for (int part = 0; part < P::kSumsPerBlock; ++part) {
          store_correction(sums[part], s.correction[b * P::kSumsPerBlock + part] + i / 4);
        }
      }
    }
  }
}

/// Rows that share the panel's registers; activations of the first row at the stretch's first block.
struct RowTile {
  const std::uint8_t* q;
  const float* scale;
  const std::int16_t* sum16;
  std::int64_t depth;  ///< Row stride of q; / 32 that of scale, / 16 that of sum16.
  float* c;
  std::int64_t c_row_stride;
  int num_columns;
  bool is_first;  ///< Starts from 0, else from C.
};

/// kPackedCodes: straight from the packed bytes, which are then fetched ahead of their use.
template <int kRows, class P, bool kPackedCodes>
void product_tile(const Stretch& s, std::int64_t num_blocks, const RowTile& t) {
  F32 acc[kRows];
  for (int r = 0; r < kRows; ++r) {
    acc[r] = t.is_first ? splat(0.0F) : load_lanes(t.c + r * t.c_row_stride, t.num_columns);
  }
  for (std::int64_t b = 0; b < num_blocks; ++b) {
    F32 sums[P::kSumsPerBlock][kRows];
    if constexpr (kPackedCodes) {
      // Past the panel lies the next one, and a prefetch never faults.
      const std::uint8_t* packed = s.packed + b * P::kCodeBytes;
#pragma GCC unroll 8
      for (int line = 0; line < P::kCodeBytes; line += 64) prefetch(packed + kPrefetchBytes + line);
      packed_sums<kRows, P>(packed, t.q + b * kBlock, t.depth, sums);
    }
    for (int part = 0; part < P::kSumsPerBlock; ++part) {
      const std::int64_t at = b * P::kSumsPerBlock + part;
      if constexpr (!kPackedCodes) {
        block_sums<kRows, P>(s.codes + at * P::kGroupsPerSum * kGroupBytes, s.correction[at],
                             t.q + at * 4 * P::kGroupsPerSum, t.depth, sums[part]);
      }
      const F32 weight_scale = load(s.scale[at]);
#pragma GCC unroll 8
      for (int r = 0; r < kRows; ++r) {
        const float x_scale = t.scale[r * (t.depth / kBlock) + b];
        if constexpr (P::kHasMin) {
          const std::int16_t* pair = t.sum16 + r * (t.depth / 16) + 2 * b;
          const auto x_sum = static_cast<float>(pair[0] + pair[1]);
          if constexpr (P::kOffset != 0) sums[part][r] = sums[part][r] + splat(P::kOffset * x_sum);  // integers: exact
          acc[r] = fma(sums[part][r], weight_scale * splat(x_scale), acc[r]);
          acc[r] = fma(load(s.bias[b]), splat(x_sum * x_scale), acc[r]);
        } else {
          acc[r] = fma(sums[part][r], weight_scale * splat(x_scale), acc[r]);
        }
      }
    }
  }
  for (int r = 0; r < kRows; ++r) store_lanes(t.c + r * t.c_row_stride, acc[r], t.num_columns);
}

template <int kRows, class P>
void product_rows(const Stretch& s, std::int64_t num_blocks, RowTile t, std::int64_t num_rows) {
  for (; num_rows >= kRows; num_rows -= kRows) {
    product_tile<kRows, P, false>(s, num_blocks, t);
    t.q += kRows * t.depth;
    t.scale += kRows * (t.depth / kBlock);
    t.sum16 += kRows * (t.depth / 16);
    t.c += kRows * t.c_row_stride;
  }
  if constexpr (kRows > 1) product_rows<kRows / 2, P>(s, num_blocks, t, num_rows);
}

template <class P>
void product_as(const QuantizedProduct& p) {
  Stretch s;
  const auto* scales = reinterpret_cast<const std::uint8_t*>(p.panel);
  const auto* codes = scales + P::scale_section(p.depth);
  const auto* q = reinterpret_cast<const std::uint8_t*>(p.q);
  for (std::int64_t k = 0; k == 0 || k < p.depth; k += kStretch) {
    const std::int64_t count = p.depth - k < kStretch ? p.depth - k : kStretch;
    const std::int64_t num_blocks = count / kBlock;
    unpack_scales<P>(scales + k / P::kUnit * P::kScaleBytes, count, s);
    s.packed = codes + k / kBlock * P::kCodeBytes;
    const RowTile rows = {.q = q + k,
                          .scale = p.scale + k / kBlock,
                          .sum16 = p.sum16 + k / 16,
                          .depth = p.depth,
                          .c = p.c,
                          .c_row_stride = p.c_row_stride,
                          .num_columns = p.num_columns,
                          .is_first = k == 0};
    if (p.num_rows == 1) {
      product_tile<1, P, true>(s, num_blocks, rows);
    } else if (p.num_rows == 2) {
      product_tile<2, P, true>(s, num_blocks, rows);
    } else {
      unpack_codes<P>(num_blocks, s);
      product_rows<kProductRows, P>(s, num_blocks, rows, p.num_rows);
    }
  }
}

void quantized_product(const QuantizedProduct& p) {
  with_packed(p.type, [&](auto packed) { product_as<decltype(packed)>(p); });
}
