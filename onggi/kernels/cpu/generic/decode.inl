// Blocks to f32, equal bits to quant::decode: a product or sum is rounded wherever the reference rounds.
using quant::DType;

template <class T>
inline T load_as(const void* p) {
  T value;
  __builtin_memcpy(&value, p, sizeof(value));
  return value;
}
inline Bytes16 load_bytes(const std::uint8_t* p) { return load_as<Bytes16>(p); }
inline F32 splat_f16(const std::uint8_t* p) { return splat(f16_to_f32(load_as<std::uint16_t>(p))); }

struct BlockShape {
  int elements, bytes;
};
inline BlockShape block_shape(DType type) {
  switch (type) {
    case DType::kF32: return {1, 4};
    case DType::kF16:
    case DType::kBF16: return {1, 2};
    case DType::kQ4_0: return {32, 18};
    case DType::kQ4_1: return {32, 20};
    case DType::kQ5_0: return {32, 22};
    case DType::kQ5_1: return {32, 24};
    case DType::kQ8_0: return {32, 34};
    case DType::kQ4_K: return {256, 144};
    case DType::kQ5_K: return {256, 176};
    case DType::kQ6_K: return {256, 210};
    default: return {0, 0};
  }
}

/// 16 where the bit of element i is set, else 0, for the 16 elements of two bytes.
inline Bytes16 fifth_bits(const std::uint8_t* qh) {
  typedef std::uint64_t Longs __attribute__((vector_size(16)));
  const Longs spread = {qh[0] * 0x0101010101010101ULL, qh[1] * 0x0101010101010101ULL};
  const Bytes16 bit = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
  return (Bytes16)(((Bytes16)spread & bit) == bit) & 16;
}

inline void store_affine(float* out, Bytes16 q, F32 offset, F32 d) { store(out, (from_unsigned(q) + offset) * d); }
inline void store_with_min(float* out, Bytes16 q, F32 d, F32 m) { store(out, from_unsigned(q) * d + m); }

inline void decode_q4_0(const std::uint8_t* b, float* out) {
  const Bytes16 q = load_bytes(b + 2);
  const F32 d = splat_f16(b);
  store_affine(out, q & 15, splat(-8.0F), d);
  store_affine(out + 16, q >> 4, splat(-8.0F), d);
}
inline void decode_q4_1(const std::uint8_t* b, float* out) {
  const Bytes16 q = load_bytes(b + 4);
  const F32 d = splat_f16(b), m = splat_f16(b + 2);
  store_with_min(out, q & 15, d, m);
  store_with_min(out + 16, q >> 4, d, m);
}
inline void decode_q5_0(const std::uint8_t* b, float* out) {
  const Bytes16 q = load_bytes(b + 6);
  const F32 d = splat_f16(b);
  store_affine(out, (q & 15) | fifth_bits(b + 2), splat(-16.0F), d);
  store_affine(out + 16, (q >> 4) | fifth_bits(b + 4), splat(-16.0F), d);
}
inline void decode_q5_1(const std::uint8_t* b, float* out) {
  const Bytes16 q = load_bytes(b + 8);
  const F32 d = splat_f16(b), m = splat_f16(b + 2);
  store_with_min(out, (q & 15) | fifth_bits(b + 4), d, m);
  store_with_min(out + 16, (q >> 4) | fifth_bits(b + 6), d, m);
}
inline void decode_q8_0(const std::uint8_t* b, float* out) {
  const F32 d = splat_f16(b);
  store(out, from_signed(load_bytes(b + 2)) * d);
  store(out + 16, from_signed(load_bytes(b + 18)) * d);
}

struct ScaleMin {
  std::uint8_t scale, min;
};
/// The 6-bit scale and minimum of sub-block j from the 12 bytes of Q4_K and Q5_K.
inline ScaleMin scale_min(const std::uint8_t* s, int j) {
  if (j < 4) return {static_cast<std::uint8_t>(s[j] & 63), static_cast<std::uint8_t>(s[j + 4] & 63)};
  return {static_cast<std::uint8_t>((s[j + 4] & 15) | (s[j - 4] >> 6) << 4),
          static_cast<std::uint8_t>((s[j + 4] >> 4) | (s[j] >> 6) << 4)};
}

template <bool kFiveBits>
inline void decode_q45_k(const std::uint8_t* b, float* out) {
  const float d = f16_to_f32(load_as<std::uint16_t>(b));
  const float dmin = f16_to_f32(load_as<std::uint16_t>(b + 2));
  const std::uint8_t* qh = b + 16;
  const std::uint8_t* qs = b + (kFiveBits ? 48 : 16);
  for (int j = 0; j < 8; ++j) {
    const ScaleMin sm = scale_min(b + 4, j);
    const F32 scale = splat(d * static_cast<float>(sm.scale));
    const F32 m = splat(-(dmin * static_cast<float>(sm.min)));
    for (int l = 0; l < 32; l += 16) {
      const Bytes16 pair = load_bytes(qs + 32 * (j / 2) + l);
      Bytes16 q = j % 2 == 0 ? pair & 15 : pair >> 4;
      if constexpr (kFiveBits) q |= ((load_bytes(qh + l) >> static_cast<std::uint8_t>(j)) & 1) << 4;
      store_with_min(out + 32 * j + l, q, scale, m);
    }
  }
}

