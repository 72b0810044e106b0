#pragma once

#include <cstdint>

#include "onggi/formats/checkpoint.h"
#include "onggi/nn/context.h"
#include "onggi/nn/lora.h"

namespace onggi::tasks {

/// Row `n` of a weight with the adapter folded in: out [K]. `lora` null: the weight's own row.
void merged_row(const nn::Context& context, const nn::WeightMatrix& weight, const nn::LoraLinear* lora, std::int64_t n,
                float* out);

/// Rows [first, first + count) of a tensor as f32: out [count, row length].
void decoded_rows(nn::Context& context, const formats::TensorView& tensor, std::int64_t first, std::int64_t count,
                  float* out);

/// Where row `file_row` of a q or k matrix stands in the decoder, whose files pair neighbouring rows for RoPE (Llama
/// GGUF).
std::int64_t unpermuted_row(std::int64_t file_row, std::int64_t head_dim);

}  // namespace onggi::tasks
