// Panels of 16 columns for the integer product, the same bytes in every table.
//
// A panel is a scale section, padded to 64 bytes, and a code section. Scales, for each 32 weights: d[16] (f16) and, for
// Q4_1 and Q5_1, m[16]; for each 256 weights of Q4_K and Q5_K: d[16], dmin[16] and 8 x (sc[16], mn[16]) in u8; of Q6_K:
// d[16] and 16 x sc[16] in i8. Codes, for each 32 weights, lie in 8 groups of 4 consecutive k: a group is 64 bytes, 4 of
// each column, so that a 32-bit lane is a column. Two groups j and j + 4 share a byte's nibbles; fifth bits follow, turned
// over, as 64 bytes (bit j of a byte belongs to group j), upper two bits of 6-bit codes as 2 x 64 bytes (groups 0-3 and
// 4-7).

constexpr int kQuantizedColumns = 16;
constexpr int kGroupBytes = 4 * kQuantizedColumns;
constexpr int kBlock = 32;

/// What the integer product needs to know of a type at compile time.
template <DType kDType>
struct Packed {
  static constexpr DType kType = kDType;
  static constexpr int kBits = kDType == DType::kQ8_0                                                            ? 8
                               : kDType == DType::kQ6_K                                                          ? 6
                               : kDType == DType::kQ5_0 || kDType == DType::kQ5_1 || kDType == DType::kQ5_K ? 5
                                                                                                                 : 4;
  static constexpr bool kIsK = kDType == DType::kQ4_K || kDType == DType::kQ5_K || kDType == DType::kQ6_K;
  static constexpr bool kHasMin =
      kDType == DType::kQ4_1 || kDType == DType::kQ5_1 || kDType == DType::kQ4_K || kDType == DType::kQ5_K;
  static constexpr int kUnit = kIsK ? 256 : kBlock;  ///< Weights that a scale record covers.
  static constexpr int kScaleBytes = kDType == DType::kQ6_K ? 288 : kIsK ? 320 : kHasMin ? 64 : 32;
  static constexpr int kCodeBytes = kBits == 8 ? 512 : kBits == 6 ? 384 : kBits == 5 ? 320 : 256;  ///< For 32 weights.
  static constexpr int kSumsPerBlock = kDType == DType::kQ6_K ? 2 : 1;
  static constexpr int kGroupsPerSum = 8 / kSumsPerBlock;
  /// Taken from the codes when they are unpacked, so that they are signed and small; added back as kOffset * xsum where
  /// the type's own codes are unsigned but too long for 16-bit sums.
  static constexpr int kCentre = kBits == 6 ? 32 : kBits == 5 ? 16 : kDType == DType::kQ4_0 ? 8 : 0;
  static constexpr int kOffset = kBits == 5 && kHasMin ? 16 : 0;

  static std::int64_t scale_section(std::int64_t depth) { return (depth / kUnit * kScaleBytes + 63) / 64 * 64; }
  static std::int64_t bytes(std::int64_t depth) { return scale_section(depth) + depth / kBlock * kCodeBytes; }
};

/// Calls function(Packed<type>{}) and returns true, or false where the type has no integer product.
template <class Function>
bool with_packed(DType type, Function&& function) {
  switch (type) {
    case DType::kQ4_0: function(Packed<DType::kQ4_0>{}); return true;
    case DType::kQ4_1: function(Packed<DType::kQ4_1>{}); return true;
    case DType::kQ5_0: function(Packed<DType::kQ5_0>{}); return true;
    case DType::kQ5_1: function(Packed<DType::kQ5_1>{}); return true;
    case DType::kQ8_0: function(Packed<DType::kQ8_0>{}); return true;
    case DType::kQ4_K: function(Packed<DType::kQ4_K>{}); return true;
    case DType::kQ5_K: function(Packed<DType::kQ5_K>{}); return true;
    case DType::kQ6_K: function(Packed<DType::kQ6_K>{}); return true;
    default: return false;
  }
}

