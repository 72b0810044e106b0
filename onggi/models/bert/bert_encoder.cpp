#include "onggi/models/bert/bert_encoder.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "onggi/core/error.h"

namespace onggi::models {
namespace {

constexpr std::int64_t kPanel = kernels::kPanelColumns;
/// Rows are computed in chunks of about so many tokens, each by one thread from embedding to last state: its
/// activations stay in the second-level cache, and no thread waits for another. Changes no bit.
constexpr std::int64_t kChunkTokens = 96;
/// Depth of a panel that stays in the first-level cache beside the rows that meet it.
constexpr std::int64_t kDepthBlock = 384;

std::int64_t round_up(std::int64_t n) { return (n + kPanel - 1) / kPanel * kPanel; }

}  // namespace

/// Whole rows that one thread computes.
class BertEncoder::Chunk {
 public:
  Chunk(const BertEncoder& encoder, nn::Context& context, int worker, std::span<const EncoderRow> rows,
        std::span<const std::size_t> members)
      : e_(encoder),
        c_(encoder.config_),
        context_(context),
        k_(context.kernels()),
        own_(kernels::encoder_kernels(context.kernels().isa)),
        worker_(worker),
        rows_(rows),
        members_(members) {
    for (const std::size_t member : members) num_tokens_ += static_cast<std::int64_t>(rows[member].tokens.size());
  }

  /// The last states x_TD, row after row.
  const float* run() {
    const std::int64_t d = c_.hidden_size;
    const std::int64_t f = c_.intermediate_size;
    float* x_TD = context_.scratch(worker_, 0, num_tokens_ * d);
    float* qkv_T3D = context_.scratch(worker_, 1, num_tokens_ * 3 * d);
    float* attended_TD = context_.scratch(worker_, 2, num_tokens_ * d);
    float* projected_TD = context_.scratch(worker_, 3, num_tokens_ * d);
    float* mid_TF = context_.scratch(worker_, 4, num_tokens_ * f);
    embed(x_TD);
    for (const Layer& layer : e_.layers_) {
      quantize(layer.q, x_TD);
      multiply(layer.q, x_TD, qkv_T3D, 3 * d);
      multiply(layer.k, x_TD, qkv_T3D + d, 3 * d);
      multiply(layer.v, x_TD, qkv_T3D + 2 * d, 3 * d);
      own_.add_bias(layer.q.bias.data(), num_tokens_, d, 3 * d, qkv_T3D);
      own_.add_bias(layer.k.bias.data(), num_tokens_, d, 3 * d, qkv_T3D + d);
      own_.add_bias(layer.v.bias.data(), num_tokens_, d, 3 * d, qkv_T3D + 2 * d);
      attend(qkv_T3D, attended_TD);
      quantize(layer.attention_output, attended_TD);
      multiply(layer.attention_output, attended_TD, projected_TD, d);
      add_and_norm(layer.attention_output, layer.attention_norm, projected_TD, x_TD);
      quantize(layer.up, x_TD);
      multiply(layer.up, x_TD, mid_TF, f);
      own_.add_bias_gelu(layer.up.bias.data(), num_tokens_, f, f, mid_TF);
      quantize(layer.down, mid_TF);
      multiply(layer.down, mid_TF, projected_TD, d);
      add_and_norm(layer.down, layer.output_norm, projected_TD, x_TD);
    }
    return x_TD;
  }

 private:
  void embed(float* x_TD) {
    const auto d = static_cast<std::int64_t>(c_.hidden_size);
    float* x = x_TD;
    for (const std::size_t member : members_) {
      const EncoderRow& row = rows_[member];
      for (std::size_t i = 0; i < row.tokens.size(); ++i, x += d) {
        nn::decode_row(k_, e_.words_, row.tokens[i], x);
        const std::int64_t type = row.types.empty() ? 0 : row.types[i];
        k_.add(e_.types_.data() + type * d, d, x);
        k_.add(e_.positions_.data() + (c_.position_offset + static_cast<std::int64_t>(i)) * d, d, x);
      }
    }
    own_.layer_norm({.num_rows = num_tokens_,
                     .width = d,
                     .epsilon = c_.norm_epsilon,
                     .x = x_TD,
                     .gain = e_.embedding_norm_.gain.data(),
                     .shift = e_.embedding_norm_.shift.data(),
                     .y = x_TD});
  }

