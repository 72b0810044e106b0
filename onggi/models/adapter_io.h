#pragma once

#include <filesystem>

#include "onggi/models/decoder.h"
#include "onggi/nn/adapter_files.h"
#include "onggi/nn/lora.h"

namespace onggi::models {

/// The adapter of a PEFT folder on this decoder, packed and ready. Throws kInvalidArgument if a layer is missing in the
/// base or has another shape, or if the adapter was trained on another base type than the decoder's.
nn::Adapter adapter_from_files(nn::Context& context, const Decoder& decoder, const nn::AdapterFiles& files,
                               std::string_view where);

/// Tensors of `adapter` under `config` (which must name the layers that it has), ready to write.
nn::AdapterFiles adapter_to_files(const Decoder& decoder, const nn::Adapter& adapter, const nn::AdapterConfig& config,
                                  Json origin);

}  // namespace onggi::models
