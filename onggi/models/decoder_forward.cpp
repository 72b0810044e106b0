#include <algorithm>
#include <cmath>
#include <cstring>

#include "onggi/core/error.h"
#include "onggi/models/decoder.h"
#include "onggi/models/decoder_rows.h"

// T tokens of a batch, D model width, F MLP width, H query heads, G key heads, K head width
namespace onggi::models {
namespace {

/// Tokens a task takes in element-wise steps; batches up to this size run on the calling thread.
constexpr std::int64_t kTokenGrain = 32;

/// Queries of the needed tokens alone, as rows of consecutive ones; their `first` counts needed tokens.
std::vector<nn::AttentionRow> needed_rows(std::span<const nn::AttentionRow> rows, std::span<const std::int64_t> needed) {
  std::vector<nn::AttentionRow> out;
  std::size_t i = 0;
  for (const auto& row : rows) {
    for (; i < needed.size() && needed[i] < row.first + row.count; ++i) {
      const bool follows = i > 0 && needed[i] == needed[i - 1] + 1 && needed[i] > row.first;
      if (follows) {
        ++out.back().count;
      } else {
        out.push_back({row.sequence, static_cast<std::int64_t>(i), 1, row.position + static_cast<int>(needed[i] - row.first)});
      }
    }
  }
  return out;
}

}  // namespace

struct Decoder::LinearCall {
  LinearSlot slot;
  nn::FloatBuffer* y;
};

/// Tokens [first, first + count) of those computed go through the same adapter.
struct Decoder::AdapterSpan {
  std::int64_t first = 0;
  std::int64_t count = 0;
  const nn::Adapter* adapter = nullptr;

