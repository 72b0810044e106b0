#include "onggi/tasks/merge/merged_rows.h"

#include <cmath>

#include "onggi/quant/dtype.h"

namespace onggi::tasks {

void merged_row(const nn::Context& context, const nn::WeightMatrix& weight, const nn::LoraLinear* lora, std::int64_t n,
                float* out) {
  const auto& kernels = context.kernels();
  nn::decode_row(kernels, weight, n, out);
  if (lora == nullptr) return;
  lora->add_row(n, out);
  if (!lora->magnitude) return;
  const float norm = std::sqrt(kernels.dot(out, out, weight.columns));
  kernels.scale(lora->magnitude->value[static_cast<std::size_t>(n)] / norm, weight.columns, out);
}

void decoded_rows(nn::Context& context, const formats::TensorView& tensor, std::int64_t first, std::int64_t count,
                  float* out) {
  constexpr std::int64_t kGrain = 64;
  const std::int64_t length = tensor.shape.empty() ? 1 : tensor.shape.back();
  const std::int64_t row_bytes = quant::num_bytes(tensor.type, length);
  context.parallel_for(count, kGrain, [&](std::int64_t begin, std::int64_t end, int) {
    for (std::int64_t i = begin; i < end; ++i) {
      context.kernels().decode(tensor.type, tensor.data.data() + (first + i) * row_bytes, length, out + i * length);
    }
  });
}

std::int64_t unpermuted_row(std::int64_t file_row, std::int64_t head_dim) {
  const std::int64_t in_head = file_row % head_dim;
  return file_row - in_head + in_head % 2 * (head_dim / 2) + in_head / 2;
}

}  // namespace onggi::tasks
