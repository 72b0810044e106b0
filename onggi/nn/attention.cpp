#include "onggi/nn/attention.h"

#include <algorithm>
#include <cstring>
#include <vector>

namespace onggi::nn {
namespace {

constexpr int kQueryChunk = 32;
constexpr std::int64_t kPanel = kernels::kPanelColumns;

std::int64_t round_up(std::int64_t n) { return (n + kPanel - 1) / kPanel * kPanel; }

struct Chunk {
  const AttentionRow* row;
  int kv_head;
  int first;
  int count;
};

void attend_chunk(Context& context, const AttentionShape& s, int layer, int window, const Chunk& chunk, const float* q,
                  float* out, int worker) {
  const auto& k = context.kernels();
  const int group = s.num_heads / s.num_kv_heads;
  const std::int64_t width = s.head_dim;
  const std::int64_t model = std::int64_t{s.num_heads} * width;
  const int position = chunk.row->position + chunk.first;
  const int last = position + chunk.count - 1;
  const int begin_block = window > 0 ? std::max(0, position - window + 1) / kBlockPositions : 0;
  const int num_blocks = last / kBlockPositions - begin_block + 1;
  const std::int64_t keys = std::int64_t{num_blocks} * kBlockPositions;
  const std::int64_t queries = std::int64_t{chunk.count} * group;

  float* local_q = context.scratch(worker, 2, queries * width);
  float* scores = context.scratch(worker, 3, queries * keys);
  float* result = context.scratch(worker, 4, queries * width);
  float* inverse_sum = context.scratch(worker, 5, queries);
  auto* bounds = reinterpret_cast<std::int32_t*>(context.scratch(worker, 6, 2 * queries));
  for (int t = 0; t < chunk.count; ++t) {
    const std::int64_t token = chunk.row->first + chunk.first + t;
    std::memcpy(local_q + std::int64_t{t} * group * width, q + token * model + std::int64_t{chunk.kv_head} * group * width,
                static_cast<std::size_t>(group * width) * sizeof(float));
    const int end = position + t + 1 - begin_block * kBlockPositions;
    for (int g = 0; g < group; ++g) {
      bounds[t * group + g] = window > 0 ? std::max(0, end - window) : 0;
      bounds[queries + t * group + g] = end;
    }
  }
  const KvSequence& sequence = *chunk.row->sequence;
  for (int b = 0; b < num_blocks; ++b) {
    k.panel_product({.num_rows = queries, .depth = width, .a = local_q, .a_row_stride = width,
                     .panel = sequence.keys(layer, begin_block + b, chunk.kv_head),
                     .c = scores + std::int64_t{b} * kBlockPositions, .c_row_stride = keys});
  }
  k.softmax_unscaled(scores, queries, keys, keys, s.scale, bounds, bounds + queries, inverse_sum);
  for (int b = 0; b < num_blocks; ++b) {
    const float* values = sequence.values(layer, begin_block + b, chunk.kv_head);
    for (std::int64_t n = 0; n < width; n += kPanel) {
      k.panel_product({.num_rows = queries, .depth = kBlockPositions, .a = scores + std::int64_t{b} * kBlockPositions,
                       .a_row_stride = keys, .panel = values + n, .panel_stride = width, .c = result + n,
                       .c_row_stride = width, .num_columns = static_cast<int>(std::min(kPanel, width - n)),
                       .accumulate = b > 0});
    }
  }
  for (std::int64_t i = 0; i < queries; ++i) {
    const std::int64_t token = chunk.row->first + chunk.first + i / group;
    float* to = out + token * model + (std::int64_t{chunk.kv_head} * group + i % group) * width;
    for (std::int64_t d = 0; d < width; ++d) to[d] = result[i * width + d] * inverse_sum[i];
  }
}

/// [rows, columns] with `stride` to [columns, padded rows].
void transpose(const float* from, std::int64_t rows, std::int64_t columns, std::int64_t stride, float* to,
               std::int64_t to_stride) {
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t c = 0; c < columns; ++c) to[c * to_stride + r] = from[r * stride + c];
  }
}

