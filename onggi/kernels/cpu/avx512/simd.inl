// The SIMD vocabulary on AVX-512: 16 f32 lanes in one register. Included inside an anonymous namespace.

struct F32 {
  __m512 v;
};

constexpr int kPanelRows = 14;  // accumulators; the panel takes one register, A comes as a memory broadcast
typedef std::uint8_t Bytes16 __attribute__((vector_size(16)));
typedef std::uint8_t Bytes __attribute__((vector_size(64)));
typedef std::uint16_t Words __attribute__((vector_size(64)));

inline __mmask16 lanes_between(int begin, int end) {  // 0 <= begin, end <= 16
  return static_cast<__mmask16>(begin < end ? (1U << end) - (1U << begin) : 0U);
}

inline F32 splat(float x) { return {_mm512_set1_ps(x)}; }
inline F32 load(const float* p) { return {_mm512_loadu_ps(p)}; }
inline F32 load_first(const float* p, int n) { return {_mm512_maskz_loadu_ps(lanes_between(0, n), p)}; }
inline void store(float* p, F32 a) { _mm512_storeu_ps(p, a.v); }
inline void store_first(float* p, F32 a, int n) { _mm512_mask_storeu_ps(p, lanes_between(0, n), a.v); }

inline F32 operator+(F32 a, F32 b) { return {_mm512_add_ps(a.v, b.v)}; }
inline F32 operator-(F32 a, F32 b) { return {_mm512_sub_ps(a.v, b.v)}; }
inline F32 operator*(F32 a, F32 b) { return {_mm512_mul_ps(a.v, b.v)}; }
inline F32 operator/(F32 a, F32 b) { return {_mm512_div_ps(a.v, b.v)}; }
inline F32 fma(F32 a, F32 b, F32 c) { return {_mm512_fmadd_ps(a.v, b.v, c.v)}; }
inline F32 max(F32 a, F32 b) { return {_mm512_max_ps(a.v, b.v)}; }
inline F32 min(F32 a, F32 b) { return {_mm512_min_ps(a.v, b.v)}; }
inline F32 abs(F32 a) {
  return {_mm512_castsi512_ps(_mm512_and_si512(_mm512_castps_si512(a.v), _mm512_set1_epi32(0x7FFFFFFF)))};
}
inline F32 less_select(F32 a, F32 b, F32 x, F32 y) {
  return {_mm512_mask_blend_ps(_mm512_cmp_ps_mask(a.v, b.v, _CMP_LT_OQ), y.v, x.v)};
}
inline F32 range_select(int begin, int end, F32 x, F32 y) {
  return {_mm512_mask_blend_ps(lanes_between(begin < 0 ? 0 : begin, end > 16 ? 16 : end), y.v, x.v)};
}
inline F32 pow2_of_shifted(F32 a) {
  return {_mm512_castsi512_ps(
      _mm512_add_epi32(_mm512_slli_epi32(_mm512_castps_si512(a.v), 23), _mm512_set1_epi32(0x3F800000)))};
}

inline __m256 upper_half(__m512 a) { return _mm512_extractf32x8_ps(a, 1); }
inline float sum(F32 a) {
  const __m256 eight = _mm256_add_ps(_mm512_castps512_ps256(a.v), upper_half(a.v));
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}
inline float max_lane(F32 a) {
  const __m256 eight = _mm256_max_ps(_mm512_castps512_ps256(a.v), upper_half(a.v));
  const __m128 four = _mm_max_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)));
}
inline float sqrt1(float x) { return _mm_cvtss_f32(_mm_sqrt_ss(_mm_set_ss(x))); }

inline float f16_to_f32(std::uint16_t h) { return _mm_cvtss_f32(_mm_cvtph_ps(_mm_cvtsi32_si128(h))); }
inline F32 load_f16(const void* p) {
  return {_mm512_cvtph_ps(_mm256_loadu_si256(static_cast<const __m256i*>(p)))};
}
inline F32 load_bf16(const void* p) {
  return {_mm512_castsi512_ps(
      _mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_loadu_si256(static_cast<const __m256i*>(p))), 16))};
}
inline F32 from_unsigned(Bytes16 b) { return {_mm512_cvtepi32_ps(_mm512_cvtepu8_epi32((__m128i)b))}; }
inline F32 from_signed(Bytes16 b) { return {_mm512_cvtepi32_ps(_mm512_cvtepi8_epi32((__m128i)b))}; }
inline void store_low_bytes(void* p, F32 a) {
  _mm_storeu_si128(static_cast<__m128i*>(p), _mm512_cvtepi32_epi8(_mm512_castps_si512(a.v)));
}

/// out[k * 16 + n] = in[n * stride + k], n < 4 * groups of 4, k < 4: four rows of each quarter side by side.
inline void transpose16(const float* in, std::int64_t stride, float* out) {
  for (int k = 0; k < 16; k += 4) {
    __m512 row[4];  // row[i]: rows i, i + 4, i + 8, i + 12
    for (int i = 0; i < 4; ++i) {
      __m512 r = _mm512_castps128_ps512(_mm_loadu_ps(in + i * stride + k));
      r = _mm512_insertf32x4(r, _mm_loadu_ps(in + (i + 4) * stride + k), 1);
      r = _mm512_insertf32x4(r, _mm_loadu_ps(in + (i + 8) * stride + k), 2);
      row[i] = _mm512_insertf32x4(r, _mm_loadu_ps(in + (i + 12) * stride + k), 3);
    }
    const __m512 a = _mm512_unpacklo_ps(row[0], row[1]);
    const __m512 b = _mm512_unpackhi_ps(row[0], row[1]);
    const __m512 c = _mm512_unpacklo_ps(row[2], row[3]);
    const __m512 d = _mm512_unpackhi_ps(row[2], row[3]);
    _mm512_storeu_ps(out + k * 16, _mm512_shuffle_ps(a, c, 0x44));
    _mm512_storeu_ps(out + k * 16 + 16, _mm512_shuffle_ps(a, c, 0xEE));
    _mm512_storeu_ps(out + k * 16 + 32, _mm512_shuffle_ps(b, d, 0x44));
    _mm512_storeu_ps(out + k * 16 + 48, _mm512_shuffle_ps(b, d, 0xEE));
  }
}
inline void prefetch(const void* p) { _mm_prefetch(static_cast<const char*>(p), _MM_HINT_T0); }