inline void decode_q6_k(const std::uint8_t* b, float* out) {
  const float d = f16_to_f32(load_as<std::uint16_t>(b + 208));
  for (int half = 0; half < 2; ++half) {
    const std::uint8_t* ql = b + 64 * half;
    const std::uint8_t* qh = b + 128 + 32 * half;
    const std::uint8_t* scales = b + 192 + 8 * half;
    for (int part = 0; part < 8; ++part) {  // 16 values with one scale
      const int quarter = part / 2, l = 16 * (part % 2);
      const Bytes16 low = load_bytes(ql + 32 * (quarter % 2) + l);
      const Bytes16 nibble = quarter < 2 ? low & 15 : low >> 4;
      const Bytes16 high = (load_bytes(qh + l) >> static_cast<std::uint8_t>(2 * quarter)) & 3;
      const F32 scale = splat(d * static_cast<float>(static_cast<std::int8_t>(scales[part])));
      store_affine(out + 128 * half + 16 * part, nibble | high << 4, splat(-32.0F), scale);
    }
  }
}

template <int kElements, int kBytes, class Decode>
inline void decode_blocks(const std::uint8_t* blocks, std::int64_t elements, float* out, Decode&& decode_one) {
  for (std::int64_t i = 0; i + kElements <= elements; i += kElements) {
    decode_one(blocks, out + i);
    blocks += kBytes;
  }
}

/// 16-bit floats; the last piece goes through a local copy.
template <class Load>
inline void decode_halves(const std::uint8_t* p, std::int64_t elements, float* out, Load&& load_16) {
  std::int64_t i = 0;
  for (; i + 16 <= elements; i += 16) store(out + i, load_16(p + 2 * i));
  if (i < elements) {
    std::uint16_t last[16] = {};
    __builtin_memcpy(last, p + 2 * i, static_cast<std::size_t>(2 * (elements - i)));
    store_first(out + i, load_16(last), static_cast<int>(elements - i));
  }
}

void decode(DType type, const std::byte* blocks, std::int64_t elements, float* out) {
  const auto* b = reinterpret_cast<const std::uint8_t*>(blocks);
  switch (type) {
    case DType::kF32:
      if (elements > 0) __builtin_memcpy(out, b, static_cast<std::size_t>(elements) * 4);
      return;
    case DType::kF16: return decode_halves(b, elements, out, [](const void* p) { return load_f16(p); });
    case DType::kBF16: return decode_halves(b, elements, out, [](const void* p) { return load_bf16(p); });
    case DType::kQ4_0: return decode_blocks<32, 18>(b, elements, out, decode_q4_0);
    case DType::kQ4_1: return decode_blocks<32, 20>(b, elements, out, decode_q4_1);
    case DType::kQ5_0: return decode_blocks<32, 22>(b, elements, out, decode_q5_0);
    case DType::kQ5_1: return decode_blocks<32, 24>(b, elements, out, decode_q5_1);
    case DType::kQ8_0: return decode_blocks<32, 34>(b, elements, out, decode_q8_0);
    case DType::kQ4_K: return decode_blocks<256, 144>(b, elements, out, decode_q45_k<false>);
    case DType::kQ5_K: return decode_blocks<256, 176>(b, elements, out, decode_q45_k<true>);
    case DType::kQ6_K: return decode_blocks<256, 210>(b, elements, out, decode_q6_k);
    default: return;
  }
}

void decode_transposed(DType type, const std::byte* rows, std::int64_t row_bytes, int num_columns, std::int64_t k0,
                       std::int64_t depth, float* out) {
  constexpr std::int64_t kChunk = 256;       // the longest block
  constexpr std::int64_t kStride = kChunk + 16;  // not a power of two: 16 rows must not share cache sets
  const BlockShape shape = block_shape(type);
  if (shape.elements == 0) return;
  alignas(64) float rows_f32[16 * kStride];
  for (int n = num_columns; n < 16; ++n) __builtin_memset(rows_f32 + n * kStride, 0, kStride * sizeof(float));
  for (std::int64_t done = 0; done < depth; done += kChunk) {
    const std::int64_t count = depth - done < kChunk ? depth - done : kChunk;
    const std::int64_t offset = (k0 + done) / shape.elements * shape.bytes;
    for (int n = 0; n < num_columns; ++n) decode(type, rows + n * row_bytes + offset, count, rows_f32 + n * kStride);
    std::int64_t k = 0;
    for (; k + 16 <= count; k += 16) transpose16(rows_f32 + k, kStride, out + (done + k) * kPanelColumns);
    for (; k < count; ++k) {
      for (int n = 0; n < 16; ++n) out[(done + k) * kPanelColumns + n] = rows_f32[n * kStride + k];
    }
  }
}
