#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "onggi/models/decoder_config.h"
#include "onggi/nn/attention.h"
#include "onggi/nn/context.h"
#include "onggi/nn/kv_cache.h"
#include "onggi/nn/lora.h"
#include "onggi/nn/matmul.h"
#include "onggi/nn/parameter.h"

// T tokens of a batch, D model width, F MLP width, H query heads, K head width, V vocabulary
namespace onggi::models {

/// How products with frozen weights are computed.
enum class Compute {
  kF32,   ///< Weights decoded to f32: training, and the reference for serving.
  kInt8,  ///< Activations in int8, weights in their blocks: serving. Types without an integer kernel stay f32.
};

/// A frozen or trainable linear layer.
struct LinearLayer {
  std::string path;  ///< As module_path.
  nn::WeightMatrix weight;
  nn::PackedMatrix packed;             ///< Only for Compute::kInt8.
  std::optional<nn::Parameter> bias;   ///< [N]
  std::optional<nn::Parameter> dense;  ///< [N, K] f32 where the weight itself is trained; `weight` views it.
};

struct DecoderLayer {
  nn::Parameter attention_norm;
  nn::Parameter q_norm;
  nn::Parameter k_norm;
  nn::Parameter post_attention_norm;
  nn::Parameter mlp_norm;
  nn::Parameter post_mlp_norm;
  std::array<LinearLayer, kNumSlots> linears;

  LinearLayer& linear(LinearSlot slot) { return linears[static_cast<std::size_t>(slot)]; }
  const LinearLayer& linear(LinearSlot slot) const { return linears[static_cast<std::size_t>(slot)]; }
};

/// New tokens of one row: tokens [first, first + count) of the batch continue `sequence`.
struct BatchRow {
  nn::KvSequence* sequence = nullptr;
  std::int64_t first = 0;
  int count = 0;
  /// A row of this batch whose tokens come just before this row's (a shared prefix that is computed once); -1 = none.
  /// The row's sequence is then made from that row's.
  int prefix_row = -1;
};

struct Batch {
  std::vector<int> tokens;
  std::vector<BatchRow> rows;

  std::int64_t num_tokens() const { return static_cast<std::int64_t>(tokens.size()); }
};

/// What a layer's forward pass leaves for its backward pass, token by token.
struct LayerTrace {
  nn::FloatBuffer h_in, q_raw, k_raw, v, q, k, attention, o_raw, h_mid, gate, up, down_raw;
  nn::FloatBuffer attention_inverse_rms, q_inverse_rms, k_inverse_rms, o_inverse_rms, mlp_inverse_rms, down_inverse_rms;
  std::array<nn::FloatBuffer, kNumSlots> lora_u;  ///< scale * x A^T
  std::array<nn::FloatBuffer, kNumSlots> dora_z;  ///< Output before DoRA's row factor.
};

struct Trace {
  std::vector<LayerTrace> layers;
  std::vector<int> positions;
};

/// A decoder-only transformer: one definition that trains and serves. Weights are views into the checkpoint's map (or
/// dense parameters where they are trained). Forward and backward are confined to one thread at a time per Workspace.
class Decoder {
 public:
  /// Checks every tensor's shape against the config. Throws kCorrupt naming tensor, shape found and expected.
  static std::unique_ptr<Decoder> load(std::shared_ptr<const formats::Checkpoint> checkpoint, nn::Context& context,
                                       Compute compute);

  const DecoderConfig& config() const { return config_; }
  const nn::KvShape& kv_shape() const { return kv_shape_; }
  Compute compute() const { return compute_; }
  const formats::Checkpoint& checkpoint() const { return *checkpoint_; }

  /// Runs the batch through all layers: h_TD is the residual stream after the last one (before the final norm). Appends
  /// to the rows' sequences and commits. With `trace`, everything the backward pass needs is kept there.
  /// Throws kExhausted if a row would pass max_positions.
  void forward(nn::Context& context, const Batch& batch, const nn::Adapter* adapter, nn::FloatBuffer& h_TD,
               Trace* trace = nullptr);

