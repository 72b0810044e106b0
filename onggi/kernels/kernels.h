#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "onggi/quant/dtype.h"

/// The whole contract with a CPU instruction set, on one page. Kernels see pointers, sizes and strides (in elements).
/// Rule for every entry: an output element depends on its own inputs only and its sum runs in one fixed order, so the
/// bits do not change with the number of rows or columns in a call, nor with the thread that makes it. All tables give
/// equal bits for finite inputs: the scalar one is the reference. No entry checks its arguments.
namespace onggi::kernels {

/// Columns of an f32 panel: one output column a lane, two or more registers wide.
inline constexpr int kPanelColumns = 16;

/// C[m, n] (+)= sum over k of A[m, k] * panel[k, n], for n < num_columns <= kPanelColumns.
/// Order: one fma a step, k ascending, starting from C (accumulate) or 0.
struct PanelProduct {
  std::int64_t num_rows = 0;  ///< m
  std::int64_t depth = 0;     ///< k
  const float* a = nullptr;
  std::int64_t a_row_stride = 0;
  std::int64_t a_depth_stride = 1;
  const float* panel = nullptr;  ///< panel[k * panel_stride + n]; kPanelColumns floats must be readable a row.
  std::int64_t panel_stride = kPanelColumns;
  float* c = nullptr;
  std::int64_t c_row_stride = 0;
  int num_columns = kPanelColumns;  ///< Only these columns of C are read or written.
  bool accumulate = false;
};

/// Activations in int8: blocks of 32 along the row, x = scale * q, scale = absmax / 127, q = round half to even(x *
/// (127 / absmax)); scale and q are 0 where absmax < 2^-120, scale is NaN where an input is not finite. Sums of q over
/// each 16 serve the minimum of unsigned weights.
struct QuantizedRows {
  std::int8_t* q = nullptr;       ///< [rows, depth], the low byte of q + 128
  float* scale = nullptr;         ///< [rows, depth / 32]
  std::int16_t* sum16 = nullptr;  ///< [rows, depth / 16]
};

/// C[m, n] = sum over blocks b, ascending, of: acc = fma(float(isum_b), weight_scale_b * x_scale_b, acc), and for types
/// with a minimum then acc = fma(weight_bias_b, float(xsum_b) * x_scale_b, acc), xsum_b the sum of q. A block is 32
/// weights, or 16 where the source type scales by 16 (Q6_K). isum_b = sum of (signed weight code) * q, exact in int32.
/// `panel` was made by pack_quantized of the same table.
struct QuantizedProduct {
  std::int64_t num_rows = 0;
  std::int64_t depth = 0;          ///< Multiple of 32.
  const std::int8_t* q = nullptr;  ///< As QuantizedRows, row stride = depth.
  const float* scale = nullptr;
  const std::int16_t* sum16 = nullptr;
  quant::DType type = quant::DType::kQ8_0;
  const std::byte* panel = nullptr;  ///< One panel of quantized_columns columns.
  float* c = nullptr;
  std::int64_t c_row_stride = 0;
  int num_columns = 0;  ///< <= quantized_columns.
};

/// C[m, n] = fma(scale[n], sum, accumulate ? C[m, n] : 0) for n < num_columns <= kPanelColumns, where sum = sum over k
/// of A[m, k] * float(panel[k * kPanelColumns + n]), one fma a step, k ascending from 0.
struct Int8PanelProduct {
  std::int64_t num_rows = 0;  ///< m
  std::int64_t depth = 0;     ///< k
  const float* a = nullptr;
  std::int64_t a_row_stride = 0;
  const std::int8_t* panel = nullptr;
  const float* scale = nullptr;  ///< [kPanelColumns], readable whole.
  float* c = nullptr;
  std::int64_t c_row_stride = 0;
  int num_columns = kPanelColumns;
  bool accumulate = false;
};

enum class Activation : std::uint8_t { kGeluTanh, kSilu };

struct Kernels {
  std::string_view isa;       ///< "scalar", "avx2", "avx512"
  int quantized_columns = 0;  ///< Columns of a quantised panel in this table.