/// C[m, n] = A[m, :depth] B[:depth, n] where B is row-major with n padded to whole panels.
void small_product(const kernels::Kernels& k, std::int64_t m, std::int64_t n, std::int64_t depth, const float* a,
                   std::int64_t a_row, std::int64_t a_depth, const float* b, std::int64_t b_stride, float* c,
                   std::int64_t c_stride) {
  for (std::int64_t j = 0; j < n; j += kPanel) {
    k.panel_product({.num_rows = m, .depth = depth, .a = a, .a_row_stride = a_row, .a_depth_stride = a_depth,
                     .panel = b + j, .panel_stride = b_stride, .c = c + j, .c_row_stride = c_stride,
                     .num_columns = static_cast<int>(std::min(kPanel, n - j))});
  }
}

}  // namespace

void attend(Context& context, const AttentionShape& shape, int layer, int window, std::span<const AttentionRow> rows,
            const float* q, float* out) {
  std::vector<Chunk> chunks;
  std::int64_t total = 0;
  for (const auto& row : rows) {
    for (int head = 0; head < shape.num_kv_heads; ++head) {
      for (int t = 0; t < row.count; t += kQueryChunk) {
        chunks.push_back({&row, head, t, std::min(kQueryChunk, row.count - t)});
      }
    }
    total += std::int64_t{row.count} * (row.position + row.count);
  }
  const auto one = [&](std::int64_t i, int worker) {
    attend_chunk(context, shape, layer, window, chunks[static_cast<std::size_t>(i)], q, out, worker);
  };
  // A single short row is not worth waking the other threads.
  if (total * shape.num_heads < 512) {
    for (std::size_t i = 0; i < chunks.size(); ++i) one(static_cast<std::int64_t>(i), 0);
  } else {
    context.pool().run(static_cast<std::int64_t>(chunks.size()), one);
  }
}

