// exp, the gated activations, softmax, norms and the small vector operations.

/// Calls body(offset, lanes) for pieces of 16, the last one shorter. One call, so that the compiler inlines it.
template <class Body>
inline void for_each_16(std::int64_t count, Body&& body) {
  for (std::int64_t i = 0; i < count; i += 16) body(i, static_cast<int>(count - i < 16 ? count - i : 16));
}
inline F32 load_lanes(const float* p, int lanes) { return lanes == 16 ? load(p) : load_first(p, lanes); }
inline void store_lanes(float* p, F32 a, int lanes) {
  if (lanes == 16) {
    store(p, a);
  } else {
    store_first(p, a, lanes);
  }
}

/// e^x for x <= 0, exactly 0 below -87.33; error under 2 ulp. Range reduction and polynomial after Cephes' expf.
inline F32 exp_nonpositive(F32 x) {
  const F32 shift = splat(12582912.0F);  // 1.5 * 2^23: adding it rounds to an integer, ties to even
  const F32 shifted = fma(x, splat(1.44269504088896341F), shift);
  const F32 n = shifted - shift;
  F32 r = fma(n, splat(-0.693359375F), x);
  r = fma(n, splat(2.12194440e-4F), r);
  F32 p = splat(1.9875691500e-4F);
  p = fma(p, r, splat(1.3981999507e-3F));
  p = fma(p, r, splat(8.3334519073e-3F));
  p = fma(p, r, splat(4.1665795894e-2F));
  p = fma(p, r, splat(1.6666665459e-1F));
  p = fma(p, r, splat(5.0000001201e-1F));
  const F32 y = fma(p, r * r, r) + splat(1.0F);
  return less_select(x, splat(-87.33654F), splat(0.0F), y * pow2_of_shifted(shifted));
}

struct Sigmoid {
  F32 value, complement;  // complement = 1 - value, without cancellation
};
inline Sigmoid sigmoid(F32 x) {
  const F32 zero = splat(0.0F);
  const F32 one = splat(1.0F);
  const F32 e = exp_nonpositive(zero - abs(x));
  const F32 large = one / (one + e);
  const F32 small = e * large;
  return {less_select(x, zero, small, large), less_select(x, zero, large, small)};
}

/// GELU with the tanh approximation is x * sigmoid(2 u), u = sqrt(2 / pi) (x + 0.044715 x^3), since (1 + tanh u) / 2 is
/// sigmoid(2 u). SiLU is x * sigmoid(x). `slope` is the derivative of sigmoid's argument.
struct Gate {
  Sigmoid s;
  F32 slope;
};
template <Activation kActivation>
inline Gate gate_of(F32 x) {
  if constexpr (kActivation == Activation::kSilu) {
    return {sigmoid(x), splat(1.0F)};
  } else {
    const F32 k1 = splat(1.5957691216057308F);
    const F32 k3 = splat(0.0713548162726009F);
    const F32 square = min(x * x, splat(1e4F));  // saturated long before; keeps 0 * inf out of the derivative
    return {sigmoid(x * fma(k3, square, k1)), fma(splat(3.0F) * k3, square, k1)};
  }
}

template <Activation kActivation>
void gated_as(const float* gate, const float* up, std::int64_t count, float* y) {
  for_each_16(count, [&](std::int64_t i, int lanes) {
    const F32 g = load_lanes(gate + i, lanes);
    store_lanes(y + i, g * gate_of<kActivation>(g).s.value * load_lanes(up + i, lanes), lanes);
  });
}
void gated(Activation activation, const float* gate, const float* up, std::int64_t count, float* y) {
  if (activation == Activation::kSilu) {
    gated_as<Activation::kSilu>(gate, up, count, y);
  } else {
    gated_as<Activation::kGeluTanh>(gate, up, count, y);
  }
}

template <Activation kActivation>
void gated_backward_as(const float* dy, const float* gate, const float* up, std::int64_t count, float* dgate,
                       float* dup) {
  for_each_16(count, [&](std::int64_t i, int lanes) {
    const F32 g = load_lanes(gate + i, lanes);
    const F32 d = load_lanes(dy + i, lanes);
    const Gate at = gate_of<kActivation>(g);
    const F32 derivative = fma(g * at.slope, at.s.value * at.s.complement, at.s.value);
    const F32 u = load_lanes(up + i, lanes);
    store_lanes(dgate + i, d * u * derivative, lanes);
    store_lanes(dup + i, d * (g * at.s.value), lanes);
  });
}
void gated_backward(Activation activation, const float* dy, const float* gate, const float* up, std::int64_t count,
                    float* dgate, float* dup) {
  if (activation == Activation::kSilu) {
    gated_backward_as<Activation::kSilu>(dy, gate, up, count, dgate, dup);
  } else {
    gated_backward_as<Activation::kGeluTanh>(dy, gate, up, count, dgate, dup);
  }
}

float dot(const float* a, const float* b, std::int64_t count) {
  F32 acc = splat(0.0F);
  for_each_16(count, [&](std::int64_t i, int lanes) {
    acc = fma(load_lanes(a + i, lanes), load_lanes(b + i, lanes), acc);
  });
  return sum(acc);
}

void add(const float* x, std::int64_t count, float* y) {
  for_each_16(count, [&](std::int64_t i, int lanes) {
    store_lanes(y + i, load_lanes(y + i, lanes) + load_lanes(x + i, lanes), lanes);
  });
}