std::int64_t packed_bytes(DType type, std::int64_t depth) {
  std::int64_t bytes = 0;
  with_packed(type, [&](auto packed) {
    if (depth % decltype(packed)::kUnit == 0) bytes = packed.bytes(depth);
  });
  return bytes;
}

/// The 32 codes of block b of a row, as the file has them (8-bit ones with their sign bit as it is).
template <class P>
inline void row_codes(const std::uint8_t* row, std::int64_t b, std::uint8_t* codes) {
  constexpr int kBytes = P::kIsK ? (P::kBits == 6 ? 210 : P::kBits == 5 ? 176 : 144)
                                 : 2 + 2 * P::kHasMin + (P::kBits == 8 ? 32 : P::kBits == 5 ? 20 : 16);
  if constexpr (P::kBits == 8) {
    __builtin_memcpy(codes, row + b * kBytes + 2, 32);
  } else if constexpr (!P::kIsK) {
    const std::uint8_t* p = row + b * kBytes + 2 + 2 * P::kHasMin;
    const Bytes16 q = load_bytes(p + (P::kBits == 5 ? 4 : 0));
    Bytes16 low = q & 15, high = q >> 4;
    if constexpr (P::kBits == 5) low |= fifth_bits(p), high |= fifth_bits(p + 2);
    __builtin_memcpy(codes, &low, 16);
    __builtin_memcpy(codes + 16, &high, 16);
  } else {
    const std::uint8_t* p = row + b / 8 * kBytes;
    const int part = static_cast<int>(b % 8);
    for (int l = 0; l < 32; l += 16) {
      Bytes16 q;
      if constexpr (P::kBits == 6) {
        const int half = part / 4, quarter = part % 4;
        const Bytes16 pair = load_bytes(p + 64 * half + 32 * (quarter % 2) + l);
        const Bytes16 upper = (load_bytes(p + 128 + 32 * half + l) >> static_cast<std::uint8_t>(2 * quarter)) & 3;
        q = (quarter < 2 ? pair & 15 : pair >> 4) | upper << 4;
      } else {
        const Bytes16 pair = load_bytes(p + (P::kBits == 5 ? 48 : 16) + 32 * (part / 2) + l);
        q = part % 2 == 0 ? pair & 15 : pair >> 4;
        if constexpr (P::kBits == 5) q |= ((load_bytes(p + 16 + l) >> static_cast<std::uint8_t>(part)) & 1) << 4;
      }
      __builtin_memcpy(codes + l, &q, 16);
    }
  }
}

/// Scales of one column of one record.
template <class P>
inline void pack_scales(const std::uint8_t* block, int column, std::uint8_t* record) {
  const auto copy_half = [&](int from, int to) { __builtin_memcpy(record + to + 2 * column, block + from, 2); };
  if constexpr (P::kType == DType::kQ6_K) {
    copy_half(208, 0);
    for (int j = 0; j < 16; ++j) record[32 + 16 * j + column] = block[192 + j];
  } else {
    copy_half(0, 0);
    if constexpr (P::kHasMin) copy_half(2, 32);
    if constexpr (P::kIsK) {
      for (int j = 0; j < 8; ++j) {
        const ScaleMin sm = scale_min(block + 4, j);
        record[64 + 32 * j + column] = sm.scale;
        record[80 + 32 * j + column] = sm.min;
      }
    }
  }
}

