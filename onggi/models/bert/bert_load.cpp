#include <algorithm>
#include <atomic>
#include <cmath>

#include "onggi/core/error.h"
#include "onggi/models/bert/bert_encoder.h"
#include "onggi/quant/blocks.h"

namespace onggi::models {

/// One checkpoint on its way to an encoder.
class BertEncoder::Loader {
 public:
  Loader(const formats::Checkpoint& checkpoint, nn::Context& context, Compute compute)
      : checkpoint_(checkpoint), context_(context), compute_(compute) {}

  const formats::TensorView& find(const std::string& name, const std::vector<std::int64_t>& shape) const {
    const auto* tensor = checkpoint_.find(name);
    require(
        tensor != nullptr, [&] { return "tensor \"" + name + "\" is missing"; }, ErrorCode::kCorrupt,
        checkpoint_.path().string());
    require(
        tensor->shape == shape,
        [&] { return "tensor \"" + name + "\" is " + text_of(tensor->shape) + ", the config says " + text_of(shape); },
        ErrorCode::kCorrupt, tensor->file);
    return *tensor;
  }

  /// A matrix as it lies in the file; all of it is read, to find what is not finite.
  nn::WeightMatrix matrix(const std::string& name, std::int64_t rows, std::int64_t columns) const {
    const auto& tensor = find(name, {rows, columns});
    require(
        is_number(tensor.type) && columns % quant::traits(tensor.type).block_elements == 0,
        [&] { return "tensor \"" + name + "\" holds a type that is no weight"; }, ErrorCode::kCorrupt, tensor.file);
    const nn::WeightMatrix w = {.type = tensor.type,
                                .rows = rows,
                                .columns = columns,
                                .row_bytes = quant::num_bytes(tensor.type, columns),
                                .data = tensor.data.data()};
    std::atomic<bool> is_finite = true;
    context_.parallel_for(rows, 256, [&](std::int64_t begin, std::int64_t end, int) {
      if (!quant::is_finite(w.type, w.row(begin), (end - begin) * columns)) is_finite = false;
    });
    require(
        is_finite, [&] { return "tensor \"" + name + "\" holds a value that is not finite"; }, ErrorCode::kCorrupt,
        tensor.file);
    return w;
  }

  std::vector<float> floats(const std::string& name, const std::vector<std::int64_t>& shape) const {
    const auto& tensor = find(name, shape);
    std::vector<float> values(static_cast<std::size_t>(tensor.num_elements()));
    require(
        is_number(tensor.type), [&] { return "tensor \"" + name + "\" holds a type that is no weight"; },
        ErrorCode::kCorrupt, tensor.file);
    quant::decode(tensor.type, tensor.data.data(), tensor.num_elements(), values.data());
    require(
        std::all_of(values.begin(), values.end(), [](float v) { return std::isfinite(v); }),
        [&] { return "tensor \"" + name + "\" holds a value that is not finite"; }, ErrorCode::kCorrupt, tensor.file);
    return values;
  }

  Linear linear(const std::string& name, std::int64_t rows, std::int64_t columns) const {
    Linear out;
    out.rows = rows;
    out.columns = columns;
    out.bias = floats(name + ".bias", {rows});
    const nn::WeightMatrix w = matrix(name + ".weight", rows, columns);
    // Blocks of 32 activations; narrower models compute in f32.
    if (compute_ == Compute::kInt8 && columns % 32 == 0) out.packed = pack(w);
    if (out.packed.empty()) nn::pack_panels(context_, w, out.panels);
    return out;
  }

  Norm norm(const std::string& name, std::int64_t width) const {
    return {floats(name + ".weight", {width}), floats(name + ".bias", {width})};
  }

 private:
  static std::string text_of(std::span<const std::int64_t> shape) {
    std::string text = "[";
    for (std::size_t i = 0; i < shape.size(); ++i) text += (i > 0 ? ", " : "") + std::to_string(shape[i]);
    return text + "]";
  }

  static bool is_number(quant::DType type) {
    return type <= quant::DType::kQ6_K;  // Neither NF4, which needs its own scales, nor integers.
  }

  nn::PackedMatrix pack(const nn::WeightMatrix& w) const {
    nn::PackedMatrix packed(context_, w);
    if (!packed.empty()) return packed;
    nn::WeightMatrix as_q8 = w;
    as_q8.type = quant::DType::kQ8_0;
    as_q8.row_bytes = quant::num_bytes(as_q8.type, w.columns);
    std::vector<std::byte> blocks(static_cast<std::size_t>(w.rows * as_q8.row_bytes));
    context_.parallel_for(w.rows, 64, [&](std::int64_t begin, std::int64_t end, int) {
      std::vector<float> row(static_cast<std::size_t>(w.columns));
      for (std::int64_t n = begin; n < end; ++n) {
        nn::decode_row(context_.kernels(), w, n, row.data());
        quant::encode(as_q8.type, row.data(), w.columns, blocks.data() + n * as_q8.row_bytes);
      }
    });
    as_q8.data = blocks.data();
    return nn::PackedMatrix(context_, as_q8);
  }

  const formats::Checkpoint& checkpoint_;
  nn::Context& context_;
  Compute compute_;
};

std::unique_ptr<BertEncoder> BertEncoder::load(std::shared_ptr<const formats::Checkpoint> checkpoint,
                                               nn::Context& context, Compute compute) {
  auto encoder = std::make_unique<BertEncoder>();
  const BertConfig config = encoder->config_ = read_bert_config(*checkpoint);
  const BertNames names = bert_names(*checkpoint);
  const Loader loader(*checkpoint, context, compute);
  const std::int64_t d = config.hidden_size;
  const std::int64_t f = config.intermediate_size;
  encoder->words_ = loader.matrix(names.words + ".weight", config.vocab_size, d);
  encoder->positions_ = loader.floats(names.positions + ".weight", {config.num_positions, d});
  encoder->types_ = loader.floats(names.types + ".weight", {config.num_token_types, d});
  encoder->embedding_norm_ = loader.norm(names.embedding_norm, d);
  for (int i = 0; i < config.num_layers; ++i) {
    const auto linear = [&](const std::string& name, std::int64_t rows, std::int64_t columns) {
      return loader.linear(at_layer(name, i), rows, columns);
    };
    Layer layer;
    layer.q = linear(names.q, d, d);
    layer.k = linear(names.k, d, d);
    layer.v = linear(names.v, d, d);
    layer.attention_output = linear(names.attention_output, d, d);
    layer.up = linear(names.up, f, d);
    layer.down = linear(names.down, d, f);
    layer.attention_norm = loader.norm(at_layer(names.attention_norm, i), d);
    layer.output_norm = loader.norm(at_layer(names.output_norm, i), d);
    encoder->layers_.push_back(std::move(layer));
  }
  encoder->checkpoint_ = std::move(checkpoint);
  return encoder;
}

}  // namespace onggi::models
