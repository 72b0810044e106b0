#pragma once

#include <cstdint>
#include <string_view>

/// What text encoders (BERT) need beside kernels.h, by the same rules: no checks, equal bits from every table, an
/// output that depends on its own row alone.
namespace onggi::kernels {

/// y = (s - mean(s)) / sqrt(variance(s) + epsilon) * gain + shift, where s = x (+ added + bias). Rows of `width`, one
/// after the other; y may be x. Sums run in 16 lanes by (index mod 16), then a fixed tree.
struct LayerNorm {
  std::int64_t num_rows = 0;
  std::int64_t width = 0;
  float epsilon = 0.0F;
  const float* x = nullptr;
  const float* added = nullptr;  ///< As x; null: nothing is added, `bias` neither.
  const float* bias = nullptr;   ///< [width]
  const float* gain = nullptr;
  const float* shift = nullptr;
  float* y = nullptr;
};

struct EncoderKernels {
  std::string_view isa;
  void (*layer_norm)(const LayerNorm&);
  /// x = s Phi(s) with s = x + bias, rows of `width` that are `stride` apart: GELU with the error function, to within
  /// 1e-6 of max(1, |s|) times 0.2 (Hendrycks and Gimpel 2016, arXiv:1606.08415).
  void (*add_bias_gelu)(const float* bias, std::int64_t num_rows, std::int64_t width, std::int64_t stride, float* x);
  /// x += bias, rows of `width` that are `stride` apart.
  void (*add_bias)(const float* bias, std::int64_t num_rows, std::int64_t width, std::int64_t stride, float* x);
};

/// The table of the same instruction set as Kernels::isa.
const EncoderKernels& encoder_kernels(std::string_view isa);

}  // namespace onggi::kernels
