// The integer sums of one block on AVX-512 VNNI, exact: dpbusd of q + 128 (unsigned) and codes (signed) in 32 bits. A sum
// starts from minus 128 times the codes of its column.

constexpr int kProductRows = 8;
constexpr int kPrefetchBytes = 4096;
constexpr bool needs_correction(int) { return true; }

template <int kGroups>
inline void make_correction(const std::int8_t* codes, std::int32_t* correction) {
  const __m512i offset = _mm512_set1_epi8(static_cast<char>(128));
  __m512i total = _mm512_setzero_si512();
#pragma GCC unroll 8
  for (int j = 0; j < kGroups; ++j) {
    total = _mm512_dpbusd_epi32(total, offset, _mm512_loadu_si512(codes + j * 64));
  }
  _mm512_store_si512(correction, _mm512_sub_epi32(_mm512_setzero_si512(), total));
}

template <int kRows, int kGroups, bool kEightBits>
inline void block_sums(const std::int8_t* codes, const std::int32_t* correction, const std::uint8_t* q,
                       std::int64_t stride, F32 (&sums)[kRows]) {
  __m512i total[kRows];
  const __m512i start = _mm512_load_si512(correction);
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) total[r] = start;
#pragma GCC unroll 8
  for (int j = 0; j < kGroups; ++j) {
    const __m512i w = _mm512_loadu_si512(codes + j * 64);
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
      std::int32_t four;
      __builtin_memcpy(&four, q + r * stride + 4 * j, 4);
      total[r] = _mm512_dpbusd_epi32(total[r], _mm512_set1_epi32(four), w);
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) sums[r] = {_mm512_cvtepi32_ps(total[r])};
}
