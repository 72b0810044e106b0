#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "onggi/nn/matmul.h"
#include "onggi/nn/parameter.h"

// T tokens, K inputs, N outputs, R rank
namespace onggi::nn {

/// The factors of a LoraLinear in int8, as serving reads them: a quarter of f32's memory and traffic. With rows of
/// different adapters side by side nearly all of a step's reading is this. A in Q8_0 blocks, met by the activations
/// that the base's product has in int8 already; B with one scale an output, codes round half to even(x * (127 / absmax
/// of the row)).
class Int8LowRank {
 public:
  /// a [R, K], K a multiple of 32; b [N, R]. `scale` goes into b's.
  Int8LowRank(Context& context, const float* a, const float* b, int rank, std::int64_t num_inputs,
              std::int64_t num_outputs, float scale);

  int rank() const { return rank_; }
  std::int64_t num_bytes() const {
    return a_.num_bytes() + static_cast<std::int64_t>(b_.size() + b_scale_.size() * sizeof(float));
  }
  /// Factors of many adapters come from memory each step, in pieces too short for the processor to see a stream.
  void prefetch_a() const;
  /// y [tokens, N] += (x A^T) B^T for tokens [first, first + count) of x, y that of the first; u: room for count * R
  /// floats.
  void add(const kernels::Kernels& k, const QuantizedActivations& x, std::int64_t first, std::int64_t count, float* u,
           float* y, std::int64_t y_stride) const;

 private:
  int rank_;
  std::int64_t num_outputs_;
  PackedMatrix a_;
  std::vector<std::int8_t> b_;  ///< Panels [ceil(N / 16)][R][16].
  std::vector<float> b_scale_;
};

/// What an adapter's factors are held as where it is served.
enum class AdapterType { kF32, kInt8 };
/// "f32" or "int8"; throws kInvalidArgument naming both on another.
AdapterType adapter_type_from_name(std::string_view name);

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

  /// Keeps int8 factors alone: from here on it can be read, no longer trained, merged or written. After `pack`.
  void keep_int8(Context& context);
  /// Frees gradients, and what `pack` made panels of.
  void drop_training_state();

  FloatBuffer a_panels;
  FloatBuffer b_panels;
  std::vector<float> row_norm;      ///< n, DoRA only
  std::optional<Int8LowRank> int8;  ///< In place of the panels, where it is there.
};

/// Tokens [first, first + num_tokens) of a group: y += their low-rank addition.
struct LowRankTarget {
  const Int8LowRank* factors = nullptr;
  std::int64_t first = 0;
  std::int64_t num_tokens = 0;
  float* y = nullptr;  ///< Of the first.
  std::int64_t y_stride = 0;
};
/// Every target as one parallel region; targets write disjoint outputs. Bits depend on neither tokens nor threads.
void add_low_rank(Context& context, const QuantizedActivations& x, std::span<const LowRankTarget> targets);

/// One adapter: a place for each linear layer of the model (order: layer * slots + slot), empty where it has none.
struct Adapter {
  std::string name;
  std::vector<std::optional<LoraLinear>> linears;

  /// Every trainable tensor in a fixed order.
  std::vector<Parameter*> parameters();
  void zero_gradients();
  /// Memory of all factors as they are held, gradients included.
  std::int64_t num_bytes() const;
};

}  // namespace onggi::nn
