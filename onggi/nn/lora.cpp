#include "onggi/nn/lora.h"

#include <algorithm>
#include <cmath>

namespace onggi::nn {

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

void Adapter::zero_gradients() {
  for (Parameter* p : parameters()) p->grad.assign(p->value.size(), 0.0F);
}

}  // namespace onggi::nn
