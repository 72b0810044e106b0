// The SIMD vocabulary on AVX2: 16 f32 lanes in two registers. Included inside an anonymous namespace.

struct F32 {
  __m256 lo, hi;
};

constexpr int kPanelRows = 6;  // 12 accumulators, 2 of the panel, 1 broadcast: 15 of 16 registers
typedef std::uint8_t Bytes16 __attribute__((vector_size(16)));
typedef std::uint8_t Bytes __attribute__((vector_size(32)));
typedef std::uint16_t Words __attribute__((vector_size(32)));

/// All ones in the lanes begin <= i < end of 8 that start at `first`.
inline __m256i lanes_between(int first, int begin, int end) {
  const __m256i lane = _mm256_add_epi32(_mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7), _mm256_set1_epi32(first));
  return _mm256_andnot_si256(_mm256_cmpgt_epi32(_mm256_set1_epi32(begin), lane),
                             _mm256_cmpgt_epi32(_mm256_set1_epi32(end), lane));
}

inline F32 splat(float x) { return {_mm256_set1_ps(x), _mm256_set1_ps(x)}; }
inline F32 load(const float* p) { return {_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)}; }
inline F32 load_first(const float* p, int n) {
  return {_mm256_maskload_ps(p, lanes_between(0, 0, n)), _mm256_maskload_ps(p + 8, lanes_between(8, 0, n))};
}
inline void store(float* p, F32 a) {
  _mm256_storeu_ps(p, a.lo);
  _mm256_storeu_ps(p + 8, a.hi);
}
inline void store_first(float* p, F32 a, int n) {
  _mm256_maskstore_ps(p, lanes_between(0, 0, n), a.lo);
  _mm256_maskstore_ps(p + 8, lanes_between(8, 0, n), a.hi);
}

inline F32 operator+(F32 a, F32 b) { return {_mm256_add_ps(a.lo, b.lo), _mm256_add_ps(a.hi, b.hi)}; }
inline F32 operator-(F32 a, F32 b) { return {_mm256_sub_ps(a.lo, b.lo), _mm256_sub_ps(a.hi, b.hi)}; }
inline F32 operator*(F32 a, F32 b) { return {_mm256_mul_ps(a.lo, b.lo), _mm256_mul_ps(a.hi, b.hi)}; }
inline F32 operator/(F32 a, F32 b) { return {_mm256_div_ps(a.lo, b.lo), _mm256_div_ps(a.hi, b.hi)}; }
inline F32 fma(F32 a, F32 b, F32 c) { return {_mm256_fmadd_ps(a.lo, b.lo, c.lo), _mm256_fmadd_ps(a.hi, b.hi, c.hi)}; }
inline F32 max(F32 a, F32 b) { return {_mm256_max_ps(a.lo, b.lo), _mm256_max_ps(a.hi, b.hi)}; }
inline F32 min(F32 a, F32 b) { return {_mm256_min_ps(a.lo, b.lo), _mm256_min_ps(a.hi, b.hi)}; }
inline F32 abs(F32 a) {
  const __m256 sign = _mm256_set1_ps(-0.0F);
  return {_mm256_andnot_ps(sign, a.lo), _mm256_andnot_ps(sign, a.hi)};
}
inline F32 less_select(F32 a, F32 b, F32 x, F32 y) {
  return {_mm256_blendv_ps(y.lo, x.lo, _mm256_cmp_ps(a.lo, b.lo, _CMP_LT_OQ)),
          _mm256_blendv_ps(y.hi, x.hi, _mm256_cmp_ps(a.hi, b.hi, _CMP_LT_OQ))};
}
inline F32 range_select(int begin, int end, F32 x, F32 y) {
  return {_mm256_blendv_ps(y.lo, x.lo, _mm256_castsi256_ps(lanes_between(0, begin, end))),
          _mm256_blendv_ps(y.hi, x.hi, _mm256_castsi256_ps(lanes_between(8, begin, end)))};
}
inline __m256 pow2_of_shifted(__m256 a) {
  return _mm256_castsi256_ps(
      _mm256_add_epi32(_mm256_slli_epi32(_mm256_castps_si256(a), 23), _mm256_set1_epi32(0x3F800000)));
}
inline F32 pow2_of_shifted(F32 a) { return {pow2_of_shifted(a.lo), pow2_of_shifted(a.hi)}; }

