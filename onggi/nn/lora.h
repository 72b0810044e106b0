#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "onggi/nn/matmul.h"
#include "onggi/nn/parameter.h"

// T tokens, K inputs, N outputs, R rank
namespace onggi::nn {

/// A low-rank addition to one frozen linear layer: y += scale (x A^T) B^T (Hu et al. 2022); with a magnitude, DoRA: y =
/// (m / n) (W x + scale B A x) with n the row norms of W + scale B A, a constant in the gradient (Liu et al. 2024).
/// The parameters are the truth; `pack` makes what the forward pass reads and must be called after they change.
struct LoraLinear {
  Parameter a;                         ///< [R, K]
  Parameter b;                         ///< [N, R]
  std::optional<Parameter> magnitude;  ///< [N], DoRA only
  float scale = 1.0F;

  int rank() const { return static_cast<int>(a.shape[0]); }
  std::int64_t num_inputs() const { return a.shape[1]; }
  std::int64_t num_outputs() const { return b.shape[0]; }
  WeightMatrix a_matrix() const { return f32_matrix(a.value.data(), a.shape[0], a.shape[1]); }
  WeightMatrix b_matrix() const { return f32_matrix(b.value.data(), b.shape[0], b.shape[1]); }

  void pack(Context& context, const WeightMatrix& weight);
  /// w [K] += row n of scale * B A.
  void add_row(std::int64_t n, float* w) const;

  FloatBuffer a_panels;
  FloatBuffer b_panels;
  std::vector<float> row_norm;  ///< n, DoRA only
};

/// One adapter: a place for each linear layer of the model (order: layer * slots + slot), empty where it has none.
struct Adapter {
  std::string name;
  std::vector<std::optional<LoraLinear>> linears;

  /// Every trainable tensor in a fixed order.
  std::vector<Parameter*> parameters();
  void zero_gradients();
};

}  // namespace onggi::nn
