#include "onggi/models/adapter_io.h"

#include "onggi/core/error.h"

namespace onggi::models {

nn::Adapter adapter_from_files(nn::Context& context, const Decoder& decoder, const nn::AdapterFiles& files,
                               std::string_view where) {
  nn::Adapter adapter = decoder.empty_adapter();
  std::vector<nn::LinearShape> shapes;
  for (std::size_t i = 0; i < adapter.linears.size(); ++i) {
    const LinearLayer& linear = decoder.linear_at(i);
    shapes.push_back({linear.path, linear.weight.columns, linear.weight.rows});
  }
  nn::check_adapter_fits(files, shapes, where);
  const std::string trained = nn::adapter_base_type(files, where);
  const std::string_view held = base_type_name(decoder.base_type());
  require(
      trained == held,
      [&] {
        return "the adapter was trained on a base of type \"" + trained + "\", and this one is held as \"" +
               std::string(held) + "\": its answers would not be those that were trained";
      },
      ErrorCode::kInvalidArgument, where);
  for (std::size_t i = 0; i < adapter.linears.size(); ++i) {
    const LinearLayer& linear = decoder.linear_at(i);
    const auto it = files.layers.find(linear.path);
    if (it == files.layers.end()) continue;
    const nn::AdapterLayer& layer = it->second;
    const std::int64_t rank = layer.rule.rank;
    nn::LoraLinear lora;
    lora.a = {.name = linear.path + ".lora_A.weight", .shape = {rank, layer.num_inputs}, .value = layer.a, .grad = {}};
    lora.b = {.name = linear.path + ".lora_B.weight", .shape = {layer.num_outputs, rank}, .value = layer.b, .grad = {}};
    lora.scale = layer.rule.scale;
    if (!layer.magnitude.empty()) {
      lora.magnitude = nn::Parameter{.name = linear.path + ".lora_magnitude_vector",
                                     .shape = {layer.num_outputs},
                                     .value = layer.magnitude,
                                     .grad = {}};
    }
    lora.pack(context, linear.weight);
    adapter.linears[i] = std::move(lora);
  }
  adapter.zero_gradients();
  return adapter;
}

nn::Adapter serving_adapter(nn::Context& context, const Decoder& decoder, const nn::AdapterFiles& files,
                            std::string_view where, nn::AdapterType type) {
  nn::Adapter adapter = adapter_from_files(context, decoder, files, where);
  for (std::size_t i = 0; i < adapter.linears.size(); ++i) {
    auto& linear = adapter.linears[i];
    if (!linear) continue;
    if (type == nn::AdapterType::kInt8 && !decoder.linear_at(i).packed.empty()) {
      linear->keep_int8(context);
    } else {
      linear->drop_training_state();
    }
  }
  return adapter;
}

nn::AdapterFiles adapter_to_files(const Decoder& decoder, const nn::Adapter& adapter, const nn::AdapterConfig& config,
                                  Json origin) {
  nn::AdapterFiles files;
  files.config = config;
  files.origin = std::move(origin);
  for (std::size_t i = 0; i < adapter.linears.size(); ++i) {
    if (!adapter.linears[i]) continue;
    const nn::LoraLinear& lora = *adapter.linears[i];
    nn::AdapterLayer layer;
    layer.num_inputs = lora.num_inputs();
    layer.num_outputs = lora.num_outputs();
    layer.rule = {.rank = lora.rank(), .alpha = config.alpha, .scale = lora.scale, .dora = lora.magnitude.has_value()};
    layer.a = lora.a.value;
    layer.b = lora.b.value;
    if (lora.magnitude) layer.magnitude = lora.magnitude->value;
    files.layers.emplace(decoder.linear_at(i).path, std::move(layer));
  }
  return files;
}

}  // namespace onggi::models
