#pragma once

#include <cstdint>
#include <span>

#include "onggi/nn/context.h"
#include "onggi/nn/kv_cache.h"

// T tokens, H query heads, G query heads a kv head, K head width, S keys
namespace onggi::nn {

struct AttentionShape {
  int num_heads = 0;
  int num_kv_heads = 0;
  int head_dim = 0;
  float scale = 1.0F;
};

/// Queries of one row: tokens [first, first + count) of the batch, at consecutive positions from `position`.
struct AttentionRow {
  KvSequence* sequence = nullptr;
  std::int64_t first = 0;
  int count = 0;
  int position = 0;
};

/// out_THK = softmax(scale q k^T) v over each row's own keys: causal, and within `window` keys (0 = all) of the query.
/// q_THK and out_THK have row stride H * K. Keys and values up to the rows' last positions must be written.
/// Sums over keys run in order of position, so bits do not depend on the batch or on how a prompt was cut in pieces.
void attend(Context& context, const AttentionShape& shape, int layer, int window, std::span<const AttentionRow> rows,
            const float* q, float* out);

/// Where a training row's keys come from: `prefix_count` tokens from `prefix_first` (shared by many rows), then its own.
struct AttentionBackwardRow {
  std::int64_t prefix_first = 0;
  int prefix_count = 0;
  std::int64_t first = 0;
  int count = 0;
};

/// Gradient of `attend`: from dout_THK to dq_THK, dk_T, dv_T (row stride num_kv_heads * K; overwritten). q, k (after
/// rotation), v and out are those of the forward pass, token by token. Gradients of a shared prefix are summed over rows
/// in ascending order.
void attend_backward(Context& context, const AttentionShape& shape, int window,
                     std::span<const AttentionBackwardRow> rows, std::int64_t num_tokens, const float* q,
                     const float* k, const float* v, const float* out, const float* dout, float* dq, float* dk,
                     float* dv);

}  // namespace onggi::nn