  /// x = norm(x + product + bias)
  void add_and_norm(const Linear& linear, const Norm& norm, const float* product_TD, float* x_TD) {
    own_.layer_norm({.num_rows = num_tokens_,
                     .width = c_.hidden_size,
                     .epsilon = c_.norm_epsilon,
                     .x = x_TD,
                     .added = product_TD,
                     .bias = linear.bias.data(),
                     .gain = norm.gain.data(),
                     .shift = norm.shift.data(),
                     .y = x_TD});
  }

  /// Activations for the products with `linear` and those that share its input.
  void quantize(const Linear& linear, const float* x) {
    if (linear.packed.empty()) return;
    const std::int64_t count = num_tokens_ * linear.columns;
    float* memory = context_.scratch(worker_, 5, count / 32 + (count / 16) / 2 + count / 4 + 64);
    quantized_.scale = memory;
    quantized_.sum16 = reinterpret_cast<std::int16_t*>(memory + count / 32 + 16);
    quantized_.q = reinterpret_cast<std::int8_t*>(memory + count / 32 + (count / 16) / 2 + 32);
    k_.quantize_rows(x, num_tokens_, linear.columns, linear.columns, quantized_);
  }

  /// y = x W^T
  void multiply(const Linear& w, const float* x, float* y, std::int64_t y_stride) const {
    if (!w.packed.empty()) {
      for (std::int64_t p = 0; p < w.packed.num_panels(); ++p) {
        const std::int64_t column = p * k_.quantized_columns;
        k_.quantized_product(
            {.num_rows = num_tokens_,
             .depth = w.columns,
             .q = quantized_.q,
             .scale = quantized_.scale,
             .sum16 = quantized_.sum16,
             .type = w.packed.type(),
             .panel = w.packed.panel(p),
             .c = y + column,
             .c_row_stride = y_stride,
             .num_columns = static_cast<int>(std::min<std::int64_t>(k_.quantized_columns, w.rows - column))});
      }
      return;
    }
    for (std::int64_t k0 = 0; k0 < w.columns; k0 += kDepthBlock) {
      for (std::int64_t n = 0; n < w.rows; n += kPanel) {
        k_.panel_product({.num_rows = num_tokens_,
                          .depth = std::min(kDepthBlock, w.columns - k0),
                          .a = x + k0,
                          .a_row_stride = w.columns,
                          .panel = w.panels.data() + n * w.columns + k0 * kPanel,
                          .c = y + n,
                          .c_row_stride = y_stride,
                          .num_columns = static_cast<int>(std::min(kPanel, w.rows - n)),
                          .accumulate = k0 > 0});
      }
    }
  }

  /// Softmax(q k^T / sqrt(K)) v of each row by itself, head by head.
  void attend(const float* qkv_T3D, float* out_TD) {
    std::int64_t first = 0;
    for (const std::size_t member : members_) {
      const auto count = static_cast<std::int64_t>(rows_[member].tokens.size());
      const std::int64_t d = c_.hidden_size;
      for (int head = 0; head < c_.num_heads; ++head) {
        const std::int64_t column = std::int64_t{head} * c_.head_dim();
        attend_head(count, qkv_T3D + first * 3 * d + column, out_TD + first * d + column);
      }
      first += count;
    }
  }