  void (*panel_product)(const PanelProduct&);
  void (*int8_panel_product)(const Int8PanelProduct&);

  /// Blocks of a row to f32: any quant::DType that quant::decode takes; equal bits to it.
  void (*decode)(quant::DType type, const std::byte* blocks, std::int64_t elements, float* out);
  /// out[k * kPanelColumns + n] = W[n, k] for n < num_columns, 0 for the rest; W row-major blocks, `row_bytes` apart,
  /// starting at column k0 (a multiple of 256 or of the row's end) for `depth` columns.
  void (*decode_transposed)(quant::DType type, const std::byte* rows, std::int64_t row_bytes, int num_columns,
                            std::int64_t k0, std::int64_t depth, float* out);

  void (*quantize_rows)(const float* x, std::int64_t num_rows, std::int64_t depth, std::int64_t x_row_stride,
                        const QuantizedRows& out);
  /// Bytes of one packed panel; 0 where the type has no integer kernel (F32, F16, BF16, NF4).
  std::int64_t (*packed_bytes)(quant::DType type, std::int64_t depth);
  /// Repacks `num_columns` (<= quantized_columns) rows of W, given by pointers to their blocks, to one panel.
  void (*pack_quantized)(quant::DType type, const std::byte* const* rows, int num_columns, std::int64_t depth,
                         std::byte* panel);
  void (*quantized_product)(const QuantizedProduct&);

  /// y = x * rsqrt(mean(x^2) + epsilon) * gain, rows of `width`; writes rsqrt(...) to inverse_rms[row] if not null.
  void (*rms_norm)(const float* x, const float* gain, std::int64_t num_rows, std::int64_t width, float epsilon,
                   float* y, float* inverse_rms);
  /// dx += the gradient of rms_norm; dgain[width] += its gradient if not null (rows in ascending order).
  void (*rms_norm_backward)(const float* dy, const float* x, const float* gain, const float* inverse_rms,
                            std::int64_t num_rows, std::int64_t width, float* dx, float* dgain);

  /// y[i] = activation(gate[i]) * up[i].
  void (*gated)(Activation activation, const float* gate, const float* up, std::int64_t count, float* y);
  /// dgate[i], dup[i] from dy[i] (overwritten).
  void (*gated_backward)(Activation activation, const float* dy, const float* gate, const float* up, std::int64_t count,
                         float* dgate, float* dup);

  /// In place, row by row over x[row, 0..length): x = exp(x * scale - max) and returns 1 / sum in inverse_sum[row];
  /// elements outside [begin[row], end[row]) become exactly 0. The caller multiplies by inverse_sum later. Sums run in
  /// 16 lanes by (index mod 16), then a fixed tree, so zeros added on either side change no bit.
  void (*softmax_unscaled)(float* x, std::int64_t num_rows, std::int64_t length, std::int64_t row_stride, float scale,
                           const std::int32_t* begin, const std::int32_t* end, float* inverse_sum);

  /// The greatest; minus infinity of none. What is NaN does not count.
  float (*highest)(const float* x, std::int64_t count);
  /// out[i] = exp((x[i] - top) * scale), where no x[i] is above top; exactly 0 below exp(-87.33), NaN of NaN.
  void (*exp_below)(const float* x, std::int64_t count, float top, float scale, float* out);
  /// The sum of these, in 16 lanes by (index mod 16), then a fixed tree.
  float (*sum_exp_below)(const float* x, std::int64_t count, float top, float scale);

  void (*add)(const float* x, std::int64_t count, float* y);         ///< y += x
  void (*scale)(float factor, std::int64_t count, float* y);         ///< y *= factor
  float (*dot)(const float* a, const float* b, std::int64_t count);  ///< Fixed 16-lane tree.
};

/// The table for this machine: the best that both the build and the processor have, or the one named by ONGGI_ISA.
/// Throws kInvalidArgument if ONGGI_ISA names one that is not there, listing those that are.
const Kernels& kernels();
/// A table by name, nullptr if the processor or the build lacks it.
const Kernels* find_kernels(std::string_view isa);
/// Every table that can run here, scalar first.
std::vector<const Kernels*> available_kernels();

}  // namespace onggi::kernels
