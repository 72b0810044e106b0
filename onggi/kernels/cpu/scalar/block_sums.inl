// The integer sums of one block in plain C++: the reference for the others.

constexpr int kProductRows = 4;
constexpr int kPrefetchBytes = 0;
constexpr bool needs_correction(int) { return false; }
template <int kGroups>
inline void make_correction(const std::int8_t*, std::int32_t*) {}

/// sums[r][n] = sum over k < 4 * kGroups of codes[k / 4][4 n + k % 4] * (q[r * stride + k] - 128)
template <int kRows, int kGroups, bool kEightBits>
inline void block_sums(const std::int8_t* codes, const std::int32_t*, const std::uint8_t* q, std::int64_t stride,
                       F32 (&sums)[kRows]) {
  for (int r = 0; r < kRows; ++r) {
    std::int32_t total[16] = {};
    for (int j = 0; j < kGroups; ++j) {
      for (int n = 0; n < 16; ++n) {
        for (int i = 0; i < 4; ++i) total[n] += codes[j * 64 + 4 * n + i] * (q[r * stride + 4 * j + i] - 128);
      }
    }
    sums[r] = each_lane([&](int n) { return static_cast<float>(total[n]); });
  }
}
