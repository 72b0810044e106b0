#pragma once

#include <filesystem>

#include "onggi/models/decoder.h"
#include "onggi/nn/adapter_files.h"
#include "onggi/nn/lora.h"

namespace onggi::models {

/// The adapter of a PEFT folder on this decoder, packed and ready, with room for gradients. Throws kInvalidArgument if
/// a layer is missing in the base or has another shape, or if the adapter was trained on another base type than the
/// decoder's.
nn::Adapter adapter_from_files(nn::Context& context, const Decoder& decoder, const nn::AdapterFiles& files,
                               std::string_view where);

/// The same to be read only: without gradients, held as `type`; f32 where the base's own product is (Compute::kF32, or
/// a width that no block divides).
nn::Adapter serving_adapter(nn::Context& context, const Decoder& decoder, const nn::AdapterFiles& files,
                            std::string_view where, nn::AdapterType type);

/// Tensors of `adapter` under `config` (which must name the layers that it has), ready to write.
nn::AdapterFiles adapter_to_files(const Decoder& decoder, const nn::Adapter& adapter, const nn::AdapterConfig& config,
                                  Json origin);

}  // namespace onggi::models