inline float sum(F32 a) {
  const __m256 eight = _mm256_add_ps(a.lo, a.hi);
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}
inline float max_lane(F32 a) {
  const __m256 eight = _mm256_max_ps(a.lo, a.hi);
  const __m128 four = _mm_max_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)));
}
inline float sqrt1(float x) { return _mm_cvtss_f32(_mm_sqrt_ss(_mm_set_ss(x))); }

inline __m128i load_128(const void* p) { return _mm_loadu_si128(static_cast<const __m128i*>(p)); }
inline float f16_to_f32(std::uint16_t h) { return _mm_cvtss_f32(_mm_cvtph_ps(_mm_cvtsi32_si128(h))); }
inline F32 load_f16(const void* p) {
  return {_mm256_cvtph_ps(load_128(p)), _mm256_cvtph_ps(load_128(static_cast<const char*>(p) + 16))};
}
inline __m256 load_bf16_8(const void* p) {
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(load_128(p)), 16));
}
inline F32 load_bf16(const void* p) { return {load_bf16_8(p), load_bf16_8(static_cast<const char*>(p) + 16)}; }
inline F32 from_unsigned(Bytes16 b) {
  const __m128i x = (__m128i)b;
  return {_mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(x)),
          _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_unpackhi_epi64(x, x)))};
}
inline F32 from_signed(Bytes16 b) {
  const __m128i x = (__m128i)b;
  return {_mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(x)),
          _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_unpackhi_epi64(x, x)))};
}
inline __m128i low_bytes(__m256 a) {  // in the first 8 bytes
  const __m256i picked =
      _mm256_shuffle_epi8(_mm256_castps_si256(a), _mm256_set1_epi64x(static_cast<long long>(0x808080800C080400ULL)));
  return _mm_unpacklo_epi32(_mm256_castsi256_si128(picked), _mm256_extracti128_si256(picked, 1));
}
inline void store_low_bytes(void* p, F32 a) {
  _mm_storeu_si128(static_cast<__m128i*>(p), _mm_unpacklo_epi64(low_bytes(a.lo), low_bytes(a.hi)));
}

/// out[k * 16 + n] = in[n * stride + k], n < 8, k < 8
inline void transpose8(const float* in, std::int64_t stride, float* out) {
  __m256 row[8];
  for (int i = 0; i < 4; ++i) {  // rows i and i + 4 side by side, so that the rest stays inside 128-bit lanes
    for (int half = 0; half < 2; ++half) {
      row[2 * i + half] = _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(in + i * stride + 4 * half)),
                                               _mm_loadu_ps(in + (i + 4) * stride + 4 * half), 1);
    }
  }
  for (int half = 0; half < 2; ++half) {
    const __m256 a = _mm256_unpacklo_ps(row[half], row[2 + half]);
    const __m256 b = _mm256_unpackhi_ps(row[half], row[2 + half]);
    const __m256 c = _mm256_unpacklo_ps(row[4 + half], row[6 + half]);
    const __m256 d = _mm256_unpackhi_ps(row[4 + half], row[6 + half]);
    float* at = out + 64 * half;
    _mm256_storeu_ps(at, _mm256_shuffle_ps(a, c, 0x44));
    _mm256_storeu_ps(at + 16, _mm256_shuffle_ps(a, c, 0xEE));
    _mm256_storeu_ps(at + 32, _mm256_shuffle_ps(b, d, 0x44));
    _mm256_storeu_ps(at + 48, _mm256_shuffle_ps(b, d, 0xEE));
  }
}
inline void transpose16(const float* in, std::int64_t stride, float* out) {
  for (int k = 0; k < 16; k += 8) {
    transpose8(in + k, stride, out + k * 16);
    transpose8(in + 8 * stride + k, stride, out + k * 16 + 8);
  }
}
inline void prefetch(const void* p) { _mm_prefetch(static_cast<const char*>(p), _MM_HINT_T0); }
