// The integer sums of one block in plain C++: the reference for the others.

constexpr int kProductRows = 4;
constexpr int kPrefetchBytes = 0;
constexpr bool kCorrectsEightBits = false;
inline void correct_eight_bits(const std::int8_t*, std::int32_t*) {}
inline void store_correction(Bytes, std::int32_t*) {}

/// sums[r][n] = sum over k < 4 * P::kGroupsPerSum of codes[k / 4][4 n + k % 4] * (q[r * stride + k] - 128)
template <int kRows, class P>
inline void block_sums(const std::int8_t* codes, const std::int32_t*, const std::uint8_t* q, std::int64_t stride,
                       F32 (&sums)[kRows]) {
  for (int r = 0; r < kRows; ++r) {
    std::int32_t total[16] = {};
    for (int j = 0; j < P::kGroupsPerSum; ++j) {
      for (int n = 0; n < 16; ++n) {
        for (int i = 0; i < 4; ++i) total[n] += codes[j * 64 + 4 * n + i] * (q[r * stride + 4 * j + i] - 128);
      }
    }
    sums[r] = each_lane([&](int n) { return static_cast<float>(total[n]); });
  }
}

/// The same for a whole packed block of 32.
template <int kRows, class P>
inline void packed_sums(const std::uint8_t* packed, const std::uint8_t* q, std::int64_t stride,
                        F32 (&sums)[P::kSumsPerBlock][kRows]) {
  std::int8_t codes[8 * kGroupBytes];
  for (int i = 0; i < kGroupBytes; i += kBytes) {
    unpack_groups<P>(packed, i, [&](int group, Bytes code) {
      __builtin_memcpy(codes + group * kGroupBytes + i, &code, sizeof(code));
    });
  }
  for (int part = 0; part < P::kSumsPerBlock; ++part) {
    block_sums<kRows, P>(codes + part * P::kGroupsPerSum * kGroupBytes, nullptr, q + part * 4 * P::kGroupsPerSum,
                         stride, sums[part]);
  }
}
