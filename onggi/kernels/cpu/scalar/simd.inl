// The SIMD vocabulary in plain C++: 16 f32 lanes. Included inside an anonymous namespace.

struct F32 {
  float lane[16];
};

constexpr int kPanelRows = 4;  // rows of a panel_product tile
typedef std::uint8_t Bytes16 __attribute__((vector_size(16)));
typedef std::uint8_t Bytes __attribute__((vector_size(16)));
typedef std::uint16_t Words __attribute__((vector_size(16)));

template <class Function>
inline F32 each_lane(Function&& function) {
  F32 result;
  for (int i = 0; i < 16; ++i) result.lane[i] = function(i);
  return result;
}

inline std::uint32_t bits_of(float x) { return __builtin_bit_cast(std::uint32_t, x); }
inline float from_bits(std::uint32_t x) { return __builtin_bit_cast(float, x); }

inline F32 splat(float x) { return each_lane([&](int) { return x; }); }
inline F32 load(const float* p) { return each_lane([&](int i) { return p[i]; }); }
inline F32 load_first(const float* p, int n) { return each_lane([&](int i) { return i < n ? p[i] : 0.0F; }); }
inline void store(float* p, const F32& a) { __builtin_memcpy(p, a.lane, sizeof(a.lane)); }
inline void store_first(float* p, const F32& a, int n) {
  for (int i = 0; i < n; ++i) p[i] = a.lane[i];
}

inline F32 operator+(const F32& a, const F32& b) { return each_lane([&](int i) { return a.lane[i] + b.lane[i]; }); }
inline F32 operator-(const F32& a, const F32& b) { return each_lane([&](int i) { return a.lane[i] - b.lane[i]; }); }
inline F32 operator*(const F32& a, const F32& b) { return each_lane([&](int i) { return a.lane[i] * b.lane[i]; }); }
inline F32 operator/(const F32& a, const F32& b) { return each_lane([&](int i) { return a.lane[i] / b.lane[i]; }); }
inline F32 fma(const F32& a, const F32& b, const F32& c) {
  return each_lane([&](int i) { return __builtin_fmaf(a.lane[i], b.lane[i], c.lane[i]); });
}
/// As x86: the second operand where the two are equal or either is NaN.
inline F32 max(const F32& a, const F32& b) {
  return each_lane([&](int i) { return a.lane[i] > b.lane[i] ? a.lane[i] : b.lane[i]; });
}
inline F32 min(const F32& a, const F32& b) {
  return each_lane([&](int i) { return a.lane[i] < b.lane[i] ? a.lane[i] : b.lane[i]; });
}
inline F32 abs(const F32& a) {
  return each_lane([&](int i) { return from_bits(bits_of(a.lane[i]) & 0x7FFFFFFFU); });
}
/// a < b ? x : y
inline F32 less_select(const F32& a, const F32& b, const F32& x, const F32& y) {
  return each_lane([&](int i) { return a.lane[i] < b.lane[i] ? x.lane[i] : y.lane[i]; });
}
/// Lanes begin <= i < end of x, the others of y.
inline F32 range_select(int begin, int end, const F32& x, const F32& y) {
  return each_lane([&](int i) { return begin <= i && i < end ? x.lane[i] : y.lane[i]; });
}
/// 2^n from the bits of 1.5 * 2^23 + n.
inline F32 pow2_of_shifted(const F32& a) {
  return each_lane([&](int i) { return from_bits((bits_of(a.lane[i]) << 23) + 0x3F800000U); });
}

inline float sum(F32 a) {
  for (int half = 8; half > 0; half /= 2) {
    for (int i = 0; i < half; ++i) a.lane[i] += a.lane[i + half];
  }
  return a.lane[0];
}
inline float max_lane(F32 a) {
  for (int half = 8; half > 0; half /= 2) {
    for (int i = 0; i < half; ++i) a.lane[i] = a.lane[i] > a.lane[i + half] ? a.lane[i] : a.lane[i + half];
  }
  return a.lane[0];
}
inline float sqrt1(float x) { return __builtin_sqrtf(x); }

inline float f16_to_f32(std::uint16_t h) {
  const std::uint32_t sign = (h & 0x8000U) << 16;
  const std::uint32_t magnitude = h & 0x7FFFU;
  if (magnitude >= 0x7C00U) return from_bits(sign | 0x7F800000U | (magnitude & 0x3FFU) << 13);
  // Exact for subnormals too: the bits read as f32 are the value times 2^-112.
  return from_bits(sign | bits_of(from_bits(magnitude << 13) * 0x1p112F));
}
inline F32 load_f16(const void* p) {
  std::uint16_t h[16];
  __builtin_memcpy(h, p, sizeof(h));
  return each_lane([&](int i) { return f16_to_f32(h[i]); });
}
inline F32 load_bf16(const void* p) {
  std::uint16_t h[16];
  __builtin_memcpy(h, p, sizeof(h));
  return each_lane([&](int i) { return from_bits(static_cast<std::uint32_t>(h[i]) << 16); });
}
inline F32 from_unsigned(Bytes16 b) {
  return each_lane([&](int i) { return static_cast<float>(b[i]); });
}
inline F32 from_signed(Bytes16 b) {
  return each_lane([&](int i) { return static_cast<float>(static_cast<std::int8_t>(b[i])); });
}
/// The low byte of each lane's bits.
inline void store_low_bytes(void* p, const F32& a) {
  for (int i = 0; i < 16; ++i) static_cast<std::uint8_t*>(p)[i] = static_cast<std::uint8_t>(bits_of(a.lane[i]));
}
/// out[k * 16 + n] = in[n * stride + k], n < 16, k < 16
inline void transpose16(const float* in, std::int64_t stride, float* out) {
  for (int n = 0; n < 16; ++n) {
    for (int k = 0; k < 16; ++k) out[k * 16 + n] = in[n * stride + k];
  }
}
inline void prefetch(const void* p) { __builtin_prefetch(p); }