void scale(float factor, std::int64_t count, float* y) {
  const F32 f = splat(factor);
  for_each_16(count, [&](std::int64_t i, int lanes) { store_lanes(y + i, load_lanes(y + i, lanes) * f, lanes); });
}

void rms_norm(const float* x, const float* gain, std::int64_t num_rows, std::int64_t width, float epsilon, float* y,
              float* inverse_rms) {
  for (std::int64_t row = 0; row < num_rows; ++row) {
    const float* in = x + row * width;
    float* out = y + row * width;
    const float inverse = 1.0F / sqrt1(dot(in, in, width) / static_cast<float>(width) + epsilon);
    if (inverse_rms != nullptr) inverse_rms[row] = inverse;
    const F32 r = splat(inverse);
    for_each_16(width, [&](std::int64_t i, int lanes) {
      store_lanes(out + i, load_lanes(in + i, lanes) * r * load_lanes(gain + i, lanes), lanes);
    });
  }
}

void rms_norm_backward(const float* dy, const float* x, const float* gain, const float* inverse_rms,
                       std::int64_t num_rows, std::int64_t width, float* dx, float* dgain) {
  for (std::int64_t row = 0; row < num_rows; ++row) {
    const float* in = x + row * width;
    const float* d = dy + row * width;
    float* out = dx + row * width;
    F32 acc = splat(0.0F);
    for_each_16(width, [&](std::int64_t i, int lanes) {
      acc = fma(load_lanes(d + i, lanes) * load_lanes(gain + i, lanes), load_lanes(in + i, lanes), acc);
    });
    const float inverse = inverse_rms[row];
    const F32 r = splat(inverse);
    const F32 along = splat(-(sum(acc) * inverse * inverse * inverse / static_cast<float>(width)));
    for_each_16(width, [&](std::int64_t i, int lanes) {
      const F32 xi = load_lanes(in + i, lanes);
      const F32 di = load_lanes(d + i, lanes);
      const F32 part = fma(di * load_lanes(gain + i, lanes), r, xi * along);
      store_lanes(out + i, load_lanes(out + i, lanes) + part, lanes);
      if (dgain != nullptr) store_lanes(dgain + i, fma(di, xi * r, load_lanes(dgain + i, lanes)), lanes);
    });
  }
}

float highest(const float* x, std::int64_t count) {
  const F32 lowest = splat(-__builtin_inff());
  F32 most = lowest;
  for_each_16(count, [&](std::int64_t i, int lanes) {
    // A NaN as max's first operand gives the second.
    most = max(range_select(0, lanes, load_lanes(x + i, lanes), lowest), most);
  });
  return max_lane(most);
}

void exp_below(const float* x, std::int64_t count, float top, float scale, float* out) {
  const F32 high = splat(top);
  const F32 factor = splat(scale);
  for_each_16(count, [&](std::int64_t i, int lanes) {
    store_lanes(out + i, exp_nonpositive((load_lanes(x + i, lanes) - high) * factor), lanes);
  });
}

float sum_exp_below(const float* x, std::int64_t count, float top, float scale) {
  const F32 high = splat(top);
  const F32 factor = splat(scale);
  F32 total = splat(0.0F);
  for_each_16(count, [&](std::int64_t i, int lanes) {
    const F32 e = exp_nonpositive((load_lanes(x + i, lanes) - high) * factor);
    total = total + range_select(0, lanes, e, splat(0.0F));
  });
  return sum(total);
}

void softmax_unscaled(float* x, std::int64_t num_rows, std::int64_t length, std::int64_t row_stride, float scale,
                      const std::int32_t* begin, const std::int32_t* end, float* inverse_sum) {
  const F32 factor = splat(scale);
  const F32 lowest = splat(-__builtin_inff());
  for (std::int64_t row = 0; row < num_rows; ++row) {
    float* at = x + row * row_stride;
    const std::int64_t first = begin[row] < 0 ? 0 : begin[row];
    const std::int64_t last = end[row] < length ? end[row] : length;
    if (first >= last) {
      for_each_16(length, [&](std::int64_t i, int lanes) { store_lanes(at + i, splat(0.0F), lanes); });
      inverse_sum[row] = 0.0F;
      continue;
    }
    F32 most = lowest;
    for (std::int64_t i = first & ~std::int64_t{15}; i < last; i += 16) {
      const int lanes = static_cast<int>(length - i < 16 ? length - i : 16);
      const int low = static_cast<int>(first > i ? first - i : 0);
      const int high = static_cast<int>(last - i < 16 ? last - i : 16);
      most = max(most, range_select(low, high, load_lanes(at + i, lanes) * factor, lowest));
    }
    const F32 top = splat(max_lane(most));
    F32 total = splat(0.0F);
    for_each_16(length, [&](std::int64_t i, int lanes) {
      if (i + 16 <= first || i >= last) {
        store_lanes(at + i, splat(0.0F), lanes);
        return;
      }
      const int low = static_cast<int>(first > i ? first - i : 0);
      const int high = static_cast<int>(last - i < 16 ? last - i : 16);
      const F32 e = exp_nonpositive(load_lanes(at + i, lanes) * factor - top);
      const F32 kept = range_select(low, high, e, splat(0.0F));
      total = total + kept;
      store_lanes(at + i, kept, lanes);
    });
    inverse_sum[row] = 1.0F / sum(total);
  }
}
