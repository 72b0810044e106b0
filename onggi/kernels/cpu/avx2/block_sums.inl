// The integer sums of one block on AVX2, exact.
//
// Codes of 4 to 6 bits: maddubs multiplies q + 128 (unsigned) with a code (signed) and adds two neighbours into 16 bits;
// no product pair saturates (2 * 255 * 32). All groups are added in 16 bits, wrapping on the way; the correction, minus
// 128 times the codes of the lane, brings the true sum back, which always fits: 16 * 16 * 127 for 32 weights of 5 bits
// (codes -16 to 15), 8 * 32 * 127 for 16 weights of 6 bits, 16 * 15 * 127 for 4 bits.
//
// Codes of 8 bits: |code| (unsigned, up to 128) times q with the code's sign, at most 2 * 128 * 127 a pair, widened to
// 32 bits group by group.

constexpr int kProductRows = 4;
constexpr int kPrefetchBytes = 4096;
constexpr bool needs_correction(int bits) { return bits < 8; }

inline __m256i load_256(const void* p) { return _mm256_loadu_si256(static_cast<const __m256i*>(p)); }

template <int kGroups>
inline void make_correction(const std::int8_t* codes, std::int32_t* correction) {
  const __m256i offset = _mm256_set1_epi8(static_cast<char>(128));
  for (int half = 0; half < 2; ++half) {
    __m256i total = _mm256_setzero_si256();
#pragma GCC unroll 8
    for (int j = 0; j < kGroups; ++j) {
      total = _mm256_sub_epi16(total, _mm256_maddubs_epi16(offset, load_256(codes + j * 64 + half * 32)));
    }
    _mm256_store_si256(reinterpret_cast<__m256i*>(correction) + half, total);
  }
}

inline __m256i broadcast_4(const std::uint8_t* q) {
  std::int32_t four;
  __builtin_memcpy(&four, q, 4);
  return _mm256_set1_epi32(four);
}

/// total += term. The compiler may not regroup a chain of these: its balanced trees keep dozens of registers alive.
inline void add_in_order_16(__m256i& total, __m256i term) {
  total = _mm256_add_epi16(total, term);
  __asm__("" : "+x"(total));
}
inline void add_in_order_32(__m256i& total, __m256i term) {
  total = _mm256_add_epi32(total, term);
  __asm__("" : "+x"(total));
}

template <int kRows, int kGroups, bool kEightBits>
inline void block_sums(const std::int8_t* codes, const std::int32_t* correction, const std::uint8_t* q,
                       std::int64_t stride, F32 (&sums)[kRows]) {
  const __m256i ones = _mm256_set1_epi16(1);
  __m256i total[kRows][2];
  if constexpr (kEightBits) {
    const __m256i flip = _mm256_set1_epi8(static_cast<char>(128));
#pragma GCC unroll 8
    for (int j = 0; j < kGroups; ++j) {
      const __m256i w[2] = {load_256(codes + j * 64), load_256(codes + j * 64 + 32)};
      const __m256i size[2] = {_mm256_abs_epi8(w[0]), _mm256_abs_epi8(w[1])};
#pragma GCC unroll 8
      for (int r = 0; r < kRows; ++r) {
        const __m256i x = _mm256_xor_si256(broadcast_4(q + r * stride + 4 * j), flip);
        for (int half = 0; half < 2; ++half) {
          const __m256i pairs = _mm256_maddubs_epi16(size[half], _mm256_sign_epi8(x, w[half]));
          if (j == 0) total[r][half] = _mm256_setzero_si256();
          add_in_order_32(total[r][half], _mm256_madd_epi16(pairs, ones));
        }
      }
    }
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) sums[r] = {_mm256_cvtepi32_ps(total[r][0]), _mm256_cvtepi32_ps(total[r][1])};
  } else {
#pragma GCC unroll 8
    for (int j = 0; j < kGroups; ++j) {
      const __m256i w[2] = {load_256(codes + j * 64), load_256(codes + j * 64 + 32)};
#pragma GCC unroll 8
      for (int r = 0; r < kRows; ++r) {
        const __m256i x = broadcast_4(q + r * stride + 4 * j);
        for (int half = 0; half < 2; ++half) {
          if (j == 0) total[r][half] = load_256(correction + 8 * half);
          add_in_order_16(total[r][half], _mm256_maddubs_epi16(x, w[half]));
        }
      }
    }
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
      sums[r] = {_mm256_cvtepi32_ps(_mm256_madd_epi16(total[r][0], ones)),
                 _mm256_cvtepi32_ps(_mm256_madd_epi16(total[r][1], ones))};
    }
  }
}
