#include "onggi/nn/lora.h"

#include <algorithm>
#include <cmath>

#include "onggi/core/error.h"
#include "onggi/quant/blocks.h"

namespace onggi::nn {
namespace {

constexpr std::int64_t kPanel = kernels::kPanelColumns;

void prefetch(const void* bytes, std::int64_t count) {
  constexpr std::int64_t kLine = 64;
  for (std::int64_t i = 0; i < count; i += kLine) __builtin_prefetch(static_cast<const char*>(bytes) + i);
}

/// W [N, K] to int8 panels, `factor` in the scales.
void encode_int8(const float* w, std::int64_t num_outputs, std::int64_t width, float factor,
                 std::vector<std::int8_t>& panels, std::vector<float>& scales) {
  const std::int64_t num_panels = (num_outputs + kPanel - 1) / kPanel;
  panels.assign(static_cast<std::size_t>(num_panels * width * kPanel), 0);
  scales.assign(static_cast<std::size_t>(num_panels * kPanel), 0.0F);
  for (std::int64_t n = 0; n < num_outputs; ++n) {
    const float* row = w + n * width;
    float highest = 0.0F;
    for (std::int64_t k = 0; k < width; ++k) highest = std::max(highest, std::fabs(row[k]));
    if (highest == 0.0F) continue;
    std::int8_t* out = panels.data() + (n / kPanel) * width * kPanel + n % kPanel;
    const float inverse = 127.0F / highest;
    // An absmax near the smallest f32 has no finite inverse; such a row adds nothing that f32 could hold.
    if (!std::isfinite(inverse)) continue;
    for (std::int64_t k = 0; k < width; ++k)
      out[k * kPanel] = static_cast<std::int8_t>(std::nearbyint(row[k] * inverse));
    scales[static_cast<std::size_t>(n)] = factor * (highest / 127.0F);
  }
}

}  // namespace

Int8LowRank::Int8LowRank(Context& context, const float* a, const float* b, int rank, std::int64_t num_inputs,
                         std::int64_t num_outputs, float scale)
    : rank_(rank), num_outputs_(num_outputs) {
  constexpr auto kType = quant::DType::kQ8_0;
  const std::int64_t row_bytes = quant::num_bytes(kType, num_inputs);
  std::vector<std::byte> blocks(static_cast<std::size_t>(rank * row_bytes));
  quant::encode(kType, a, rank * num_inputs, blocks.data());
  a_ = PackedMatrix(
      context, {.type = kType, .rows = rank, .columns = num_inputs, .row_bytes = row_bytes, .data = blocks.data()});
  encode_int8(b, num_outputs, rank, scale, b_, b_scale_);
}

void Int8LowRank::prefetch_a() const { prefetch(a_.panel(0), a_.num_bytes()); }

void Int8LowRank::add(const kernels::Kernels& k, const QuantizedActivations& x, std::int64_t first, std::int64_t count,
                      float* u, float* y, std::int64_t y_stride) const {
  const std::int64_t depth = x.depth();
  prefetch(b_.data(), static_cast<std::int64_t>(b_.size()));
  for (std::int64_t p = 0; p < a_.num_panels(); ++p) {
    const std::int64_t column = p * k.quantized_columns;
    k.quantized_product({.num_rows = count,
                         .depth = depth,
                         .q = x.rows().q + first * depth,
                         .scale = x.rows().scale + first * (depth / 32),
                         .sum16 = x.rows().sum16 + first * (depth / 16),
                         .type = a_.type(),
                         .panel = a_.panel(p),
                         .c = u + column,
                         .c_row_stride = rank_,
                         .num_columns = static_cast<int>(std::min<std::int64_t>(k.quantized_columns, rank_ - column))});
  }
  for (std::int64_t n = 0; n < num_outputs_; n += kPanel) {
    k.int8_panel_product({.num_rows = count,
                          .depth = rank_,
                          .a = u,
                          .a_row_stride = rank_,
                          .panel = b_.data() + n * rank_,
                          .scale = b_scale_.data() + n,
                          .c = y + n,
                          .c_row_stride = y_stride,
                          .num_columns = static_cast<int>(std::min(kPanel, num_outputs_ - n)),
                          .accumulate = true});
  }
}

AdapterType adapter_type_from_name(std::string_view name) {
  if (name == "f32") return AdapterType::kF32;
  require(name == "int8", [&] { return "adapter type \"" + std::string(name) + "\", expected f32 or int8"; });
  return AdapterType::kInt8;
}

void LoraLinear::drop_training_state() {
  for (Parameter* p : {&a, &b}) {
    p->value = {};
    p->grad = {};
  }
  if (magnitude) magnitude->grad = {};
}

void LoraLinear::keep_int8(Context& context) {
  int8.emplace(context, a.value.data(), b.value.data(), rank(), num_inputs(), num_outputs(), scale);
  drop_training_state();
  a_panels = {};
  b_panels = {};
}

void add_low_rank(Context& context, const QuantizedActivations& x, std::span<const LowRankTarget> targets) {
  // Few enough for two threads to share one adapter's tokens, enough to read its factors once for many.
  constexpr std::int64_t kTokensPerTask = 48;
  struct Task {
    const LowRankTarget* target;
    std::int64_t first;
  };
  std::vector<Task> tasks;
  for (const auto& target : targets) {
    for (std::int64_t t = 0; t < target.num_tokens; t += kTokensPerTask) tasks.push_back({&target, t});
  }
  context.pool().run(static_cast<std::int64_t>(tasks.size()), [&](std::int64_t index, int worker) {
    const auto& [target, first] = tasks[static_cast<std::size_t>(index)];
    const std::int64_t count = std::min(kTokensPerTask, target->num_tokens - first);
    float* u = context.scratch(worker, 2, count * target->factors->rank());
    const auto ahead = static_cast<std::size_t>(index + context.pool().num_threads());
    if (ahead < tasks.size()) tasks[ahead].target->factors->prefetch_a();
    target->factors->add(context.kernels(), x, target->first + first, count, u, target->y + first * target->y_stride,
                         target->y_stride);
  });
}

void LoraLinear::pack(Context& context, const WeightMatrix& weight) {
  pack_panels(context, a_matrix(), a_panels);
  pack_panels(context, b_matrix(), b_panels);
  if (!magnitude) return;
  row_norm.resize(static_cast<std::size_t>(num_outputs()));
  const std::int64_t width = num_inputs();
  context.parallel_for(num_outputs(), 64, [&](std::int64_t begin, std::int64_t end, int worker) {
    float* w = context.scratch(worker, 1, width);
    for (std::int64_t n = begin; n < end; ++n) {
      decode_row(context.kernels(), weight, n, w);
      add_row(n, w);
      row_norm[static_cast<std::size_t>(n)] = std::sqrt(context.kernels().dot(w, w, width));
    }
  });
}

void LoraLinear::add_row(std::int64_t n, float* w) const {
  const std::int64_t width = num_inputs();
  for (int r = 0; r < rank(); ++r) {
    const float factor = scale * b.value[static_cast<std::size_t>(n * rank() + r)];
    const float* row = a.value.data() + r * width;
    for (std::int64_t i = 0; i < width; ++i) w[i] += factor * row[i];
  }
}

std::vector<Parameter*> Adapter::parameters() {
  std::vector<Parameter*> all;
  for (auto& linear : linears) {
    if (!linear) continue;
    all.push_back(&linear->a);
    all.push_back(&linear->b);
    if (linear->magnitude) all.push_back(&*linear->magnitude);
  }
  return all;
}

std::int64_t Adapter::num_bytes() const {
  std::int64_t total = 0;
  for (const auto& linear : linears) {
    if (!linear) continue;
    std::size_t floats =
        linear->row_norm.size() + static_cast<std::size_t>(linear->a_panels.capacity() + linear->b_panels.capacity());
    for (const Parameter* p : {&linear->a, &linear->b, linear->magnitude ? &*linear->magnitude : nullptr}) {
      if (p != nullptr) floats += p->value.size() + p->grad.size();
    }
    total += static_cast<std::int64_t>(floats * sizeof(float)) + (linear->int8 ? linear->int8->num_bytes() : 0);
  }
  return total;
}

void Adapter::zero_gradients() {
  for (Parameter* p : parameters()) p->grad.assign(p->value.size(), 0.0F);
}

}  // namespace onggi::nn
