#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "onggi/runtime/request.h"

namespace onggi::runtime {

/// "mean" or "last". Throws kInvalidArgument on another name.
Pooling pooling_from_name(std::string_view name);

struct EmbeddingShape {
  int dimensions = 0;      ///< The first of them; 0: all.
  bool normalizes = true;  ///< To length 1, after the cut; a vector of length 0 stays.
};

/// A prompt's vector from its pooled state. Sums run in double, by index. Throws kInternal where a value is not finite.
std::vector<float> embedding_of(std::span<const float> pooled, const EmbeddingShape& shape);

/// Cosine of the angle between vectors of the same size; 0 where one has length 0.
double cosine(std::span<const float> a, std::span<const float> b);

}  // namespace onggi::runtime
