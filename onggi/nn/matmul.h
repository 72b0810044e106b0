#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "onggi/nn/context.h"
#include "onggi/quant/dtype.h"
#include "onggi/quant/nf4.h"

// T tokens (rows of activations), N outputs, K inputs
namespace onggi::nn {

/// W [rows, columns] as it lies in the file: row-major blocks of `type`; for kNF4 the codes and scales of `nf4`, whose
/// blocks run over the whole tensor, in place of `data`. Not owned.
struct WeightMatrix {
  quant::DType type = quant::DType::kF32;
  std::int64_t rows = 0;     ///< outputs N
  std::int64_t columns = 0;  ///< inputs K
  std::int64_t row_bytes = 0;
  const std::byte* data = nullptr;
  const quant::Nf4View* nf4 = nullptr;

  const std::byte* row(std::int64_t n) const { return data + n * row_bytes; }
};

/// Dense f32 view of W [rows, columns].
WeightMatrix f32_matrix(const float* data, std::int64_t rows, std::int64_t columns);

/// Row n of W in f32, all of its columns.
void decode_row(const kernels::Kernels& k, const WeightMatrix& weight, std::int64_t n, float* out);

/// One product y_TN (+)= x_TK W^T of a group.
struct LinearTarget {
  const float* x = nullptr;
  std::int64_t x_stride = 0;
  WeightMatrix weight;
  /// W^T already in f32 panels [ceil(N / 16)][K][16] (see pack_panels); saves decoding where tokens are few.
  const float* panels = nullptr;
  float* y = nullptr;
  std::int64_t y_stride = 0;
  bool accumulate = false;
  std::int64_t num_tokens = -1;  ///< Rows of x and y; -1: as many as the group.

  std::int64_t tokens_of(std::int64_t group) const { return num_tokens < 0 ? group : num_tokens; }
};

/// Every target in f32, W decoded on the way, as one parallel region. An output is one fma chain over k, so bits depend
/// on neither T nor threads.
void matmul_transposed(Context& context, std::int64_t num_tokens, std::span<const LinearTarget> targets);

/// Dense W [rows, columns] to the panels of LinearTarget::panels.
void pack_panels(Context& context, const WeightMatrix& weight, FloatBuffer& panels);

/// y_TK (+)= dy_TN W: the gradient of matmul_transposed by its input.
void matmul(Context& context, const float* dy, std::int64_t dy_stride, std::int64_t num_tokens,
            const WeightMatrix& weight, float* y, std::int64_t y_stride, bool accumulate);

/// c_MN (+)= sum over t of a[t, m] * b[t, n], both row-major over t: the gradient of matmul_transposed by its weight.
void matmul_outer(Context& context, const float* a, std::int64_t a_stride, std::int64_t num_m, const float* b,
                  std::int64_t b_stride, std::int64_t num_n, std::int64_t num_tokens, float* c, std::int64_t c_stride,
                  bool accumulate);

/// W repacked for the integer kernel of the context's table; empty where the type has none.
class PackedMatrix {
 public:
  PackedMatrix() = default;
  /// Packs the given rows of W (all of them if `rows` is empty).
  PackedMatrix(Context& context, const WeightMatrix& weight, std::span<const int> rows = {});

  bool empty() const { return num_rows_ == 0; }
  std::int64_t num_rows() const { return num_rows_; }
  std::int64_t depth() const { return depth_; }
  std::int64_t num_bytes() const { return num_panels_ * panel_bytes_; }
  std::int64_t num_panels() const { return num_panels_; }
  const std::byte* panel(std::int64_t p) const { return panels_ + p * panel_bytes_; }
  quant::DType type() const { return type_; }

 private:
  quant::DType type_ = quant::DType::kF32;
  std::int64_t num_rows_ = 0;
  std::int64_t depth_ = 0;
  std::int64_t num_panels_ = 0;
  std::int64_t panel_bytes_ = 0;
  FloatBuffer storage_;
  std::byte* panels_ = nullptr;
};

/// Activations in int8 (see kernels::QuantizedRows), owned.
class QuantizedActivations {
 public:
  void quantize(Context& context, const float* x, std::int64_t x_stride, std::int64_t num_tokens, std::int64_t depth);
  const kernels::QuantizedRows& rows() const { return rows_; }
  std::int64_t num_tokens() const { return num_tokens_; }
  std::int64_t depth() const { return depth_; }

 private:
  std::vector<std::int8_t> q_;
  std::vector<float> scale_;
  std::vector<std::int16_t> sum16_;
  kernels::QuantizedRows rows_;
  std::int64_t num_tokens_ = 0;
  std::int64_t depth_ = 0;
};

struct PackedTarget {
  const PackedMatrix* weight = nullptr;
  float* y = nullptr;
  std::int64_t y_stride = 0;
};

/// y_TN = x_TK W^T in int8 x block codes with exact int32 sums a block.
void matmul_quantized(Context& context, const QuantizedActivations& x, std::span<const PackedTarget> targets);

}  // namespace onggi::nn