  void attend_head(std::int64_t count, const float* q, float* out) {
    const std::int64_t d = c_.hidden_size;
    const std::int64_t width = c_.head_dim();
    const std::int64_t stride = 3 * d;
    const std::int64_t keys = round_up(count);
    float* memory = context_.scratch(worker_, 6, keys * width + count * keys + 3 * count);
    float* keys_KS = memory;
    float* scores_SS = keys_KS + keys * width;
    float* inverse_sum = scores_SS + count * keys;
    auto* begin = reinterpret_cast<std::int32_t*>(inverse_sum + count);
    auto* end = begin + count;
    for (std::int64_t s = 0; s < keys; ++s) {
      const float* key = q + d + s * stride;
      for (std::int64_t i = 0; i < width; ++i) keys_KS[i * keys + s] = s < count ? key[i] : 0.0F;
    }
    for (std::int64_t s = 0; s < keys; s += kPanel) {
      k_.panel_product({.num_rows = count,
                        .depth = width,
                        .a = q,
                        .a_row_stride = stride,
                        .panel = keys_KS + s,
                        .panel_stride = keys,
                        .c = scores_SS + s,
                        .c_row_stride = keys});
    }
    std::fill_n(begin, count, 0);
    std::fill_n(end, count, static_cast<std::int32_t>(count));
    const float scale = 1.0F / std::sqrt(static_cast<float>(width));
    k_.softmax_unscaled(scores_SS, count, keys, keys, scale, begin, end, inverse_sum);
    for (std::int64_t n = 0; n < width; n += kPanel) {
      k_.panel_product({.num_rows = count,
                        .depth = count,
                        .a = scores_SS,
                        .a_row_stride = keys,
                        .panel = q + 2 * d + n,
                        .panel_stride = stride,
                        .c = out + n,
                        .c_row_stride = d,
                        .num_columns = static_cast<int>(std::min(kPanel, width - n))});
    }
    for (std::int64_t s = 0; s < count; ++s) k_.scale(inverse_sum[s], width, out + s * d);
  }

  const BertEncoder& e_;
  const BertConfig& c_;
  nn::Context& context_;
  const kernels::Kernels& k_;
  const kernels::EncoderKernels& own_;
  int worker_;
  std::span<const EncoderRow> rows_;
  std::span<const std::size_t> members_;
  std::int64_t num_tokens_ = 0;
  kernels::QuantizedRows quantized_;
};

void BertEncoder::encode(nn::Context& context, std::span<const EncoderRow> rows,
                         const std::function<void(std::size_t row, const float* states_SD)>& done) const {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const EncoderRow& row = rows[i];
    const auto fits = [](int limit) { return [limit](int id) { return id >= 0 && id < limit; }; };
    const auto size = static_cast<std::int64_t>(row.tokens.size());
    require(size >= 1 && size <= config_.max_positions(), [&] {
      return "text " + std::to_string(i) + " has " + std::to_string(size) + " tokens, the encoder takes 1 to " +
             std::to_string(config_.max_positions());
    });
    require(std::ranges::all_of(row.tokens, fits(config_.vocab_size)) &&
                std::ranges::all_of(row.types, fits(config_.num_token_types)) &&
                (row.types.empty() || row.types.size() == row.tokens.size()),
            [&] { return "text " + std::to_string(i) + " has ids or types that the encoder does not know"; });
  }
  // Long rows first, so that the last tasks are short.
  std::vector<std::size_t> order(rows.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return rows[a].tokens.size() > rows[b].tokens.size(); });
  std::vector<std::span<const std::size_t>> chunks;
  for (std::size_t begin = 0, end = 0; begin < order.size(); begin = end) {
    std::int64_t tokens = 0;
    while (end < order.size()) {
      const auto next = static_cast<std::int64_t>(rows[order[end]].tokens.size());
      if (tokens > 0 && tokens + next > kChunkTokens) break;
      tokens += next;
      ++end;
    }
    chunks.push_back(std::span(order).subspan(begin, end - begin));
  }
  context.pool().run(static_cast<std::int64_t>(chunks.size()), [&](std::int64_t index, int worker) {
    const auto members = chunks[static_cast<std::size_t>(index)];
    const float* states = Chunk(*this, context, worker, rows, members).run();
    for (const std::size_t member : members) {
      done(member, states);
      states += static_cast<std::int64_t>(rows[member].tokens.size()) * config_.hidden_size;
    }
  });
}

std::vector<float> BertEncoder::pooled(nn::Context& context, std::span<const EncoderRow> rows,
                                       EncoderPooling pooling) const {
  const auto d = static_cast<std::size_t>(config_.hidden_size);
  std::vector<float> out(rows.size() * d);
  encode(context, rows, [&](std::size_t row, const float* states_SD) {
    const std::size_t count = pooling == EncoderPooling::kMean ? rows[row].tokens.size() : 1;
    std::vector<double> sums(d, 0.0);
    for (std::size_t s = 0; s < count; ++s) {
      for (std::size_t i = 0; i < d; ++i) sums[i] += static_cast<double>(states_SD[s * d + i]);
    }
    for (std::size_t i = 0; i < d; ++i) out[row * d + i] = static_cast<float>(sums[i] / static_cast<double>(count));
  });
  return out;
}

}  // namespace onggi::models
