#include "onggi/models/head.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "onggi/core/error.h"
#include "onggi/quant/blocks.h"

namespace onggi::models {
namespace {

/// Positions whose logits are in memory at once: 128 x 262,144 f32 = 134 MB for a full Gemma vocabulary.
constexpr std::int64_t kLossChunk = 128;

void require_finite_row(const Decoder& decoder, std::int64_t row) {
  const nn::WeightMatrix& head = decoder.head();
  require(quant::is_finite(head.type, head.row(row), head.columns),
          [&] {
            return "row " + std::to_string(row) + " of " + (decoder.config().tied_head ? "embed_tokens" : "lm_head") +
                   " holds a value that is not finite";
          },
          ErrorCode::kCorrupt, decoder.checkpoint().path().string());
}

}  // namespace

HeadSubset::HeadSubset(nn::Context& context, const Decoder& decoder, std::vector<int> ids) : ids_(std::move(ids)) {
  const nn::WeightMatrix& head = decoder.head();
  for (const int id : ids_) {
    require(id >= 0 && id < head.rows, [&] { return "token id " + std::to_string(id) + " is outside the head"; });
    require_finite_row(decoder, id);
  }
  refresh(context, decoder);
}

void HeadSubset::refresh(nn::Context& context, const Decoder& decoder) {
  const nn::WeightMatrix& head = decoder.head();
  if (decoder.compute() == Compute::kInt8 && head.columns % 32 == 0) packed_ = nn::PackedMatrix(context, head, ids_);
  if (!packed_.empty()) return;
  const auto count = static_cast<std::int64_t>(ids_.size());
  float* rows = rows_UD_.resize(count * head.columns);
  context.parallel_for(count, 64, [&](std::int64_t begin, std::int64_t end, int) {
    for (std::int64_t i = begin; i < end; ++i) {
      context.kernels().decode(head.type, head.row(ids_[static_cast<std::size_t>(i)]), head.columns, rows + i * head.columns);
    }
  });
  nn::pack_panels(context, nn::f32_matrix(rows, count, head.columns), panels_);
}

int HeadSubset::index_of(int id) const {
  const auto it = std::lower_bound(ids_.begin(), ids_.end(), id);
  return it != ids_.end() && *it == id ? static_cast<int>(it - ids_.begin()) : -1;
}

const float* Head::normed_rows(nn::Context& context, const nn::FloatBuffer& h_TD, std::span<const std::int64_t> tokens) {
  const std::int64_t d = decoder_.config().hidden_size;
  const auto rows = static_cast<std::int64_t>(tokens.size());
  float* gathered = gathered_.resize(rows * d);
  for (std::int64_t i = 0; i < rows; ++i) {
    std::memcpy(gathered + i * d, h_TD.data() + tokens[static_cast<std::size_t>(i)] * d, static_cast<std::size_t>(d) * sizeof(float));
  }
  float* normed = normed_.resize(rows * d);
  context.kernels().rms_norm(gathered, decoder_.final_norm().value.data(), rows, d, decoder_.config().norm_epsilon, normed,
                             inverse_rms_.resize(rows));
  return normed;
}

void Head::logits(nn::Context& context, const nn::FloatBuffer& h_TD, std::span<const std::int64_t> tokens,
                  const HeadSubset* subset, nn::FloatBuffer& out) {
  const std::int64_t d = decoder_.config().hidden_size;
  const auto rows = static_cast<std::int64_t>(tokens.size());
  const float* x = normed_rows(context, h_TD, tokens);
  const nn::WeightMatrix& head = decoder_.head();
  const std::int64_t columns = subset != nullptr ? static_cast<std::int64_t>(subset->ids_.size()) : head.rows;
  float* y = out.resize(rows * columns);
  const nn::PackedMatrix* packed = subset != nullptr ? &subset->packed_ : nullptr;
  if (subset == nullptr && decoder_.compute() == Compute::kInt8 && head.columns % 32 == 0) {
    if (!packed_) {
      for (std::int64_t row = 0; row < head.rows; ++row) require_finite_row(decoder_, row);
      packed_ = std::make_unique<nn::PackedMatrix>(context, head);
    }
    packed = packed_.get();
  }
  if (packed != nullptr && !packed->empty()) {
    quantized_.quantize(context, x, d, rows, d);
    const nn::PackedTarget target{packed, y, columns};
    nn::matmul_quantized(context, quantized_, {&target, 1});
    return;
  }
  nn::LinearTarget target{.x = x, .x_stride = d, .weight = head, .y = y, .y_stride = columns};
  if (subset != nullptr) {
    target.weight = nn::f32_matrix(subset->rows_UD_.data(), columns, d);
    target.panels = subset->panels_.data();
  }
  nn::matmul_transposed(context, rows, {&target, 1});
}

double Head::loss(nn::Context& context, const nn::FloatBuffer& h_TD, std::span<const ScoredPosition> positions,
                  const HeadSubset* subset, float gradient_scale, nn::FloatBuffer* dh_TD, std::span<float> nll) {
  const auto& k = context.kernels();
  const std::int64_t d = decoder_.config().hidden_size;
  require(subset == nullptr || subset->packed_.empty(), "loss needs a head subset in f32", ErrorCode::kInternal);
  nn::WeightMatrix head = decoder_.head();
  if (subset != nullptr) head = nn::f32_matrix(subset->rows_UD_.data(), static_cast<std::int64_t>(subset->ids_.size()), d);
  const std::int64_t columns = head.rows;
  double total = 0.0;
  for (std::size_t first = 0; first < positions.size(); first += kLossChunk) {
    const auto chunk = positions.subspan(first, std::min<std::size_t>(kLossChunk, positions.size() - first));
    const auto rows = static_cast<std::int64_t>(chunk.size());
    std::vector<std::int64_t> tokens;
    for (const auto& p : chunk) tokens.push_back(p.token);
    const float* x = normed_rows(context, h_TD, tokens);
    float* logits = logits_.resize(rows * columns);
    const nn::LinearTarget target{.x = x, .x_stride = d, .weight = head, .panels = subset != nullptr ? subset->panels_.data() : nullptr,
                                  .y = logits, .y_stride = columns};
    nn::matmul_transposed(context, rows, {&target, 1});

    std::vector<float> losses(chunk.size());
    context.parallel_for(rows, 1, [&](std::int64_t begin, std::int64_t end, int worker) {
      for (std::int64_t i = begin; i < end; ++i) {
        const ScoredPosition& p = chunk[static_cast<std::size_t>(i)];
        float* row = logits + i * columns;
        const int column = subset != nullptr ? subset->index_of(p.target) : p.target;
        require(column >= 0, [&] { return "the guide can never allow token " + std::to_string(p.target); });
        std::int64_t count = columns;
        float* values = row;
        std::int64_t at = column;
        std::vector<int> allowed;
        if (!p.allowed.empty()) {
          // Only what the guide allows here takes part; the rest of the row gets no gradient.
          for (std::size_t word = 0; word < p.allowed.size(); ++word) {
            for (std::uint64_t bits = p.allowed[word]; bits != 0; bits &= bits - 1) {
              allowed.push_back(static_cast<int>(word * 64) + std::countr_zero(bits));
            }
          }
          count = static_cast<std::int64_t>(allowed.size());
          values = context.scratch(worker, 1, count);
          at = std::lower_bound(allowed.begin(), allowed.end(), column) - allowed.begin();
          require(at < count && allowed[static_cast<std::size_t>(at)] == column,
                  [&] { return "the guide does not allow token " + std::to_string(p.target) + " here"; });
          for (std::int64_t j = 0; j < count; ++j) values[j] = row[allowed[static_cast<std::size_t>(j)]];
        }
        const float target_logit = values[at];
        float highest = values[0];
        for (std::int64_t j = 1; j < count; ++j) highest = std::max(highest, values[j]);
        const std::int32_t zero = 0;
        const auto end_index = static_cast<std::int32_t>(count);
        float inverse_sum = 0.0F;
        k.softmax_unscaled(values, 1, count, count, 1.0F, &zero, &end_index, &inverse_sum);
        losses[static_cast<std::size_t>(i)] =
            static_cast<float>(-std::log(static_cast<double>(inverse_sum)) + static_cast<double>(highest) - static_cast<double>(target_logit));
        if (dh_TD == nullptr) continue;
        k.scale(inverse_sum * gradient_scale, count, values);
        values[at] -= gradient_scale;
        if (values != row) {
          std::memset(row, 0, static_cast<std::size_t>(columns) * sizeof(float));
          for (std::int64_t j = 0; j < count; ++j) row[allowed[static_cast<std::size_t>(j)]] = values[j];
        }
      }
    });
    for (std::size_t i = 0; i < losses.size(); ++i) {
      total += static_cast<double>(losses[i]);
      if (!nll.empty()) nll[first + i] = losses[i];
    }
    if (dh_TD == nullptr) continue;
    float* d_normed = d_normed_.resize(rows * d);
    nn::matmul(context, logits, columns, rows, head, d_normed, d, false);
    nn::Parameter& norm = decoder_.final_norm();
    const bool trainable = decoder_.is_trainable();
    if (trainable && subset == nullptr) {
      nn::matmul_outer(context, logits, columns, columns, x, d, d, rows, decoder_.head_parameter()->grad.data(), d, true);
    } else if (trainable) {
      float* d_rows = d_rows_.resize(columns * d);
      nn::matmul_outer(context, logits, columns, columns, x, d, d, rows, d_rows, d, false);
      for (std::int64_t i = 0; i < columns; ++i) {
        k.add(d_rows + i * d, d, decoder_.head_parameter()->grad.data() + std::int64_t{subset->ids_[static_cast<std::size_t>(i)]} * d);
      }
    }
    float* d_gathered = d_gathered_.resize(rows * d);
    std::memset(d_gathered, 0, static_cast<std::size_t>(rows * d) * sizeof(float));
    k.rms_norm_backward(d_normed, gathered_.data(), norm.value.data(), inverse_rms_.data(), rows, d, d_gathered,
                        trainable ? norm.grad.data() : nullptr);
    for (std::int64_t i = 0; i < rows; ++i) k.add(d_gathered + i * d, d, dh_TD->data() + tokens[static_cast<std::size_t>(i)] * d);
  }
  return total;
}

}  // namespace onggi::models
