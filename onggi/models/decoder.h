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
#include "onggi/nn/dropout.h"
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

/// What the linear layers of a frozen base are held as; embedding and head always stay as they lie in the file.
enum class BaseType : std::uint8_t {
  kKeep,  ///< The file's own blocks: train on what you serve.
  kF32,
  kBF16,
  kQ8_0,
  kNF4,  ///< With double quantisation, as bitsandbytes (docs/formats/nf4.md).
};

/// "keep", "f32", "bf16", "q8_0" or "nf4"; the second throws kInvalidArgument on another name.
std::string_view base_type_name(BaseType type);
BaseType base_type_from_name(std::string_view name);

/// Bytes of a weight that does not lie in the file as it is used.
struct OwnedWeight {
  std::vector<std::byte> bytes;
  quant::Nf4Tensor nf4;
  quant::Nf4View nf4_view;
};

/// A frozen or trainable linear layer.
struct LinearLayer {
  std::string path;  ///< As module_path.
  nn::WeightMatrix weight;
  std::unique_ptr<OwnedWeight> owned;  ///< What `weight` views, unless that is the file or `dense`.
  nn::PackedMatrix packed;             ///< Only for Compute::kInt8.
  std::optional<nn::Parameter> bias;   ///< [N]
  std::optional<nn::Parameter> dense;  ///< [N, K] f32 where the weight itself is trained; `weight` views it.
};

/// A trained tensor and how the checkpoint that it was loaded from holds it.
struct StoredParameter {
  const nn::Parameter* parameter = nullptr;
  std::string file_name;
  bool adds_one = false;      ///< The file holds the value less 1.
  int permuted_head_dim = 0;  ///< Not 0: the file's rows are for adjacent-pair RoPE in heads of this width.
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
  const nn::AdapterDropout* dropout = nullptr;  ///< Training only.
  /// Tokens whose output is used, ascending; empty: all. The last layer computes of the others no more than their keys
  /// and values, their rows of `forward`'s h_TD are not written, and `backward` takes their rows of dh_TD to be 0.
  std::vector<std::int64_t> needed;
  /// Serving only: the adapter of each row (null = the base alone), in place of the one that `forward` is given for all.
  /// Neighbours with the same one are computed together; a row's bits depend on its own alone.
  std::vector<const nn::Adapter*> row_adapters;

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
  /// Keep each layer's input only: its backward pass runs the layer again, with the same bits. The rows' sequences then
  /// stay uncommitted until `backward`.
  bool recompute = false;
  LayerTrace work;  ///< The layer in work, with `recompute`.
};

/// A decoder-only transformer: one definition that trains and serves. Weights are views into the checkpoint's map (or
/// dense parameters where they are trained). Forward and backward are confined to one thread at a time per Workspace.
class Decoder {
 public:
  /// Checks every tensor's shape against the config. Throws kCorrupt naming tensor, shape found and expected;
  /// kInvalidArgument if a layer does not fit the blocks of `base_type`.
  static std::unique_ptr<Decoder> load(std::shared_ptr<const formats::Checkpoint> checkpoint, nn::Context& context,
                                       Compute compute, BaseType base_type = BaseType::kKeep);

  const DecoderConfig& config() const { return config_; }
  const nn::KvShape& kv_shape() const { return kv_shape_; }
  Compute compute() const { return compute_; }
  BaseType base_type() const { return base_type_; }
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
  /// The same tensors in the same order with their names in the checkpoint.
  std::vector<StoredParameter> stored_parameters() const;

  const std::vector<DecoderLayer>& layers() const { return layers_; }
  const nn::WeightMatrix& embedding() const { return embedding_; }
  const nn::WeightMatrix& head() const { return head_; }
  nn::Parameter& final_norm() { return final_norm_; }
  const nn::Parameter& final_norm() const { return final_norm_; }
  nn::Parameter* head_parameter() { return head_dense_ ? &*head_dense_ : (embedding_dense_ ? &*embedding_dense_ : nullptr); }
  std::int64_t num_parameters() const;
  /// Bytes of all weights as they are held: matrices in their blocks, vectors in f32.
  std::int64_t weight_bytes() const;

  /// Makes an empty adapter's place for every linear layer.
  nn::Adapter empty_adapter() const;
  /// Linear layer of Adapter::linears[index].
  const LinearLayer& linear_at(std::size_t index) const { return layers_[index / kNumSlots].linears[index % kNumSlots]; }
  /// Refreshes what the forward pass reads of an adapter; after loading and after each update.
  void pack_adapter(nn::Context& context, nn::Adapter& adapter) const;

 private:
  struct LinearCall;
  struct AdapterSpan;
  void load_weights(nn::Context& context);
  void convert_linears(nn::Context& context);
  void prepare_rows(const Batch& batch, std::vector<int>& positions, std::vector<nn::AttentionRow>& rows);
  void embed(nn::Context& context, const Batch& batch, float* h) const;
  void layer_forward(nn::Context& context, int layer, const Batch& batch, std::span<const int> positions,
                     std::span<const nn::AttentionRow> rows, const nn::Adapter* adapter, LayerTrace& trace, float* h_out,
                     bool keep);
  std::span<const std::int64_t> needed_tokens(int layer, const Batch& batch) const;
  void use_dropout(const Batch& batch, std::span<const std::int64_t> needed);
  void layer_backward(nn::Context& context, int layer, const Batch& batch, std::span<const int> positions,
                      LayerTrace& trace, nn::Adapter* adapter, nn::FloatBuffer& dh);
  void apply_linears(nn::Context& context, std::int64_t num_tokens, const float* x, std::int64_t width,
                     std::span<const LinearCall> calls, int layer, std::span<const AdapterSpan> adapters, LayerTrace& trace,
                     bool keep);
  static std::vector<AdapterSpan> adapter_spans(const Batch& batch, const nn::Adapter* adapter, std::span<const std::int64_t> needed);
  void linear_backward(nn::Context& context, int layer, LinearSlot slot, std::int64_t num_tokens, const float* x,
                       const float* dy, LayerTrace& trace, nn::Adapter* adapter, float* dx, bool accumulate);
  void rotate(nn::Context& context, int layer, std::span<const int> positions, float* heads, int num_heads,
              float direction) const;
  const nn::RopeTable& rope_table(int layer, int max_position);

  DecoderConfig config_;
  nn::KvShape kv_shape_;
  nn::AttentionShape attention_shape_;
  Compute compute_ = Compute::kF32;
  BaseType base_type_ = BaseType::kKeep;
  bool trainable_ = false;
  std::shared_ptr<const formats::Checkpoint> checkpoint_;
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
  const nn::AdapterDropout* dropout_ = nullptr;  ///< Of the batch in work.
  // Reused between calls.
  LayerTrace scratch_trace_;
  std::array<nn::FloatBuffer, 3> dropped_;
  nn::AdapterDropout needed_dropout_;
  nn::FloatBuffer x_needed_, h_needed_, q_all_, attention_all_;
  nn::FloatBuffer x_, act_, d1_, d2_, d3_, d4_, d5_, d6_, lora_du_;
  nn::QuantizedActivations quantized_;
};

}  // namespace onggi::models
