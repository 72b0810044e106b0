#include "onggi/nn/matmul.h"

#include <algorithm>
#include <cstring>

namespace onggi::nn {
namespace {

constexpr std::int64_t kPanel = kernels::kPanelColumns;
/// Blocking for the second-level cache: a group of panels [kDepthBlock, 4 x 16] f32 is 128 KiB and the activations that
/// meet it [kRowBlock, kDepthBlock] 96 KiB. None of these constants changes a bit of the result.
constexpr std::int64_t kDepthBlock = 512;
constexpr std::int64_t kRowBlock = 48;
constexpr std::int64_t kPanelsPerTask = 4;
/// With fewer column tasks than this, rows are split too.
constexpr std::int64_t kWantedTasks = 8;

std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

/// Rows a task takes when columns alone give `column_tasks` tasks.
std::int64_t rows_per_task(std::int64_t num_tokens, std::int64_t column_tasks) {
  if (column_tasks >= kWantedTasks) return std::max<std::int64_t>(num_tokens, 1);
  const std::int64_t pieces = ceil_div(kWantedTasks, std::max<std::int64_t>(column_tasks, 1));
  return std::max(kRowBlock, ceil_div(ceil_div(num_tokens, pieces), kRowBlock) * kRowBlock);
}

/// Columns [first, first + count) of row n; `first` is the start of a block.
void decode_piece(const kernels::Kernels& k, const WeightMatrix& w, std::int64_t n, std::int64_t first,
                  std::int64_t count, float* out) {
  if (w.nf4 != nullptr) {
    quant::decode_nf4(*w.nf4, n * w.columns + first, count, out);
  } else {
    k.decode(w.type, w.row(n) + quant::num_bytes(w.type, first), count, out);
  }
}

/// Rows [n, n + num_rows) as a panel: out[j * kPanel + i] = W[n + i, k0 + j], 0 for the rows that are not there.
void decode_panel(const kernels::Kernels& k, const WeightMatrix& w, std::int64_t n, std::int64_t num_rows,
                  std::int64_t k0, std::int64_t depth, float* out) {
  if (w.nf4 == nullptr) {
    k.decode_transposed(w.type, w.row(n), w.row_bytes, static_cast<int>(num_rows), k0, depth, out);
    return;
  }
  constexpr std::int64_t kPiece = 256;
  float piece[kPiece];
  for (std::int64_t i = 0; i < kPanel; ++i) {
    for (std::int64_t j = 0; j < depth; j += kPiece) {
      const std::int64_t count = std::min(kPiece, depth - j);
      if (i < num_rows) {
        quant::decode_nf4(*w.nf4, (n + i) * w.columns + k0 + j, count, piece);
      } else {
        std::fill_n(piece, count, 0.0F);
      }
      for (std::int64_t l = 0; l < count; ++l) out[(j + l) * kPanel + i] = piece[l];
    }
  }
}

}  // namespace

WeightMatrix f32_matrix(const float* data, std::int64_t rows, std::int64_t columns) {
  return {.type = quant::DType::kF32,
          .rows = rows,
          .columns = columns,
          .row_bytes = columns * static_cast<std::int64_t>(sizeof(float)),
          .data = reinterpret_cast<const std::byte*>(data)};
}

void decode_row(const kernels::Kernels& k, const WeightMatrix& weight, std::int64_t n, float* out) {
  decode_piece(k, weight, n, 0, weight.columns, out);
}

void matmul_transposed(Context& context, std::int64_t num_tokens, std::span<const LinearTarget> targets) {
  if (num_tokens == 0) return;
  struct Task {
    const LinearTarget* target;
    std::int64_t column;
    std::int64_t row;
  };
  std::int64_t column_tasks = 0;
  for (const auto& target : targets) column_tasks += ceil_div(target.weight.rows, kPanelsPerTask * kPanel);
  const std::int64_t rows = rows_per_task(num_tokens, column_tasks);
  std::vector<Task> tasks;
  for (const auto& target : targets) {
    for (std::int64_t n = 0; n < target.weight.rows; n += kPanelsPerTask * kPanel) {
      for (std::int64_t t = 0; t < target.tokens_of(num_tokens); t += rows) tasks.push_back({&target, n, t});
    }
  }
  const auto& k = context.kernels();
  context.pool().run(static_cast<std::int64_t>(tasks.size()), [&](std::int64_t index, int worker) {
    const Task& task = tasks[static_cast<std::size_t>(index)];
    const LinearTarget& target = *task.target;
    const WeightMatrix& w = target.weight;
    const std::int64_t columns = std::min(kPanelsPerTask * kPanel, w.rows - task.column);
    const std::int64_t row_end = std::min(target.tokens_of(num_tokens), task.row + rows);
    float* decoded = target.panels ? nullptr : context.scratch(worker, 0, kPanelsPerTask * kPanel * kDepthBlock);
    for (std::int64_t k0 = 0; k0 < w.columns; k0 += kDepthBlock) {
      const std::int64_t depth = std::min(kDepthBlock, w.columns - k0);
      const float* panels[kPanelsPerTask];
      for (std::int64_t c = 0; c < columns; c += kPanel) {
        if (target.panels) {
          panels[c / kPanel] = target.panels + (task.column + c) * w.columns + k0 * kPanel;
          continue;
        }
        decode_panel(k, w, task.column + c, std::min(kPanel, columns - c), k0, depth, decoded + c * kDepthBlock);
        panels[c / kPanel] = decoded + c * kDepthBlock;
      }
      for (std::int64_t t = task.row; t < row_end; t += kRowBlock) {
        for (std::int64_t c = 0; c < columns; c += kPanel) {
          k.panel_product({.num_rows = std::min(kRowBlock, row_end - t),
                           .depth = depth,
                           .a = target.x + t * target.x_stride + k0,
                           .a_row_stride = target.x_stride,
                           .panel = panels[c / kPanel],
                           .c = target.y + t * target.y_stride + task.column + c,
                           .c_row_stride = target.y_stride,
                           .num_columns = static_cast<int>(std::min(kPanel, columns - c)),
                           .accumulate = target.accumulate || k0 > 0});
        }
      }
    }
  });
}

void pack_panels(Context& context, const WeightMatrix& w, FloatBuffer& panels) {
  float* out = panels.resize(ceil_div(w.rows, kPanel) * kPanel * w.columns);
  context.parallel_for(ceil_div(w.rows, kPanel), 16, [&](std::int64_t begin, std::int64_t end, int) {
    for (std::int64_t p = begin; p < end; ++p) {
      context.kernels().decode_transposed(w.type, w.row(p * kPanel), w.row_bytes,
                                          static_cast<int>(std::min(kPanel, w.rows - p * kPanel)), 0, w.columns,
                                          out + p * kPanel * w.columns);
    }
  });
}

void matmul(Context& context, const float* dy, std::int64_t dy_stride, std::int64_t num_tokens,
            const WeightMatrix& weight, float* y, std::int64_t y_stride, bool accumulate) {
  if (num_tokens == 0) return;
  // A column group of a task must be whole blocks: 256 columns fits every format.
  constexpr std::int64_t kColumns = 256;
  constexpr std::int64_t kDepth = 96;
  const WeightMatrix& w = weight;
  const auto& k = context.kernels();
  const std::int64_t column_tasks = ceil_div(w.columns, kColumns);
  const std::int64_t rows = rows_per_task(num_tokens, column_tasks);
  const std::int64_t row_tasks = ceil_div(num_tokens, rows);
  context.pool().run(column_tasks * row_tasks, [&](std::int64_t index, int worker) {
    const std::int64_t column = (index / row_tasks) * kColumns;
    const std::int64_t row = (index % row_tasks) * rows;
    const std::int64_t row_end = std::min(num_tokens, row + rows);
    const std::int64_t columns = std::min(kColumns, w.columns - column);
    float* decoded = context.scratch(worker, 1, kColumns + kPanel);
    float* panels = context.scratch(worker, 0, kColumns * kDepth);
    for (std::int64_t n0 = 0; n0 < w.rows; n0 += kDepth) {
      const std::int64_t depth = std::min(kDepth, w.rows - n0);
      for (std::int64_t n = 0; n < depth; ++n) {
        decode_piece(k, w, n0 + n, column, columns, decoded);
        for (std::int64_t c = 0; c < columns; c += kPanel) {
          std::memcpy(panels + c * kDepth + n * kPanel, decoded + c, kPanel * sizeof(float));
        }
      }
      for (std::int64_t t = row; t < row_end; t += kRowBlock) {
        for (std::int64_t c = 0; c < columns; c += kPanel) {
          k.panel_product({.num_rows = std::min(kRowBlock, row_end - t),
                           .depth = depth,
                           .a = dy + t * dy_stride + n0,
                           .a_row_stride = dy_stride,
                           .panel = panels + c * kDepth,
                           .c = y + t * y_stride + column + c,
                           .c_row_stride = y_stride,
                           .num_columns = static_cast<int>(std::min(kPanel, columns - c)),
                           .accumulate = accumulate || n0 > 0});
        }
      }
    }
  });
}

void matmul_outer(Context& context, const float* a, std::int64_t a_stride, std::int64_t num_m, const float* b,
                  std::int64_t b_stride, std::int64_t num_n, std::int64_t num_tokens, float* c, std::int64_t c_stride,
                  bool accumulate) {
  const auto& k = context.kernels();
  const std::int64_t column_tasks = ceil_div(num_n, kPanel);
  const std::int64_t rows = std::max<std::int64_t>(kRowBlock, ceil_div(num_m, 4));
  const std::int64_t row_tasks = ceil_div(num_m, rows);
  context.pool().run(column_tasks * row_tasks, [&](std::int64_t index, int worker) {
    const std::int64_t n0 = (index / row_tasks) * kPanel;
    const std::int64_t m0 = (index % row_tasks) * rows;
    const std::int64_t columns = std::min(kPanel, num_n - n0);
    // Panels are read straight from b; the last columns are copied, since a panel may not read past b's rows.
    const float* panel = b + n0;
    std::int64_t stride = b_stride;
    if (columns < kPanel) {
      float* copy = context.scratch(worker, 0, num_tokens * kPanel);
      for (std::int64_t t = 0; t < num_tokens; ++t) {
        for (std::int64_t j = 0; j < kPanel; ++j) copy[t * kPanel + j] = j < columns ? b[t * b_stride + n0 + j] : 0.0F;
      }
      panel = copy;
      stride = kPanel;
    }
    k.panel_product({.num_rows = std::min(rows, num_m - m0),
                     .depth = num_tokens,
                     .a = a + m0,
                     .a_row_stride = 1,
                     .a_depth_stride = a_stride,
                     .panel = panel,
                     .panel_stride = stride,
                     .c = c + m0 * c_stride + n0,
                     .c_row_stride = c_stride,
                     .num_columns = static_cast<int>(columns),
                     .accumulate = accumulate});
  });
}

PackedMatrix::PackedMatrix(Context& context, const WeightMatrix& weight, std::span<const int> rows) {
  const auto& k = context.kernels();
  panel_bytes_ = k.packed_bytes(weight.type, weight.columns);
  if (panel_bytes_ == 0) return;
  panel_bytes_ = ceil_div(panel_bytes_, 64) * 64;
  type_ = weight.type;
  depth_ = weight.columns;
  num_rows_ = rows.empty() ? weight.rows : static_cast<std::int64_t>(rows.size());
  num_panels_ = ceil_div(num_rows_, k.quantized_columns);
  panels_ = reinterpret_cast<std::byte*>(
      storage_.resize(ceil_div(num_panels_ * panel_bytes_, static_cast<std::int64_t>(sizeof(float))) + 32));
  context.parallel_for(num_panels_, 64, [&](std::int64_t begin, std::int64_t end, int) {
    std::vector<const std::byte*> pointers(static_cast<std::size_t>(k.quantized_columns));
    for (std::int64_t p = begin; p < end; ++p) {
      const std::int64_t first = p * k.quantized_columns;
      const std::int64_t count = std::min<std::int64_t>(k.quantized_columns, num_rows_ - first);
      for (std::int64_t i = 0; i < count; ++i) {
        pointers[static_cast<std::size_t>(i)] =
            weight.row(rows.empty() ? first + i : rows[static_cast<std::size_t>(first + i)]);
      }
      k.pack_quantized(type_, pointers.data(), static_cast<int>(count), depth_, panels_ + p * panel_bytes_);
    }
  });
}

void QuantizedActivations::quantize(Context& context, const float* x, std::int64_t x_stride, std::int64_t num_tokens,
                                    std::int64_t depth) {
  num_tokens_ = num_tokens;
  depth_ = depth;
  const auto needed = static_cast<std::size_t>(num_tokens * depth);
  if (q_.size() < needed + 64) {
    q_.resize(needed + 64);
    scale_.resize(needed / 32 + 16);
    sum16_.resize(needed / 16 + 16);
  }
  rows_ = {q_.data(), scale_.data(), sum16_.data()};
  context.parallel_for(num_tokens, 16, [&](std::int64_t begin, std::int64_t end, int) {
    context.kernels().quantize_rows(x + begin * x_stride, end - begin, depth, x_stride,
                                    {rows_.q + begin * depth, rows_.scale + begin * (depth / 32),
                                     rows_.sum16 + begin * (depth / 16)});
  });
}

void matmul_quantized(Context& context, const QuantizedActivations& x, std::span<const PackedTarget> targets) {
  const auto& k = context.kernels();
  struct Task {
    const PackedTarget* target;
    std::int64_t panel;
    std::int64_t end;
  };
  // Enough work a task to hide its start, few enough bytes to balance two threads on the smallest matrices.
  constexpr std::int64_t kColumnsPerTask = 64;
  const std::int64_t panels_per_task = std::max<std::int64_t>(1, kColumnsPerTask / k.quantized_columns);
  std::vector<Task> tasks;
  for (const auto& target : targets) {
    const std::int64_t wide = target.weight->num_panels() > 4096 ? 64 : panels_per_task;
    for (std::int64_t p = 0; p < target.weight->num_panels(); p += wide) {
      tasks.push_back({&target, p, std::min(p + wide, target.weight->num_panels())});
    }
  }
  constexpr std::int64_t kRows = 64;  // int8 rows that stay in the first-level cache beside a panel
  context.pool().run(static_cast<std::int64_t>(tasks.size()), [&](std::int64_t index, int) {
    const Task& task = tasks[static_cast<std::size_t>(index)];
    const PackedMatrix& w = *task.target->weight;
    for (std::int64_t t = 0; t < x.num_tokens(); t += kRows) {
      for (std::int64_t p = task.panel; p < task.end; ++p) {
        const std::int64_t column = p * k.quantized_columns;
        k.quantized_product(
            {.num_rows = std::min(kRows, x.num_tokens() - t),
             .depth = w.depth(),
             .q = x.rows().q + t * w.depth(),
             .scale = x.rows().scale + t * (w.depth() / 32),
             .sum16 = x.rows().sum16 + t * (w.depth() / 16),
             .type = w.type(),
             .panel = w.panel(p),
             .c = task.target->y + t * task.target->y_stride + column,
             .c_row_stride = task.target->y_stride,
             .num_columns = static_cast<int>(std::min<std::int64_t>(k.quantized_columns, w.num_rows() - column))});
      }
    }
  });
}

}  // namespace onggi::nn
