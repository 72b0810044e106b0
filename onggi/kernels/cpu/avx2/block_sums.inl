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
constexpr bool kCorrectsEightBits = false;
inline void correct_eight_bits(const std::int8_t*, std::int32_t*) {}

inline __m256i load_256(const void* p) { return _mm256_loadu_si256(static_cast<const __m256i*>(p)); }
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

/// 128 times the codes' sums of a lane's two 16-bit halves; `sums` holds the sums of all groups byte by byte.
inline __m256i offset_of(Bytes sums) {
  return _mm256_maddubs_epi16(_mm256_set1_epi8(static_cast<char>(128)), (__m256i)sums);
}
inline void store_correction(Bytes sums, std::int32_t* correction) {
  _mm256_store_si256(reinterpret_cast<__m256i*>(correction), _mm256_sub_epi16(_mm256_setzero_si256(), offset_of(sums)));
}

/// total += the sums of four products in each 32-bit lane, codes of 8 bits.
inline void add_eight_bits(__m256i& total, __m256i codes, __m256i size, __m256i x) {
  const __m256i pairs = _mm256_maddubs_epi16(size, _mm256_sign_epi8(x, codes));
  add_in_order_32(total, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}
/// Four consecutive q of a row, without the offset, in every lane.
inline __m256i broadcast_signed_4(const std::uint8_t* q) {
  return _mm256_xor_si256(broadcast_4(q), _mm256_set1_epi8(static_cast<char>(128)));
}

/// See the scalar version for what these compute.
template <int kRows, class P>
inline void block_sums(const std::int8_t* codes, const std::int32_t* correction, const std::uint8_t* q,
                       std::int64_t stride, F32 (&sums)[kRows]) {
  __m256i total[kRows][2];
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
    for (int half = 0; half < 2; ++half) {
      total[r][half] = P::kBits == 8 ? _mm256_setzero_si256() : load_256(correction + 8 * half);
    }
  }
#pragma GCC unroll 8
  for (int j = 0; j < P::kGroupsPerSum; ++j) {
    const __m256i w[2] = {load_256(codes + j * kGroupBytes), load_256(codes + j * kGroupBytes + 32)};
    const __m256i size[2] = {_mm256_abs_epi8(w[0]), _mm256_abs_epi8(w[1])};
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
      const std::uint8_t* at = q + r * stride + 4 * j;
      if constexpr (P::kBits == 8) {
        const __m256i x = broadcast_signed_4(at);
        for (int half = 0; half < 2; ++half) add_eight_bits(total[r][half], w[half], size[half], x);
      } else {
        const __m256i x = broadcast_4(at);
        for (int half = 0; half < 2; ++half) add_in_order_16(total[r][half], _mm256_maddubs_epi16(x, w[half]));
      }
    }
  }
  const __m256i ones = _mm256_set1_epi16(1);
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
    for (int half = 0; half < 2; ++half) {
      const __m256i sum = P::kBits == 8 ? total[r][half] : _mm256_madd_epi16(total[r][half], ones);
      (half == 0 ? sums[r].lo : sums[r].hi) = _mm256_cvtepi32_ps(sum);
    }
  }
}

template <int kRows, class P>
inline void packed_sums(const std::uint8_t* packed, const std::uint8_t* q, std::int64_t stride,
                        F32 (&sums)[P::kSumsPerBlock][kRows]) {
#pragma GCC unroll 2
  for (int half = 0; half < 2; ++half) {
    __m256i total[P::kSumsPerBlock][kRows];
    Bytes code_sums[P::kSumsPerBlock];
    for (int part = 0; part < P::kSumsPerBlock; ++part) {
      code_sums[part] = Bytes{};
      for (int r = 0; r < kRows; ++r) total[part][r] = _mm256_setzero_si256();
    }
    unpack_groups<P>(packed, 32 * half, [&](int group, Bytes code) {
      const int part = group / P::kGroupsPerSum;
      const __m256i w = (__m256i)code;
      code_sums[part] += code;
      for (int r = 0; r < kRows; ++r) {
        const std::uint8_t* at = q + r * stride + 4 * group;
        if constexpr (P::kBits == 8) {
          add_eight_bits(total[part][r], w, _mm256_abs_epi8(w), broadcast_signed_4(at));
        } else {
          add_in_order_16(total[part][r], _mm256_maddubs_epi16(broadcast_4(at), w));
        }
      }
    });
    for (int part = 0; part < P::kSumsPerBlock; ++part) {
      for (int r = 0; r < kRows; ++r) {
        __m256i sum = total[part][r];
        if constexpr (P::kBits != 8) {
          sum = _mm256_madd_epi16(_mm256_sub_epi16(sum, offset_of(code_sums[part])), _mm256_set1_epi16(1));
        }
        (half == 0 ? sums[part][r].lo : sums[part][r].hi) = _mm256_cvtepi32_ps(sum);
      }
    }
  }
}