void attend_backward(Context& context, const AttentionShape& shape, int window,
                     std::span<const AttentionBackwardRow> rows, std::int64_t num_tokens, const float* q,
                     const float* k, const float* v, const float* out, const float* dout, float* dq, float* dk,
                     float* dv) {
  const auto& table = context.kernels();
  const std::int64_t width = shape.head_dim;
  const std::int64_t padded_width = round_up(width);
  const int group = shape.num_heads / shape.num_kv_heads;
  const std::int64_t model = std::int64_t{shape.num_heads} * width;
  const std::int64_t kv_model = std::int64_t{shape.num_kv_heads} * width;
  std::memset(dk, 0, static_cast<std::size_t>(num_tokens * kv_model) * sizeof(float));
  std::memset(dv, 0, static_cast<std::size_t>(num_tokens * kv_model) * sizeof(float));

  // Each task keeps the gradients of its keys to itself; they are added up in row order afterwards.
  struct KeyGradients {
    FloatBuffer dk;
    FloatBuffer dv;
  };
  const std::int64_t num_tasks = static_cast<std::int64_t>(rows.size()) * shape.num_kv_heads;
  std::vector<KeyGradients> gradients(static_cast<std::size_t>(num_tasks));
  context.pool().run(num_tasks, [&](std::int64_t index, int worker) {
    const auto& row = rows[static_cast<std::size_t>(index / shape.num_kv_heads)];
    const std::int64_t head = index % shape.num_kv_heads;
    const std::int64_t keys = row.prefix_count + row.count;
    const std::int64_t padded = round_up(keys);
    const std::int64_t queries = std::int64_t{row.count} * group;
    const auto token_of_key = [&](std::int64_t j) {
      return j < row.prefix_count ? row.prefix_first + j : row.first + j - row.prefix_count;
    };
    // Local copies: queries, their output gradients, keys and values, each padded to whole panels.
    float* memory = context.scratch(worker, 2, 3 * queries * padded_width + 4 * padded * padded_width);
    float* local_q = memory;
    float* local_dout = local_q + queries * padded_width;
    float* local_dq = local_dout + queries * padded_width;
    float* keys_rows = local_dq + queries * padded_width;
    float* keys_panels = keys_rows + padded * padded_width;
    float* values_panels = keys_panels + padded * padded_width;
    float* p = context.scratch(worker, 3, queries * padded);
    float* dp = context.scratch(worker, 4, queries * padded);
    float* inverse_sum = context.scratch(worker, 5, 2 * queries);
    float* row_dot = inverse_sum + queries;
    auto* bounds = reinterpret_cast<std::int32_t*>(context.scratch(worker, 6, 2 * queries));
    std::memset(memory, 0, static_cast<std::size_t>(3 * queries * padded_width + 4 * padded * padded_width) * sizeof(float));
    for (std::int64_t i = 0; i < queries; ++i) {
      const std::int64_t at = (row.first + i / group) * model + (head * group + i % group) * width;
      std::memcpy(local_q + i * padded_width, q + at, static_cast<std::size_t>(width) * sizeof(float));
      std::memcpy(local_dout + i * padded_width, dout + at, static_cast<std::size_t>(width) * sizeof(float));
      row_dot[i] = table.dot(out + at, dout + at, width);
      const auto end = static_cast<std::int32_t>(row.prefix_count + i / group + 1);
      bounds[i] = window > 0 ? std::max(0, end - window) : 0;
      bounds[queries + i] = end;
    }
    for (std::int64_t j = 0; j < keys; ++j) {
      const std::int64_t at = token_of_key(j) * kv_model + head * width;
      std::memcpy(keys_rows + j * padded_width, k + at, static_cast<std::size_t>(width) * sizeof(float));
      transpose(k + at, 1, width, 0, keys_panels + j, padded);
      transpose(v + at, 1, width, 0, values_panels + j, padded);
    }
    small_product(table, queries, padded, width, local_q, padded_width, 1, keys_panels, padded, p, padded);
    table.softmax_unscaled(p, queries, padded, padded, shape.scale, bounds, bounds + queries, inverse_sum);
    small_product(table, queries, padded, width, local_dout, padded_width, 1, values_panels, padded, dp, padded);
    for (std::int64_t i = 0; i < queries; ++i) {
      float* pi = p + i * padded;
      float* dpi = dp + i * padded;
      for (std::int64_t j = 0; j < padded; ++j) {
        pi[j] *= inverse_sum[i];
        dpi[j] = pi[j] * (dpi[j] - row_dot[i]) * shape.scale;
      }
    }
    auto& mine = gradients[static_cast<std::size_t>(index)];
    float* my_dk = mine.dk.resize(padded * padded_width);
    float* my_dv = mine.dv.resize(padded * padded_width);
    small_product(table, keys, padded_width, queries, p, 1, padded, local_dout, padded_width, my_dv, padded_width);
    small_product(table, keys, padded_width, queries, dp, 1, padded, local_q, padded_width, my_dk, padded_width);
    small_product(table, queries, padded_width, keys, dp, padded, 1, keys_rows, padded_width, local_dq, padded_width);
    for (std::int64_t i = 0; i < queries; ++i) {
      std::memcpy(dq + (row.first + i / group) * model + (head * group + i % group) * width, local_dq + i * padded_width,
                  static_cast<std::size_t>(width) * sizeof(float));
    }
  });
  for (std::int64_t index = 0; index < num_tasks; ++index) {
    const auto& row = rows[static_cast<std::size_t>(index / shape.num_kv_heads)];
    const std::int64_t head = index % shape.num_kv_heads;
    const auto& mine = gradients[static_cast<std::size_t>(index)];
    for (std::int64_t j = 0; j < row.prefix_count + row.count; ++j) {
      const std::int64_t token = j < row.prefix_count ? row.prefix_first + j : row.first + j - row.prefix_count;
      table.add(mine.dk.data() + j * padded_width, width, dk + token * kv_model + head * width);
      table.add(mine.dv.data() + j * padded_width, width, dv + token * kv_model + head * width);
    }
  }
}

}  // namespace onggi::nn
