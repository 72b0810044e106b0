#include <algorithm>
#include <cstring>

#include "onggi/models/decoder.h"
#include "onggi/models/decoder_rows.h"

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
  const float* lora_x = x;
  const auto index = static_cast<std::uint64_t>(layer * kNumSlots + static_cast<int>(slot));
  if (dropout_ != nullptr) {
    float* dropped = dropped_[0].resize(num_tokens * width);
    nn::apply_dropout(context, *dropout_, index, x, num_tokens, width, dropped, false);
    lora_x = dropped;
  }
  nn::matmul_outer(context, du, rank, rank, lora_x, width, width, num_tokens, lora->a.grad.data(), width, true);
  if (dx == nullptr) return;
  if (dropout_ == nullptr) {
    nn::matmul(context, du, rank, num_tokens, lora->a_matrix(), dx, width, true);
    return;
  }
  float* d_dropped = dropped_[0].data();
  nn::matmul(context, du, rank, num_tokens, lora->a_matrix(), d_dropped, width, false);
  nn::apply_dropout(context, *dropout_, index, d_dropped, num_tokens, width, dx, true);
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
  // As in the forward pass; outside the R rows the gradient of this layer's output is 0.
  const std::span<const std::int64_t> needed = needed_tokens(layer, batch);
  const bool is_pruned = !needed.empty();
  const std::int64_t R = is_pruned ? static_cast<std::int64_t>(needed.size()) : T;
  use_dropout(batch, needed);
  float* dh_out = is_pruned ? gather_rows(dh.data(), needed, d, h_needed_) : dh.data();

  // dx += gradient of y = norm(x); the gain's gradient runs in one task, its sum over tokens in order.
  const auto norm_backward = [&](const float* dy, const float* x, nn::Parameter& gain, const float* inverse_rms,
                                 std::int64_t count, std::int64_t width, float* dx) {
    const std::int64_t grain = trainable_ ? count : kTokenGrain * d / width;
    context.parallel_for(count, grain, [&](std::int64_t begin, std::int64_t end, int) {
      k.rms_norm_backward(dy + begin * width, x + begin * width, gain.value.data(), inverse_rms + begin, end - begin,
                          width, dx + begin * width, trainable_ ? gain.grad.data() : nullptr);
    });
  };
  const auto recompute_norm = [&](const float* x, const nn::Parameter& gain, std::int64_t count, float* y) {
    context.parallel_for(count, kTokenGrain, [&](std::int64_t begin, std::int64_t end, int) {
      k.rms_norm(x + begin * d, gain.value.data(), end - begin, d, config_.norm_epsilon, y + begin * d, nullptr);
    });
  };

  // MLP
  const float* d_down = dh_out;
  if (config_.sandwich_norms) {
    float* out = d1_.resize(R * d);
    zero(out, R * d);
    norm_backward(dh_out, trace.down_raw.data(), w.post_mlp_norm, trace.down_inverse_rms.data(), R, d, out);
    d_down = out;
  }
  float* act = act_.resize(R * f);
  context.parallel_for(R * f, kTokenGrain * f, [&](std::int64_t begin, std::int64_t end, int) {
    k.gated(config_.activation, trace.gate.data() + begin, trace.up.data() + begin, end - begin, act + begin);
  });
  float* d_act = d2_.resize(R * f);
  linear_backward(context, layer, LinearSlot::kDown, R, act, d_down, trace, adapter, d_act, false);
  float* d_gate = d3_.resize(R * f);
  float* d_up = d4_.resize(R * f);
  context.parallel_for(R * f, kTokenGrain * f, [&](std::int64_t begin, std::int64_t end, int) {
    k.gated_backward(config_.activation, d_act + begin, trace.gate.data() + begin, trace.up.data() + begin, end - begin,
                     d_gate + begin, d_up + begin);
  });
  float* x = x_.resize(T * std::max({d, f, q_width}));
  recompute_norm(trace.h_mid.data(), w.mlp_norm, R, x);
  float* dx = d5_.resize(R * d);
  linear_backward(context, layer, LinearSlot::kGate, R, x, d_gate, trace, adapter, dx, false);
  linear_backward(context, layer, LinearSlot::kUp, R, x, d_up, trace, adapter, dx, true);
  norm_backward(dx, trace.h_mid.data(), w.mlp_norm, trace.mlp_inverse_rms.data(), R, d, dh_out);

  // Attention; dh_out is now the gradient of h_mid.
  const float* d_o = dh_out;
  if (config_.sandwich_norms) {
    float* out = d1_.resize(R * d);
    zero(out, R * d);
    norm_backward(dh_out, trace.o_raw.data(), w.post_attention_norm, trace.o_inverse_rms.data(), R, d, out);
    d_o = out;
  }
  float* d_attention = d2_.resize(R * q_width);
  linear_backward(context, layer, LinearSlot::kO, R, trace.attention.data(), d_o, trace, adapter, d_attention, false);
  const float* q = trace.q.data();
  const float* attention = trace.attention.data();
  if (is_pruned) {
    // Attention's backward pass takes all queries; those that are not needed have no gradient and change nothing.
    const auto all = [&](const float* rows, nn::FloatBuffer& buffer) {
      float* out = buffer.resize(T * q_width);
      zero(out, T * q_width);
      scatter_rows(rows, needed, q_width, out);
      return out;
    };
    q = all(q, q_all_);
    attention = all(attention, attention_all_);
    d_attention = all(d_attention, d3_);
    std::swap(d2_, d3_);
  }
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
                      q, trace.k.data(), trace.v.data(), attention, d_attention, dq, dk, dv);
  if (is_pruned) dq = gather_rows(dq, needed, q_width, q_all_);
  std::vector<int> needed_positions;
  for (const std::int64_t t : needed) needed_positions.push_back(positions[static_cast<std::size_t>(t)]);
  rotate(context, layer, is_pruned ? needed_positions : positions, dq, config_.num_heads, -1.0F);
  rotate(context, layer, positions, dk, config_.num_kv_heads, -1.0F);
  if (config_.qk_norm) {
    float* dq_raw = d2_.resize(R * q_width);
    zero(dq_raw, R * q_width);
    norm_backward(dq, trace.q_raw.data(), w.q_norm, trace.q_inverse_rms.data(), R * config_.num_heads, config_.head_dim, dq_raw);
    dq = dq_raw;
    float* dk_raw = d1_.resize(T * kv_width);
    zero(dk_raw, T * kv_width);
    norm_backward(dk, trace.k_raw.data(), w.k_norm, trace.k_inverse_rms.data(), T * config_.num_kv_heads, config_.head_dim, dk_raw);
    dk = dk_raw;
  }
  recompute_norm(trace.h_in.data(), w.attention_norm, T, x);
  // Below the first layer there is only the embedding, which a frozen base does not train.
  const bool wants_input = layer > 0 || trainable_;
  dx = wants_input ? d5_.resize(T * d) : nullptr;
  if (is_pruned) {
    scatter_rows(dh_out, needed, d, dh.data());
    const float* x_needed = gather_rows(x, needed, d, x_needed_);
    float* dx_needed = wants_input ? h_needed_.resize(R * d) : nullptr;
    linear_backward(context, layer, LinearSlot::kQ, R, x_needed, dq, trace, adapter, dx_needed, false);
    use_dropout(batch, {});
    dh_out = dh.data();
    if (wants_input) {
      zero(dx, T * d);
      scatter_rows(dx_needed, needed, d, dx);
    }
  } else {
    linear_backward(context, layer, LinearSlot::kQ, T, x, dq, trace, adapter, dx, false);
  }
  linear_backward(context, layer, LinearSlot::kK, T, x, dk, trace, adapter, dx, true);
  linear_backward(context, layer, LinearSlot::kV, T, x, dv, trace, adapter, dx, true);
  if (wants_input) {
    norm_backward(dx, trace.h_in.data(), w.attention_norm, trace.attention_inverse_rms.data(), T, d, dh_out);
  }
}

void Decoder::backward(nn::Context& context, const Batch& batch, Trace& trace, nn::Adapter* adapter,
                       nn::FloatBuffer& dh_TD) {
  std::vector<nn::AttentionRow> rows;
  for (const auto& row : batch.rows) {
    rows.push_back({row.sequence, row.first, row.count, trace.positions[static_cast<std::size_t>(row.first)]});
  }
  for (int i = config_.num_layers - 1; i >= 0; --i) {
    LayerTrace& kept = trace.layers[static_cast<std::size_t>(i)];
    if (!trace.recompute) {
      layer_backward(context, i, batch, trace.positions, kept, adapter, dh_TD);
      continue;
    }
    std::swap(trace.work.h_in, kept.h_in);
    float* h_out = d1_.resize(batch.num_tokens() * config_.hidden_size);
    layer_forward(context, i, batch, trace.positions, rows, adapter, trace.work, h_out, true);
    layer_backward(context, i, batch, trace.positions, trace.work, adapter, dh_TD);
    std::swap(trace.work.h_in, kept.h_in);
  }
  if (trace.recompute) {
    for (const auto& row : batch.rows) row.sequence->commit(row.count);
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