/// 8 groups of codes to their packed bytes.
template <class P>
inline void pack_codes(const std::uint8_t (&groups)[8][kGroupBytes], std::uint8_t* out) {
  if constexpr (P::kBits == 8) {
    __builtin_memcpy(out, groups, sizeof(groups));
    return;
  }
  for (int i = 0; i < kGroupBytes; ++i) {
    for (int j = 0; j < 4; ++j) {
      out[j * kGroupBytes + i] = static_cast<std::uint8_t>((groups[j][i] & 15) | groups[j + 4][i] << 4);
    }
    unsigned upper[2] = {};
    for (int j = 0; j < 8; ++j) {
      if constexpr (P::kBits == 5) upper[0] |= (~groups[j][i] >> 4 & 1U) << j;
      if constexpr (P::kBits == 6) upper[j / 4] |= (groups[j][i] >> 4 & 3U) << (2 * (j % 4));
    }
    if constexpr (P::kBits > 4) out[4 * kGroupBytes + i] = static_cast<std::uint8_t>(upper[0]);
    if constexpr (P::kBits == 6) out[5 * kGroupBytes + i] = static_cast<std::uint8_t>(upper[1]);
  }
}

void pack_quantized(DType type, const std::byte* const* rows, int num_columns, std::int64_t depth, std::byte* panel) {
  with_packed(type, [&](auto packed) {
    using P = decltype(packed);
    auto* out = reinterpret_cast<std::uint8_t*>(panel);
    __builtin_memset(out, 0, static_cast<std::size_t>(P::scale_section(depth)));
    const auto row = [&](int n) { return reinterpret_cast<const std::uint8_t*>(rows[n]); };
    for (std::int64_t unit = 0; unit < depth / P::kUnit; ++unit) {
      for (int n = 0; n < num_columns; ++n) {
        pack_scales<P>(row(n) + unit * block_shape(type).bytes, n, out + unit * P::kScaleBytes);
      }
    }
    std::uint8_t* codes = out + P::scale_section(depth);
    std::uint8_t groups[8][kGroupBytes] = {};
    for (std::int64_t b = 0; b < depth / kBlock; ++b) {
      for (int n = 0; n < num_columns; ++n) {
        std::uint8_t column[kBlock];
        row_codes<P>(row(n), b, column);
        for (int j = 0; j < 8; ++j) __builtin_memcpy(&groups[j][4 * n], column + 4 * j, 4);
      }
      pack_codes<P>(groups, codes + b * P::kCodeBytes);
    }
  });
}

constexpr int kBytes = static_cast<int>(sizeof(Bytes));

/// Calls emit(group, codes) for bytes i to i + kBytes of each of the 8 groups of a packed block; codes are signed, less
/// P::kCentre.
template <class P, class Emit>
inline void unpack_groups(const std::uint8_t* packed, int i, Emit&& emit) {
  if constexpr (P::kBits == 8) {
#pragma GCC unroll 8
    for (int j = 0; j < 8; ++j) emit(j, load_as<Bytes>(packed + j * kGroupBytes + i));
  } else {
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j) {
      const Bytes pair = load_as<Bytes>(packed + j * kGroupBytes + i);
      Bytes low = pair & 15, high = (Bytes)((Words)pair >> 4) & 15;
      if constexpr (P::kBits == 4) {
        if constexpr (P::kCentre != 0) low -= P::kCentre, high -= P::kCentre;
      } else if constexpr (P::kBits == 5) {
        const Words upper = load_as<Words>(packed + 4 * kGroupBytes + i);  // 16 where the fifth bit is not set
        low -= (Bytes)(upper << static_cast<std::uint16_t>(4 - j)) & 16;
        high -= (Bytes)(upper >> static_cast<std::uint16_t>(j)) & 16;
      } else {
        const auto at_bit_4 = [j](Words w) {
          return (Bytes)(j < 2 ? w << static_cast<std::uint16_t>(4 - 2 * j)
                               : w >> static_cast<std::uint16_t>(2 * j - 4)) & 48;
        };
        low = (low | at_bit_4(load_as<Words>(packed + 4 * kGroupBytes + i))) - 32;
        high = (high | at_bit_4(load_as<Words>(packed + 5 * kGroupBytes + i))) - 32;
      }
      emit(j, low);
      emit(j + 4, high);
    }
  }
}
