// Layer norm and GELU with the error function, for text encoders.

void layer_norm(const LayerNorm& p) {
  for (std::int64_t row = 0; row < p.num_rows; ++row) {
    const float* x = p.x + row * p.width;
    const float* added = p.added == nullptr ? nullptr : p.added + row * p.width;
    float* y = p.y + row * p.width;
    F32 total = splat(0.0F);
    for_each_16(p.width, [&](std::int64_t i, int lanes) {
      F32 s = load_lanes(x + i, lanes);
      if (added != nullptr) s = s + (load_lanes(added + i, lanes) + load_lanes(p.bias + i, lanes));
      store_lanes(y + i, s, lanes);
      total = total + s;
    });
    const F32 mean = splat(sum(total) / static_cast<float>(p.width));
    F32 squares = splat(0.0F);
    for_each_16(p.width, [&](std::int64_t i, int lanes) {
      const F32 d = range_select(0, lanes, load_lanes(y + i, lanes) - mean, splat(0.0F));
      squares = fma(d, d, squares);
    });
    const F32 inverse = splat(1.0F / sqrt1(sum(squares) / static_cast<float>(p.width) + p.epsilon));
    for_each_16(p.width, [&](std::int64_t i, int lanes) {
      const F32 d = (load_lanes(y + i, lanes) - mean) * inverse;
      store_lanes(y + i, fma(d, load_lanes(p.gain + i, lanes), load_lanes(p.shift + i, lanes)), lanes);
    });
  }
}

/// x Phi(x). The tail Phi(-t), t = |x|, is exp(-t^2 / 2 + r(t)); r is our own fit of degree 8 on [0, 6], where the error
/// counts as x Phi(x) feels it. Beyond 6 it is taken
/// for 0.
inline F32 gelu_of(F32 x) {
  const F32 six = splat(6.0F);
  const F32 t = min(abs(x), six);
  F32 r = splat(-1.3806476e-06F);
  r = fma(r, t, splat(2.0289337e-05F));
  r = fma(r, t, splat(-9.5712807e-05F));
  r = fma(r, t, splat(-1.7567625e-04F));
  r = fma(r, t, splat(5.0020311e-03F));
  r = fma(r, t, splat(-3.6461663e-02F));
  r = fma(r, t, splat(1.8172607e-01F));
  r = fma(r, t, splat(-7.9788846e-01F));
  r = fma(r, t, splat(-6.9314712e-01F));
  const F32 tail = less_select(six, abs(x), splat(0.0F), exp_nonpositive(fma(t * splat(-0.5F), t, r)));
  return x * less_select(x, splat(0.0F), tail, splat(1.0F) - tail);
}

void add_bias_gelu(const float* bias, std::int64_t num_rows, std::int64_t width, std::int64_t stride, float* x) {
  for (std::int64_t row = 0; row < num_rows; ++row) {
    float* at = x + row * stride;
    for_each_16(width, [&](std::int64_t i, int lanes) {
      store_lanes(at + i, gelu_of(load_lanes(at + i, lanes) + load_lanes(bias + i, lanes)), lanes);
    });
  }
}

void add_bias(const float* bias, std::int64_t num_rows, std::int64_t width, std::int64_t stride, float* x) {
  for (std::int64_t row = 0; row < num_rows; ++row) {
    float* at = x + row * stride;
    for_each_16(width, [&](std::int64_t i, int lanes) {
      store_lanes(at + i, load_lanes(at + i, lanes) + load_lanes(bias + i, lanes), lanes);
    });
  }
}
