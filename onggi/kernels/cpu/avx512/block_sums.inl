// The integer sums of one block on AVX-512 VNNI, exact: dpbusd of q + 128 (unsigned) and codes (signed) in 32 bits. A sum
// starts from the correction, minus 128 times the codes of its column.

constexpr int kProductRows = 8;
constexpr int kPrefetchBytes = 4096;
constexpr bool kCorrectsEightBits = true;

inline __m512i broadcast_4(const std::uint8_t* q) {
  std::int32_t four;
  __builtin_memcpy(&four, q, 4);
  return _mm512_set1_epi32(four);
}
/// total + 128 * the sum of each column's four codes
inline __m512i add_offset(__m512i total, __m512i codes) {
  return _mm512_dpbusd_epi32(total, _mm512_set1_epi8(static_cast<char>(128)), codes);
}
inline __m512i negated(__m512i a) { return _mm512_sub_epi32(_mm512_setzero_si512(), a); }

/// `sums` holds the codes' sums of all groups byte by byte.
inline void store_correction(Bytes sums, std::int32_t* correction) {
  _mm512_store_si512(correction, negated(add_offset(_mm512_setzero_si512(), (__m512i)sums)));
}
inline void correct_eight_bits(const std::int8_t* codes, std::int32_t* correction) {
  __m512i total = _mm512_setzero_si512();
#pragma GCC unroll 8
  for (int j = 0; j < 8; ++j) total = add_offset(total, _mm512_loadu_si512(codes + j * kGroupBytes));
  _mm512_store_si512(correction, negated(total));
}

/// See the scalar version for what these compute.
template <int kRows, class P>
inline void block_sums(const std::int8_t* codes, const std::int32_t* correction, const std::uint8_t* q,
                       std::int64_t stride, F32 (&sums)[kRows]) {
  __m512i total[kRows];
  const __m512i start = _mm512_load_si512(correction);
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) total[r] = start;
#pragma GCC unroll 8
  for (int j = 0; j < P::kGroupsPerSum; ++j) {
    const __m512i w = _mm512_loadu_si512(codes + j * kGroupBytes);
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) total[r] = _mm512_dpbusd_epi32(total[r], broadcast_4(q + r * stride + 4 * j), w);
  }
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) sums[r] = {_mm512_cvtepi32_ps(total[r])};
}

template <int kRows, class P>
inline void packed_sums(const std::uint8_t* packed, const std::uint8_t* q, std::int64_t stride,
                        F32 (&sums)[P::kSumsPerBlock][kRows]) {
  __m512i total[P::kSumsPerBlock][kRows], offset[P::kSumsPerBlock];
  for (int part = 0; part < P::kSumsPerBlock; ++part) {
    offset[part] = _mm512_setzero_si512();
    for (int r = 0; r < kRows; ++r) total[part][r] = _mm512_setzero_si512();
  }
  unpack_groups<P>(packed, 0, [&](int group, Bytes code) {
    const int part = group / P::kGroupsPerSum;
    const __m512i w = (__m512i)code;
    offset[part] = add_offset(offset[part], w);
    for (int r = 0; r < kRows; ++r) {
      total[part][r] = _mm512_dpbusd_epi32(total[part][r], broadcast_4(q + r * stride + 4 * group), w);
    }
  });
  for (int part = 0; part < P::kSumsPerBlock; ++part) {
    for (int r = 0; r < kRows; ++r) {
      sums[part][r] = {_mm512_cvtepi32_ps(_mm512_sub_epi32(total[part][r], offset[part]))};
    }
  }
}