  /// Adds the gradients of the adapter (if any) and of trainable base weights; dh_TD is the gradient at the output of
  /// `forward` and is overwritten. The batch's rows must have started at position 0 or at their prefix row's end.
  void backward(nn::Context& context, const Batch& batch, Trace& trace, nn::Adapter* adapter, nn::FloatBuffer& dh_TD);

  /// Turns every weight into a trainable f32 parameter (full fine-tuning).
  void make_trainable(nn::Context& context);
  bool is_trainable() const { return trainable_; }
  /// All parameters under Hugging Face names, in file order; empty unless trainable.
  std::vector<nn::Parameter*> parameters();

  const std::vector<DecoderLayer>& layers() const { return layers_; }
  const nn::WeightMatrix& embedding() const { return embedding_; }
  const nn::WeightMatrix& head() const { return head_; }
  nn::Parameter& final_norm() { return final_norm_; }
  nn::Parameter* head_parameter() { return head_dense_ ? &*head_dense_ : (embedding_dense_ ? &*embedding_dense_ : nullptr); }
  std::int64_t num_parameters() const;

  /// Makes an empty adapter's place for every linear layer.
  nn::Adapter empty_adapter() const;
  /// Linear layer of Adapter::linears[index].
  const LinearLayer& linear_at(std::size_t index) const { return layers_[index / kNumSlots].linears[index % kNumSlots]; }
  /// Refreshes what the forward pass reads of an adapter; after loading and after each update.
  void pack_adapter(nn::Context& context, nn::Adapter& adapter) const;

 private:
  struct LinearCall;
  void load_weights(nn::Context& context);
  void prepare_rows(const Batch& batch, std::vector<int>& positions, std::vector<nn::AttentionRow>& rows);
  void embed(nn::Context& context, const Batch& batch, float* h) const;
  void layer_forward(nn::Context& context, int layer, const Batch& batch, std::span<const int> positions,
                     std::span<const nn::AttentionRow> rows, const nn::Adapter* adapter, LayerTrace& trace, float* h_out,
                     bool keep);
  void layer_backward(nn::Context& context, int layer, const Batch& batch, std::span<const int> positions,
                      LayerTrace& trace, nn::Adapter* adapter, nn::FloatBuffer& dh);
  void apply_linears(nn::Context& context, std::int64_t num_tokens, const float* x, std::int64_t width,
                     std::span<const LinearCall> calls, int layer, const nn::Adapter* adapter, LayerTrace& trace,
                     bool keep);
  void linear_backward(nn::Context& context, int layer, LinearSlot slot, std::int64_t num_tokens, const float* x,
                       const float* dy, LayerTrace& trace, nn::Adapter* adapter, float* dx, bool accumulate);
  void rotate(nn::Context& context, int layer, std::span<const int> positions, float* heads, int num_heads,
              float direction) const;
  const nn::RopeTable& rope_table(int layer, int max_position);

  DecoderConfig config_;
  nn::KvShape kv_shape_;
  nn::AttentionShape attention_shape_;
  Compute compute_ = Compute::kF32;
  bool trainable_ = false;
  std::shared_ptr<const formats::Checkpoint> checkpoint_;
  std::vector<std::vector<std::byte>> owned_;  ///< Weights that could not be used as they lie.
  std::vector<DecoderLayer> layers_;
  nn::WeightMatrix embedding_;
  nn::WeightMatrix head_;
  std::optional<nn::Parameter> embedding_dense_;
  std::optional<nn::Parameter> head_dense_;
  nn::Parameter final_norm_;
  struct RopeKind {
    nn::RopeConfig config;
    std::unique_ptr<nn::RopeTable> table;
  };
  std::vector<RopeKind> ropes_;
  std::vector<int> layer_rope_;
  // Reused between calls.
  LayerTrace scratch_trace_;
  nn::FloatBuffer x_, act_, d1_, d2_, d3_, d4_, d5_, d6_, lora_du_;
  nn::QuantizedActivations quantized_;
};

}  // namespace onggi::models
