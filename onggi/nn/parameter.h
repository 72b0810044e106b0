#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace onggi::nn {

/// One trainable tensor, row-major f32: a LoRA factor, a DoRA magnitude, or a full weight. `value` has the product of
/// `shape` elements; `grad` has as many, or none while no backward pass has run. Adds nothing and checks nothing: the
/// optimiser and the checkpoint do. Not thread-safe; kernels write disjoint rows of `grad`.
struct Parameter {
  std::string name;                 ///< Unique in a run: "model.layers.3.mlp.up_proj.lora_A".
  std::vector<std::int64_t> shape;  ///< [out, in] for a matrix, [n] for a vector.
  std::vector<float> value;         ///< Master copy in f32, whatever the base's dtype.
  std::vector<float> grad;          ///< Gradient of the current step, summed over the accumulation window.
  bool decay = true;                ///< Whether weight decay applies: false for norms, biases and magnitudes.
};

}  // namespace onggi::nn
