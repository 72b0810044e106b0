// Register-only loops that tell what the processor can do at most (onggi/kernels/peaks.h).

/// Reads a register where the compiler can't see, so that the work before it stays.
template <class T>
inline void keep(const T& value) {
  __asm__ volatile("" : : "m"(value) : "memory");
}

double peak_f32_fma(std::int64_t iterations) {
  F32 acc[kPanelRows];
  for (F32& a : acc) a = splat(1.0F);
  F32 factor = splat(0.999F), term = splat(0.001F);
  keep(factor);
  keep(term);
  for (std::int64_t i = 0; i < iterations; ++i) {
#pragma GCC unroll 16
    for (int r = 0; r < kPanelRows; ++r) acc[r] = fma(acc[r], factor, term);
  }
  for (const F32& a : acc) keep(a);
  return 2.0 * 16 * kPanelRows * static_cast<double>(iterations);
}

double peak_int8_product(std::int64_t iterations) {
  alignas(64) std::int8_t codes[8 * kGroupBytes] = {};
  alignas(64) std::int32_t correction[kQuantizedColumns] = {};
  std::uint8_t q[kProductRows * kBlock] = {};
  F32 total[kProductRows];
  for (F32& t : total) t = splat(0.0F);
  for (std::int64_t i = 0; i < iterations / 16; ++i) {
    F32 sums[kProductRows];
    keep(codes);
    keep(q);
    block_sums<kProductRows, Packed<DType::kQ4_0>>(codes, correction, q, kBlock, sums);
    for (int r = 0; r < kProductRows; ++r) total[r] = total[r] + sums[r];
  }
  for (const F32& t : total) keep(t);
  return 2.0 * kBlock * kQuantizedColumns * kProductRows * static_cast<double>(iterations / 16);
}
