#include <algorithm>
#include <cstring>

#include "onggi/models/decoder.h"

// T tokens of a batch, D model width, F MLP width
namespace onggi::models {
namespace {

constexpr std::int64_t kTokenGrain = 32;

void zero(float* x, std::int64_t count) { std::memset(x, 0, static_cast<std::size_t>(count) * sizeof(float)); }

}  // namespace

void Decoder::linear_backward(nn::Context& context, int layer, LinearSlot slot, std::int64_t num_tokens, const float* x,
                              const float* dy, LayerTrace& trace, nn::Adapter* adapter, float* dx, bool accumulate) {
  DecoderLayer& weights = layers_[static_cast<std::size_t>(layer)];
  LinearLayer& linear = weights.linear(slot);
  const std::int64_t n = linear.weight.rows;
  const std::int64_t width = linear.weight.columns;
  nn::LoraLinear* lora = nullptr;
  if (adapter != nullptr) {
    auto& place = adapter->linears[static_cast<std::size_t>(layer * kNumSlots + static_cast<int>(slot))];
    if (place) lora = &*place;
  }
  if (trainable_ && linear.bias) {
    for (std::int64_t t = 0; t < num_tokens; ++t) context.kernels().add(dy + t * n, n, linear.bias->grad.data());
  }
  const float* dz = dy;
  nn::FloatBuffer scaled;
  if (lora != nullptr && lora->magnitude) {
    // y = (m / n) z with n constant: dm = sum dy z / n, dz = dy m / n.
    const float* z = trace.dora_z[static_cast<std::size_t>(slot)].data();
    float* out = scaled.resize(num_tokens * n);
    for (std::int64_t i = 0; i < n; ++i) {
      const float inverse = 1.0F / lora->row_norm[static_cast<std::size_t>(i)];
      const float factor = lora->magnitude->value[static_cast<std::size_t>(i)] * inverse;
      float sum = 0.0F;
      for (std::int64_t t = 0; t < num_tokens; ++t) {
        sum += dy[t * n + i] * z[t * n + i];
        out[t * n + i] = dy[t * n + i] * factor;
      }
      lora->magnitude->grad[static_cast<std::size_t>(i)] += sum * inverse;
    }
    dz = out;
  }
  if (dx != nullptr) nn::matmul(context, dz, n, num_tokens, linear.weight, dx, width, accumulate);
  if (linear.dense) {
    nn::matmul_outer(context, dz, n, n, x, width, width, num_tokens, linear.dense->grad.data(), width, true);
  }
  if (lora == nullptr) return;
  const int rank = lora->rank();
  const float* u = trace.lora_u[static_cast<std::size_t>(slot)].data();
  nn::matmul_outer(context, dz, n, n, u, rank, rank, num_tokens, lora->b.grad.data(), rank, true);
  float* du = lora_du_.resize(num_tokens * rank);
  nn::matmul(context, dz, n, num_tokens, lora->b_matrix(), du, rank, false);
  context.kernels().scale(lora->scale, num_tokens * rank, du);
  nn::matmul_outer(context, du, rank, rank, x, width, width, num_tokens, lora->a.grad.data(), width, true);
  if (dx != nullptr) nn::matmul(context, du, rank, num_tokens, lora->a_matrix(), dx, width, true);
}

void Decoder::layer_backward(nn::Context& context, int layer, const Batch& batch, std::span<const int> positions,
                             LayerTrace& trace, nn::Adapter* adapter, nn::FloatBuffer& dh) {
  const auto& k = context.kernels();
  DecoderLayer& w = layers_[static_cast<std::size_t>(layer)];
  const std::int64_t T = batch.num_tokens();
  const std::int64_t d = config_.hidden_size;
  const std::int64_t f = config_.intermediate_size;
  const std::int64_t q_width = std::int64_t{config_.num_heads} * config_.head_dim;
  const std::int64_t kv_width = std::int64_t{config_.num_kv_heads} * config_.head_dim;
  float* dh_out = dh.data();

  // dx += gradient of y = norm(x); the gain's gradient runs in one task, its sum over tokens in order.
  const auto norm_backward = [&](const float* dy, const float* x, nn::Parameter& gain, const float* inverse_rms,
                                 std::int64_t count, std::int64_t width, float* dx) {
    const std::int64_t grain = trainable_ ? count : kTokenGrain * d / width;
    context.parallel_for(count, grain, [&](std::int64_t begin, std::int64_t end, int) {
      k.rms_norm_backward(dy + begin * width, x + begin * width, gain.value.data(), inverse_rms + begin, end - begin,
                          width, dx + begin * width, trainable_ ? gain.grad.data() : nullptr);
    });
  };
  const auto recompute_norm = [&](const float* x, const nn::Parameter& gain, float* y) {
    context.parallel_for(T, kTokenGrain, [&](std::int64_t begin, std::int64_t end, int) {
      k.rms_norm(x + begin * d, gain.value.data(), end - begin, d, config_.norm_epsilon, y + begin * d, nullptr);
    });
  };

  // MLP
  const float* d_down = dh_out;
  if (config_.sandwich_norms) {
    float* out = d1_.resize(T * d);
    zero(out, T * d);
    norm_backward(dh_out, trace.down_raw.data(), w.post_mlp_norm, trace.down_inverse_rms.data(), T, d, out);
    d_down = out;
  }
  float* act = act_.resize(T * f);
  context.parallel_for(T * f, kTokenGrain * f, [&](std::int64_t begin, std::int64_t end, int) {
    k.gated(config_.activation, trace.gate.data() + begin, trace.up.data() + begin, end - begin, act + begin);
  });
  float* d_act = d2_.resize(T * f);
  linear_backward(context, layer, LinearSlot::kDown, T, act, d_down, trace, adapter, d_act, false);
  float* d_gate = d3_.resize(T * f);
  float* d_up = d4_.resize(T * f);
  context.parallel_for(T * f, kTokenGrain * f, [&](std::int64_t begin, std::int64_t end, int) {
    k.gated_backward(config_.activation, d_act + begin, trace.gate.data() + begin, trace.up.data() + begin, end - begin,
                     d_gate + begin, d_up + begin);
  });
  float* x = x_.resize(T * std::max({d, f, q_width}));
  recompute_norm(trace.h_mid.data(), w.mlp_norm, x);
  float* dx = d5_.resize(T * d);
  linear_backward(context, layer, LinearSlot::kGate, T, x, d_gate, trace, adapter, dx, false);
  linear_backward(context, layer, LinearSlot::kUp, T, x, d_up, trace, adapter, dx, true);
  norm_backward(dx, trace.h_mid.data(), w.mlp_norm, trace.mlp_inverse_rms.data(), T, d, dh_out);

  // Attention; dh_out is now the gradient of h_mid.
  const float* d_o = dh_out;
  if (config_.sandwich_norms) {
    float* out = d1_.resize(T * d);
    zero(out, T * d);
    norm_backward(dh_out, trace.o_raw.data(), w.post_attention_norm, trace.o_inverse_rms.data(), T, d, out);
    d_o = out;
  }
  float* d_attention = d2_.resize(T * q_width);
  linear_backward(context, layer, LinearSlot::kO, T, trace.attention.data(), d_o, trace, adapter, d_attention, false);
  float* dq = d3_.resize(T * q_width);
  float* dk = d4_.resize(T * kv_width);
  float* dv = d6_.resize(T * kv_width);
  std::vector<nn::AttentionBackwardRow> rows;
  for (const auto& row : batch.rows) {
    nn::AttentionBackwardRow r{.first = row.first, .count = row.count};
    if (row.prefix_row >= 0) {
      const BatchRow& prefix = batch.rows[static_cast<std::size_t>(row.prefix_row)];
      r.prefix_first = prefix.first;
      r.prefix_count = prefix.count;
    }
    rows.push_back(r);
  }
  nn::attend_backward(context, attention_shape_, config_.layers[static_cast<std::size_t>(layer)].window, rows, T,
                      trace.q.data(), trace.k.data(), trace.v.data(), trace.attention.data(), d_attention, dq, dk, dv);
  rotate(context, layer, positions, dq, config_.num_heads, -1.0F);
  rotate(context, layer, positions, dk, config_.num_kv_heads, -1.0F);
  if (config_.qk_norm) {
    float* dq_raw = d2_.resize(T * q_width);
    zero(dq_raw, T * q_width);
    norm_backward(dq, trace.q_raw.data(), w.q_norm, trace.q_inverse_rms.data(), T * config_.num_heads, config_.head_dim, dq_raw);
    dq = dq_raw;
    float* dk_raw = d1_.resize(T * kv_width);
    zero(dk_raw, T * kv_width);
    norm_backward(dk, trace.k_raw.data(), w.k_norm, trace.k_inverse_rms.data(), T * config_.num_kv_heads, config_.head_dim, dk_raw);
    dk = dk_raw;
  }
  recompute_norm(trace.h_in.data(), w.attention_norm, x);
  // Below the first layer there is only the embedding, which a frozen base does not train.
  const bool wants_input = layer > 0 || trainable_;
  dx = wants_input ? d5_.resize(T * d) : nullptr;
  linear_backward(context, layer, LinearSlot::kQ, T, x, dq, trace, adapter, dx, false);
  linear_backward(context, layer, LinearSlot::kK, T, x, dk, trace, adapter, dx, true);
  linear_backward(context, layer, LinearSlot::kV, T, x, dv, trace, adapter, dx, true);
  if (wants_input) {
    norm_backward(dx, trace.h_in.data(), w.attention_norm, trace.attention_inverse_rms.data(), T, d, dh_out);
  }
}

void Decoder::backward(nn::Context& context, const Batch& batch, Trace& trace, nn::Adapter* adapter,
                       nn::FloatBuffer& dh_TD) {
  for (int i = config_.num_layers - 1; i >= 0; --i) {
    layer_backward(context, i, batch, trace.positions, trace.layers[static_cast<std::size_t>(i)], adapter, dh_TD);
  }
  if (!trainable_) return;
  const std::int64_t d = config_.hidden_size;
  context.kernels().scale(config_.embedding_scale, batch.num_tokens() * d, dh_TD.data());
  for (std::int64_t t = 0; t < batch.num_tokens(); ++t) {
    context.kernels().add(dh_TD.data() + t * d, d,
                          embedding_dense_->grad.data() + std::int64_t{batch.tokens[static_cast<std::size_t>(t)]} * d);
  }
}

}  // namespace onggi::models
