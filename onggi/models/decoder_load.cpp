#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>

#include <sys/mman.h>
#include <unistd.h>

#include "onggi/core/error.h"
#include "onggi/models/decoder.h"
#include "onggi/quant/blocks.h"

namespace onggi::models {
namespace {

std::string shape_text(std::span<const std::int64_t> shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) text += (i > 0 ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

const formats::TensorView& find_tensor(const formats::Checkpoint& c, const std::string& name,
                                       const std::vector<std::int64_t>& shape) {
  const auto* tensor = c.find(name);
  require(tensor != nullptr, [&] { return "tensor \"" + name + "\" is missing"; }, ErrorCode::kCorrupt,
          c.path().string());
  require(tensor->shape == shape,
          [&] {
            return "tensor \"" + name + "\" is " + shape_text(tensor->shape) + ", the config says " + shape_text(shape);
          },
          ErrorCode::kCorrupt, tensor->file);
  return *tensor;
}

nn::WeightMatrix as_matrix(const formats::TensorView& tensor) {
  const std::int64_t columns = tensor.shape.back();
  return {.type = tensor.type,
          .rows = tensor.shape[0],
          .columns = columns,
          .row_bytes = quant::num_bytes(tensor.type, columns),
          .data = tensor.data.data()};
}

/// Of a linear layer: read once more here, as its bytes are needed in any case. Rows of the embedding are checked where
/// they are used, since few of them may be.
nn::WeightMatrix finite_matrix(nn::Context& context, const formats::TensorView& tensor) {
  const nn::WeightMatrix matrix = as_matrix(tensor);
  std::atomic<bool> is_finite = true;
  context.parallel_for(matrix.rows, 64, [&](std::int64_t begin, std::int64_t end, int) {
    if (!quant::is_finite(matrix.type, matrix.row(begin), (end - begin) * matrix.columns)) is_finite = false;
  });
  require(is_finite, [&] { return "tensor \"" + tensor.name + "\" holds a value that is not finite"; }, ErrorCode::kCorrupt, tensor.file);
  return matrix;
}

nn::Parameter read_vector(const formats::Checkpoint& c, const std::string& name, std::int64_t size, std::string public_name,
                          float add = 0.0F) {
  const auto& tensor = find_tensor(c, name, {size});
  nn::Parameter p{.name = std::move(public_name), .shape = {size}, .value = std::vector<float>(static_cast<std::size_t>(size)), .grad = {}, .decay = false};
  quant::decode(tensor.type, tensor.data.data(), size, p.value.data());
  for (float& v : p.value) {
    require(std::isfinite(v), [&] { return "tensor \"" + name + "\" holds a value that is not finite"; },
            ErrorCode::kCorrupt, tensor.file);
    v += add;
  }
  return p;
}

nn::Parameter dense_copy(nn::Context& context, const nn::WeightMatrix& w, std::string name) {
  nn::Parameter p{.name = std::move(name), .shape = {w.rows, w.columns},
                  .value = std::vector<float>(static_cast<std::size_t>(w.rows * w.columns)), .grad = {}};
  context.parallel_for(w.rows, 256, [&](std::int64_t begin, std::int64_t end, int) {
    for (std::int64_t n = begin; n < end; ++n) {
      nn::decode_row(context.kernels(), w, n, p.value.data() + n * w.columns);
    }
  });
  return p;
}

/// Asks the kernel to drop a tensor's pages, which are not read again. It may not do so: they count as cache then.
void drop_pages(const nn::WeightMatrix& w) {
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto begin = (reinterpret_cast<std::uintptr_t>(w.data) + page - 1) / page * page;
  const auto end = reinterpret_cast<std::uintptr_t>(w.data + w.rows * w.row_bytes) / page * page;
  if (w.data != nullptr && end > begin) ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_PAGEOUT);
}

quant::DType stored_type(BaseType type) {
  switch (type) {
    case BaseType::kF32: return quant::DType::kF32;
    case BaseType::kBF16: return quant::DType::kBF16;
    case BaseType::kQ8_0: return quant::DType::kQ8_0;
    default: return quant::DType::kNF4;
  }
}

constexpr std::array<std::string_view, 5> kBaseTypeNames = {"keep", "f32", "bf16", "q8_0", "nf4"};

}  // namespace

std::string_view base_type_name(BaseType type) { return kBaseTypeNames[static_cast<std::size_t>(type)]; }

BaseType base_type_from_name(std::string_view name) {
  for (std::size_t i = 0; i < kBaseTypeNames.size(); ++i) {
    if (kBaseTypeNames[i] == name) return static_cast<BaseType>(i);
  }
  throw Error(ErrorCode::kInvalidArgument,
              "base type is \"" + std::string(name) + "\", expected keep, f32, bf16, q8_0 or nf4");
}

std::unique_ptr<Decoder> Decoder::load(std::shared_ptr<const formats::Checkpoint> checkpoint, nn::Context& context,
                                       Compute compute, BaseType base_type) {
  auto decoder = std::make_unique<Decoder>();
  const auto& architecture = find_architecture(*checkpoint);
  decoder->config_ = architecture.read_config(*checkpoint);
  decoder->checkpoint_ = std::move(checkpoint);
  decoder->compute_ = compute;
  decoder->base_type_ = base_type;
  const auto& c = decoder->config_;
  require(c.num_heads % c.num_kv_heads == 0,
          [&] {
            return std::to_string(c.num_heads) + " query heads are no multiple of " + std::to_string(c.num_kv_heads) +
                   " key heads";
          },
          ErrorCode::kCorrupt, decoder->checkpoint_->path().string());
  require(c.head_dim % 2 == 0, "head_dim is odd", ErrorCode::kCorrupt, decoder->checkpoint_->path().string());
  decoder->kv_shape_ = {.num_layers = c.num_layers, .num_kv_heads = c.num_kv_heads, .head_dim = c.head_dim, .windows = {}};
  for (const auto& layer : c.layers) {
    decoder->kv_shape_.windows.push_back(layer.window);
    auto& ropes = decoder->ropes_;
    auto it = std::find_if(ropes.begin(), ropes.end(), [&](const RopeKind& r) { return r.config == layer.rope; });
    if (it == ropes.end()) it = ropes.insert(ropes.end(), RopeKind{layer.rope, nullptr});
    decoder->layer_rope_.push_back(static_cast<int>(it - ropes.begin()));
  }
  decoder->attention_shape_ = {c.num_heads, c.num_kv_heads, c.head_dim, c.attention_scale};
  decoder->load_weights(context);
  return decoder;
}

void Decoder::load_weights(nn::Context& context) {
  const formats::Checkpoint& c = *checkpoint_;
  const WeightNames names = find_architecture(c).weight_names(c);
  const float add = config_.norm_adds_one ? 1.0F : 0.0F;
  const std::int64_t d = config_.hidden_size;
  const std::int64_t f = config_.intermediate_size;
  const std::int64_t q = std::int64_t{config_.num_heads} * config_.head_dim;
  const std::int64_t kv = std::int64_t{config_.num_kv_heads} * config_.head_dim;
  const std::array<std::array<std::int64_t, 2>, kNumSlots> shapes = {{{q, d}, {kv, d}, {kv, d}, {d, q}, {f, d}, {f, d}, {d, f}}};
  embedding_ = as_matrix(find_tensor(c, names.embedding, {config_.vocab_size, d}));
  head_ = config_.tied_head ? embedding_ : as_matrix(find_tensor(c, names.head, {config_.vocab_size, d}));
  final_norm_ = read_vector(c, names.final_norm, d, "model.norm.weight", add);
  layers_.resize(static_cast<std::size_t>(config_.num_layers));
  for (int i = 0; i < config_.num_layers; ++i) {
    DecoderLayer& layer = layers_[static_cast<std::size_t>(i)];
    const std::string base = "model.layers." + std::to_string(i) + ".";
    layer.attention_norm = read_vector(c, at_layer(names.attention_norm, i), d, base + "input_layernorm.weight", add);
    const std::string mlp = config_.sandwich_norms ? "pre_feedforward_layernorm.weight" : "post_attention_layernorm.weight";
    layer.mlp_norm = read_vector(c, at_layer(names.mlp_norm, i), d, base + mlp, add);
    if (config_.sandwich_norms) {
      layer.post_attention_norm = read_vector(c, at_layer(names.post_attention_norm, i), d, base + "post_attention_layernorm.weight", add);
      layer.post_mlp_norm = read_vector(c, at_layer(names.post_mlp_norm, i), d, base + "post_feedforward_layernorm.weight", add);
    }
    if (config_.qk_norm) {
      layer.q_norm = read_vector(c, at_layer(names.q_norm, i), config_.head_dim, base + "self_attn.q_norm.weight", add);
      layer.k_norm = read_vector(c, at_layer(names.k_norm, i), config_.head_dim, base + "self_attn.k_norm.weight", add);
    }
    for (int s = 0; s < kNumSlots; ++s) {
      LinearLayer& linear = layer.linears[static_cast<std::size_t>(s)];
      const auto slot = static_cast<LinearSlot>(s);
      linear.path = module_path(i, slot);
      const std::string name = at_layer(names.linears[static_cast<std::size_t>(s)], i);
      const auto& shape = shapes[static_cast<std::size_t>(s)];
      linear.weight = finite_matrix(context, find_tensor(c, name + ".weight", {shape[0], shape[1]}));
      const bool is_qk = slot == LinearSlot::kQ || slot == LinearSlot::kK;
      if (config_.permuted_qk && is_qk) {
        // Row (head, i, half) of the file is row (head, half, i) of the rotate-half form.
        linear.owned = std::make_unique<OwnedWeight>();
        auto& copy = linear.owned->bytes;
        copy.resize(static_cast<std::size_t>(linear.weight.rows * linear.weight.row_bytes));
        const std::int64_t half = config_.head_dim / 2;
        for (std::int64_t r = 0; r < linear.weight.rows; ++r) {
          const std::int64_t head = r / config_.head_dim;
          const std::int64_t in_head = r % config_.head_dim;
          const std::int64_t from = head * config_.head_dim + 2 * (in_head % half) + in_head / half;
          std::memcpy(copy.data() + r * linear.weight.row_bytes, linear.weight.row(from),
                      static_cast<std::size_t>(linear.weight.row_bytes));
        }
        linear.weight.data = copy.data();
      }
      if (config_.qkv_bias && (is_qk || slot == LinearSlot::kV)) {
        linear.bias = read_vector(c, name + ".bias", shape[0], linear.path + ".bias");
      }
    }
  }
  if (base_type_ != BaseType::kKeep) convert_linears(context);
  if (compute_ != Compute::kInt8) return;
  for (auto& layer : layers_) {
    for (auto& linear : layer.linears) {
      if (linear.weight.columns % 32 == 0) linear.packed = nn::PackedMatrix(context, linear.weight);
    }
  }
}

void Decoder::convert_linears(nn::Context& context) {
  const quant::DType type = stored_type(base_type_);
  const auto count = static_cast<std::int64_t>(layers_.size()) * kNumSlots;
  // One tensor a task, so that no more than one a thread is in memory as f32.
  context.pool().run(count, [&](std::int64_t index, int) {
    LinearLayer& linear = layers_[static_cast<std::size_t>(index / kNumSlots)].linears[static_cast<std::size_t>(index % kNumSlots)];
    nn::WeightMatrix& w = linear.weight;
    if (w.type == type) return;
    const std::string where = checkpoint_->path().string();
    require(w.columns % quant::traits(type).block_elements == 0 || type == quant::DType::kNF4,
            [&] {
              return "\"" + linear.path + "\" has rows of " + std::to_string(w.columns) + ", no multiple of the block of " +
                     std::string(base_type_name(base_type_)) + ", " + std::to_string(quant::traits(type).block_elements);
            },
            ErrorCode::kInvalidArgument, where);
    std::vector<float> values(static_cast<std::size_t>(w.rows * w.columns));
    for (std::int64_t n = 0; n < w.rows; ++n) nn::decode_row(context.kernels(), w, n, values.data() + n * w.columns);
    require(std::all_of(values.begin(), values.end(), [](float v) { return std::isfinite(v); }),
            [&] { return "\"" + linear.path + "\" holds a value that is not finite"; }, ErrorCode::kCorrupt, where);
    if (!linear.owned) drop_pages(w);
    auto owned = std::make_unique<OwnedWeight>();
    if (type == quant::DType::kNF4) {
      owned->nf4 = quant::encode_nf4(values);
      owned->nf4_view = owned->nf4.view();
      w.nf4 = &owned->nf4_view;
      w.data = nullptr;
    } else {
      owned->bytes.resize(static_cast<std::size_t>(quant::num_bytes(type, w.rows * w.columns)));
      quant::encode(type, values.data(), w.rows * w.columns, owned->bytes.data());
      w.data = owned->bytes.data();
    }
    w.type = type;
    w.row_bytes = type == quant::DType::kNF4 ? 0 : quant::num_bytes(type, w.columns);
    linear.owned = std::move(owned);
  });
}

void Decoder::make_trainable(nn::Context& context) {
  if (trainable_) return;
  embedding_dense_ = dense_copy(context, embedding_, "model.embed_tokens.weight");
  if (!config_.tied_head) head_dense_ = dense_copy(context, head_, "lm_head.weight");
  drop_pages(embedding_);
  drop_pages(head_);
  embedding_ = nn::f32_matrix(embedding_dense_->value.data(), embedding_.rows, embedding_.columns);
  head_ = head_dense_ ? nn::f32_matrix(head_dense_->value.data(), head_.rows, head_.columns) : embedding_;
  for (auto& layer : layers_) {
    for (auto& linear : layer.linears) {
      linear.dense = dense_copy(context, linear.weight, linear.path + ".weight");
      if (!linear.owned) drop_pages(linear.weight);
      linear.owned.reset();
      linear.weight = nn::f32_matrix(linear.dense->value.data(), linear.weight.rows, linear.weight.columns);
      linear.packed = {};
    }
  }
  trainable_ = true;
  compute_ = Compute::kF32;
  for (auto* p : parameters()) p->grad.assign(p->value.size(), 0.0F);
}

std::vector<nn::Parameter*> Decoder::parameters() {
  std::vector<nn::Parameter*> all;
  if (!trainable_) return all;
  all.push_back(&*embedding_dense_);
  for (auto& layer : layers_) {
    all.push_back(&layer.attention_norm);
    for (auto& linear : layer.linears) {
      all.push_back(&*linear.dense);
      if (linear.bias) all.push_back(&*linear.bias);
    }
    for (auto* p : {&layer.q_norm, &layer.k_norm, &layer.post_attention_norm, &layer.mlp_norm, &layer.post_mlp_norm}) {
      if (!p->value.empty()) all.push_back(p);
    }
  }
  all.push_back(&final_norm_);
  if (head_dense_) all.push_back(&*head_dense_);
  return all;
}

std::int64_t Decoder::num_parameters() const {
  std::int64_t total = embedding_.rows * embedding_.columns + static_cast<std::int64_t>(final_norm_.value.size());
  if (!config_.tied_head) total += head_.rows * head_.columns;
  for (const auto& layer : layers_) {
    for (const auto& linear : layer.linears) {
      total += linear.weight.rows * linear.weight.columns + (linear.bias ? linear.bias->shape[0] : 0);
    }
    for (const auto* p : {&layer.attention_norm, &layer.q_norm, &layer.k_norm, &layer.post_attention_norm, &layer.mlp_norm,
                          &layer.post_mlp_norm}) {
      total += static_cast<std::int64_t>(p->value.size());
    }
  }
  return total;
}

std::int64_t Decoder::weight_bytes() const {
  const auto bytes = [](const nn::WeightMatrix& w) { return w.rows * w.row_bytes; };
  std::int64_t total = bytes(embedding_) + (config_.tied_head ? 0 : bytes(head_));
  for (const auto& layer : layers_) {
    for (const auto& linear : layer.linears) {
      total += linear.weight.nf4 != nullptr ? linear.owned->nf4.num_bytes() : bytes(linear.weight);
    }
  }
  return total;
}

nn::Adapter Decoder::empty_adapter() const {
  nn::Adapter adapter;
  adapter.linears.resize(layers_.size() * kNumSlots);
  return adapter;
}

void Decoder::pack_adapter(nn::Context& context, nn::Adapter& adapter) const {
  for (std::size_t i = 0; i < adapter.linears.size(); ++i) {
    if (adapter.linears[i]) adapter.linears[i]->pack(context, linear_at(i).weight);
  }
}

}  // namespace onggi::models