  const nn::LoraLinear* at(std::size_t index) const {
    return adapter != nullptr && adapter->linears[index] ? &*adapter->linears[index] : nullptr;
  }
};

void Decoder::prepare_rows(const Batch& batch, std::vector<int>& positions, std::vector<nn::AttentionRow>& rows) {
  positions.assign(batch.tokens.size(), 0);
  rows.clear();
  for (const auto& row : batch.rows) {
    if (row.prefix_row >= 0) {
      const BatchRow& prefix = batch.rows[static_cast<std::size_t>(row.prefix_row)];
      *row.sequence = prefix.sequence->fork(prefix.count);
    }
    const int start = row.sequence->length();
    require(start + row.count <= config_.max_positions,
            [&] {
              return "row of " + std::to_string(start + row.count) + " tokens is longer than the model's context of " +
                     std::to_string(config_.max_positions);
            },
            ErrorCode::kExhausted);
    row.sequence->reserve(row.count);
    for (int t = 0; t < row.count; ++t) positions[static_cast<std::size_t>(row.first + t)] = start + t;
    rows.push_back({row.sequence, row.first, row.count, start});
    for (std::size_t i = 0; i < ropes_.size(); ++i) rope_table(static_cast<int>(i), start + row.count);
  }
}

const nn::RopeTable& Decoder::rope_table(int kind, int max_position) {
  auto& rope = ropes_[static_cast<std::size_t>(kind)];
  if (!rope.table || rope.table->max_positions() < max_position) {
    const int size = std::min(config_.max_positions, std::max(512, 2 * max_position));
    rope.table = std::make_unique<nn::RopeTable>(rope.config, config_.head_dim, size);
  }
  return *rope.table;
}

void Decoder::embed(nn::Context& context, const Batch& batch, float* h) const {
  const std::int64_t d = config_.hidden_size;
  const auto& k = context.kernels();
  for (std::int64_t t = 0; t < batch.num_tokens(); ++t) {
    const int id = batch.tokens[static_cast<std::size_t>(t)];
    require(id >= 0 && id < config_.vocab_size,
            [&] { return "token id " + std::to_string(id) + " is outside the vocabulary of " + std::to_string(config_.vocab_size); });
    k.decode(embedding_.type, embedding_.row(id), d, h + t * d);
    require(std::isfinite(k.dot(h + t * d, h + t * d, d)),
            [&] { return "row " + std::to_string(id) + " of embed_tokens holds a value that is not finite"; }, ErrorCode::kCorrupt,
            checkpoint_->path().string());
  }
  k.scale(config_.embedding_scale, batch.num_tokens() * d, h);
}

void Decoder::rotate(nn::Context& context, int layer, std::span<const int> positions, float* heads, int num_heads,
                     float direction) const {
  const auto& table = *ropes_[static_cast<std::size_t>(layer_rope_[static_cast<std::size_t>(layer)])].table;
  context.parallel_for(static_cast<std::int64_t>(positions.size()), kTokenGrain,
                       [&](std::int64_t begin, std::int64_t end, int) {
                         for (std::int64_t t = begin; t < end; ++t) {
                           for (int h = 0; h < num_heads; ++h) {
                             table.rotate(heads + (t * num_heads + h) * config_.head_dim,
                                          positions[static_cast<std::size_t>(t)], direction);
                           }
                         }
                       });
}

std::vector<Decoder::AdapterSpan> Decoder::adapter_spans(const Batch& batch, const nn::Adapter* adapter, std::span<const std::int64_t> needed) {
  if (batch.row_adapters.empty()) return {{0, needed.empty() ? batch.num_tokens() : static_cast<std::int64_t>(needed.size()), adapter}};
  require(batch.row_adapters.size() == batch.rows.size(), "expected an adapter (or null) for each row of the batch", ErrorCode::kInternal);
  std::vector<AdapterSpan> spans;
  std::size_t next = 0;
  for (std::size_t r = 0; r < batch.rows.size(); ++r) {
    const BatchRow& row = batch.rows[r];
    std::int64_t count = row.count;
    if (!needed.empty()) {
      const std::size_t first = next;
      while (next < needed.size() && needed[next] < row.first + row.count) ++next;
      count = static_cast<std::int64_t>(next - first);
    }
    if (count == 0) continue;
    if (!spans.empty() && spans.back().adapter == batch.row_adapters[r]) {
      spans.back().count += count;
    } else {
      spans.push_back({spans.empty() ? 0 : spans.back().first + spans.back().count, count, batch.row_adapters[r]});
    }
  }
  return spans;
}

void Decoder::apply_linears(nn::Context& context, std::int64_t num_tokens, const float* x, std::int64_t width,
                            std::span<const LinearCall> calls, int layer, std::span<const AdapterSpan> adapters,
                            LayerTrace& trace, bool keep) {
  const auto& k = context.kernels();
  const DecoderLayer& weights = layers_[static_cast<std::size_t>(layer)];
  struct Scaled {
    float* u;
    std::int64_t count;
    float scale;
  };
  std::vector<nn::PackedTarget> packed;
  std::vector<nn::LinearTarget> dense;
  std::vector<nn::LinearTarget> up;
  std::vector<Scaled> scaled;
  std::vector<nn::LowRankTarget> low_rank;
  for (const auto& call : calls) {
    const LinearLayer& linear = weights.linear(call.slot);
    const std::int64_t n = linear.weight.rows;
    float* y = call.y->resize(num_tokens * n);
    if (!linear.packed.empty()) {
      packed.push_back({&linear.packed, y, n});
    } else {
      dense.push_back({.x = x, .x_stride = width, .weight = linear.weight, .y = y, .y_stride = n});
    }
    const auto index = static_cast<std::size_t>(layer * kNumSlots + static_cast<int>(call.slot));
    std::int64_t u_floats = 0;
    for (const auto& span : adapters) {
      const auto* lora = span.at(index);
      if (lora == nullptr) continue;
      if (lora->int8) {
        low_rank.push_back({&*lora->int8, span.first, span.count, y + span.first * n, n});
      } else {
        u_floats += span.count * lora->rank();
      }
    }
    if (u_floats == 0) continue;
    const float* lora_x = x;
    if (dropout_ != nullptr) {
      float* dropped = dropped_[static_cast<std::size_t>(&call - calls.data())].resize(num_tokens * width);
      nn::apply_dropout(context, *dropout_, index, x, num_tokens, width, dropped, false);
      lora_x = dropped;
    }
    float* u = trace.lora_u[static_cast<std::size_t>(call.slot)].resize(u_floats);
    for (const auto& span : adapters) {
      const auto* lora = span.at(index);
      if (lora == nullptr || lora->int8) continue;
      dense.push_back({.x = lora_x + span.first * width, .x_stride = width, .weight = lora->a_matrix(), .panels = lora->a_panels.data(),
                       .y = u, .y_stride = lora->rank(), .num_tokens = span.count});
      up.push_back({.x = u, .x_stride = lora->rank(), .weight = lora->b_matrix(), .panels = lora->b_panels.data(),
                    .y = y + span.first * n, .y_stride = n, .accumulate = true, .num_tokens = span.count});
      scaled.push_back({u, span.count * lora->rank(), lora->scale});
      u += span.count * lora->rank();
    }
  }
  if (!packed.empty()) {
    quantized_.quantize(context, x, width, num_tokens, width);
    nn::matmul_quantized(context, quantized_, packed);
  }
  if (!dense.empty()) nn::matmul_transposed(context, num_tokens, dense);
  if (!up.empty()) {
    for (const auto& part : scaled) k.scale(part.scale, part.count, part.u);
    nn::matmul_transposed(context, num_tokens, up);
  }
  if (!low_rank.empty()) nn::add_low_rank(context, quantized_, low_rank);
  for (const auto& call : calls) {
    const LinearLayer& linear = weights.linear(call.slot);
    const std::int64_t n = linear.weight.rows;
    float* y = call.y->data();
    for (const auto& span : adapters) {
      const auto* lora = span.at(static_cast<std::size_t>(layer * kNumSlots + static_cast<int>(call.slot)));
      if (lora == nullptr || !lora->magnitude) continue;
      if (keep) std::memcpy(trace.dora_z[static_cast<std::size_t>(call.slot)].resize(num_tokens * n), y, static_cast<std::size_t>(num_tokens * n) * sizeof(float));
      for (std::int64_t t = span.first; t < span.first + span.count; ++t) {
        for (std::int64_t i = 0; i < n; ++i) y[t * n + i] *= lora->magnitude->value[static_cast<std::size_t>(i)] / lora->row_norm[static_cast<std::size_t>(i)];
      }
    }
    if (linear.bias) {
      for (std::int64_t t = 0; t < num_tokens; ++t) k.add(linear.bias->value.data(), n, y + t * n);
    }
  }
}

std::span<const std::int64_t> Decoder::needed_tokens(int layer, const Batch& batch) const {
  if (layer + 1 < config_.num_layers) return {};
  return batch.needed;
}

/// Points dropout_ at the batch's, or at its part for the needed tokens.
void Decoder::use_dropout(const Batch& batch, std::span<const std::int64_t> needed) {
  dropout_ = batch.dropout;
  if (batch.dropout == nullptr || needed.empty()) return;
  needed_dropout_ = *batch.dropout;
  needed_dropout_.token_keys.clear();
  for (const std::int64_t t : needed) needed_dropout_.token_keys.push_back(batch.dropout->token_keys[static_cast<std::size_t>(t)]);
  dropout_ = &needed_dropout_;
}

void Decoder::layer_forward(nn::Context& context, int layer, const Batch& batch, std::span<const int> positions,
                            std::span<const nn::AttentionRow> rows, const nn::Adapter* adapter, LayerTrace& trace,
                            float* h_out, bool keep) {
  const auto& k = context.kernels();
  const DecoderLayer& w = layers_[static_cast<std::size_t>(layer)];
  const std::int64_t T = batch.num_tokens();
  const std::int64_t d = config_.hidden_size;
  const std::int64_t f = config_.intermediate_size;
  const std::int64_t q_width = std::int64_t{config_.num_heads} * config_.head_dim;
  const std::int64_t kv_width = std::int64_t{config_.num_kv_heads} * config_.head_dim;
  const float epsilon = config_.norm_epsilon;
  const float* h_in = trace.h_in.data();
  // Everything after the keys and values is computed for R rows: the needed tokens, or all.
  const std::span<const std::int64_t> needed = needed_tokens(layer, batch);
  const bool is_pruned = !needed.empty();
  const std::int64_t R = is_pruned ? static_cast<std::int64_t>(needed.size()) : T;
  const auto adapters = adapter_spans(batch, adapter, {});
  const auto needed_adapters = is_pruned ? adapter_spans(batch, adapter, needed) : adapters;

  const auto norm = [&](const float* x, const nn::Parameter& gain, std::int64_t count, std::int64_t width, float* y, float* inverse_rms) {
    context.parallel_for(count, kTokenGrain * d / width, [&](std::int64_t begin, std::int64_t end, int) {
      k.rms_norm(x + begin * width, gain.value.data(), end - begin, width, epsilon, y + begin * width, inverse_rms + begin);
    });
  };
  // residual + norm(x), or residual + x without the outer norm
  const auto add_normed = [&](const float* residual, const float* x, const nn::Parameter& gain, float* inverse_rms, float* y) {
    context.parallel_for(R, kTokenGrain, [&](std::int64_t begin, std::int64_t end, int worker) {
      const std::int64_t count = (end - begin) * d;
      const float* addend = x + begin * d;
      if (config_.sandwich_norms) {
        float* normed = context.scratch(worker, 1, count);
        k.rms_norm(x + begin * d, gain.value.data(), end - begin, d, epsilon, normed, inverse_rms + begin);
        addend = normed;
      }
      if (y != residual) std::memcpy(y + begin * d, residual + begin * d, static_cast<std::size_t>(count) * sizeof(float));
      k.add(addend, count, y + begin * d);
    });
  };

  float* x = x_.resize(T * std::max({d, f, q_width}));
  norm(h_in, w.attention_norm, T, d, x, trace.attention_inverse_rms.resize(T));
  const std::array<LinearCall, 3> qkv = {{{LinearSlot::kQ, &trace.q_raw}, {LinearSlot::kK, &trace.k_raw}, {LinearSlot::kV, &trace.v}}};
  use_dropout(batch, {});
  if (is_pruned) {
    apply_linears(context, T, x, d, std::span(qkv).subspan(1), layer, adapters, trace, keep);
    float* x_needed = gather_rows(x, needed, d, x_needed_);
    h_in = gather_rows(h_in, needed, d, h_needed_);
    use_dropout(batch, needed);
    apply_linears(context, R, x_needed, d, std::span(qkv).first(1), layer, needed_adapters, trace, keep);
  } else {
    apply_linears(context, T, x, d, qkv, layer, adapters, trace, keep);
  }
  float* q = trace.q.resize(R * q_width);
  float* key = trace.k.resize(T * kv_width);
  if (config_.qk_norm) {
    norm(trace.q_raw.data(), w.q_norm, R * config_.num_heads, config_.head_dim, q, trace.q_inverse_rms.resize(R * config_.num_heads));
    norm(trace.k_raw.data(), w.k_norm, T * config_.num_kv_heads, config_.head_dim, key, trace.k_inverse_rms.resize(T * config_.num_kv_heads));
  } else {
    std::memcpy(q, trace.q_raw.data(), static_cast<std::size_t>(R * q_width) * sizeof(float));
    std::memcpy(key, trace.k_raw.data(), static_cast<std::size_t>(T * kv_width) * sizeof(float));
  }
  std::vector<int> needed_positions;
  for (const std::int64_t t : needed) needed_positions.push_back(positions[static_cast<std::size_t>(t)]);
  rotate(context, layer, is_pruned ? needed_positions : positions, q, config_.num_heads, 1.0F);
  rotate(context, layer, positions, key, config_.num_kv_heads, 1.0F);
  const float* v = trace.v.data();
  for (const auto& row : batch.rows) {
    const int start = positions[static_cast<std::size_t>(row.first)];
    if (row.prefix_row >= 0) {
      // The row owns a copy of the prefix's last, partly filled block, which this pass is only now filling.
      const BatchRow& prefix = batch.rows[static_cast<std::size_t>(row.prefix_row)];
      for (int p = std::max(start / nn::kBlockPositions * nn::kBlockPositions, start - prefix.count); p < start; ++p) {
        const std::int64_t token = prefix.first + prefix.count - (start - p);
        row.sequence->write(layer, p, key + token * kv_width, v + token * kv_width);
      }
    }
    for (int t = 0; t < row.count; ++t) {
      row.sequence->write(layer, start + t, key + (row.first + t) * kv_width, v + (row.first + t) * kv_width);
    }
  }
  float* attention = trace.attention.resize(R * q_width);
  const auto queries = is_pruned ? needed_rows(rows, needed) : std::vector<nn::AttentionRow>(rows.begin(), rows.end());
  nn::attend(context, attention_shape_, layer, config_.layers[static_cast<std::size_t>(layer)].window, queries, q, attention);
  const LinearCall o{LinearSlot::kO, &trace.o_raw};
  apply_linears(context, R, attention, q_width, {&o, 1}, layer, needed_adapters, trace, keep);
  float* h_mid = trace.h_mid.resize(R * d);
  add_normed(h_in, trace.o_raw.data(), w.post_attention_norm, trace.o_inverse_rms.resize(R), h_mid);

  norm(h_mid, w.mlp_norm, R, d, x, trace.mlp_inverse_rms.resize(R));
  const std::array<LinearCall, 2> gate_up = {{{LinearSlot::kGate, &trace.gate}, {LinearSlot::kUp, &trace.up}}};
  apply_linears(context, R, x, d, gate_up, layer, needed_adapters, trace, keep);
  float* act = act_.resize(R * f);
  context.parallel_for(R * f, kTokenGrain * f, [&](std::int64_t begin, std::int64_t end, int) {
    k.gated(config_.activation, trace.gate.data() + begin, trace.up.data() + begin, end - begin, act + begin);
  });
  const LinearCall down{LinearSlot::kDown, &trace.down_raw};
  apply_linears(context, R, act, f, {&down, 1}, layer, needed_adapters, trace, keep);
  float* out = is_pruned ? x_needed_.resize(R * d) : h_out;
  add_normed(h_mid, trace.down_raw.data(), w.post_mlp_norm, trace.down_inverse_rms.resize(R), out);
  if (is_pruned) scatter_rows(out, needed, d, h_out);
}

void Decoder::forward(nn::Context& context, const Batch& batch, const nn::Adapter* adapter, nn::FloatBuffer& h_TD,
                      Trace* trace) {
  std::vector<int> local_positions;
  std::vector<int>& positions = trace != nullptr ? trace->positions : local_positions;
  std::vector<nn::AttentionRow> rows;
  prepare_rows(batch, positions, rows);
  require(trace == nullptr || batch.row_adapters.empty(), "adapters by row are for serving, not for training", ErrorCode::kInternal);
  const bool recompute = trace != nullptr && trace->recompute;
  const std::int64_t size = batch.num_tokens() * config_.hidden_size;
  float* h = h_TD.resize(size);
  if (trace != nullptr) {
    trace->layers.resize(layers_.size());
    embed(context, batch, trace->layers[0].h_in.resize(size));
  } else {
    embed(context, batch, scratch_trace_.h_in.resize(size));
  }
  for (int i = 0; i < config_.num_layers; ++i) {
    const bool last = i + 1 == config_.num_layers;
    LayerTrace& here = trace != nullptr ? trace->layers[static_cast<std::size_t>(i)] : scratch_trace_;
    float* out = h;
    if (!last) out = trace != nullptr ? trace->layers[static_cast<std::size_t>(i) + 1].h_in.resize(size) : here.h_in.data();
    if (recompute) {
      std::swap(trace->work.h_in, here.h_in);
      layer_forward(context, i, batch, positions, rows, adapter, trace->work, out, false);
      std::swap(trace->work.h_in, here.h_in);
    } else {
      layer_forward(context, i, batch, positions, rows, adapter, here, out, trace != nullptr);
    }
  }
  if (recompute) return;
  for (const auto& row : batch.rows) row.sequence->commit(row.count);
}

}  // namespace onggi::models
