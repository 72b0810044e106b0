#include "onggi/runtime/embedding.h"

#include <algorithm>
#include <cmath>

#include "onggi/core/error.h"

namespace onggi::runtime {
namespace {

double dot(std::span<const float> a, std::span<const float> b) {
  double sum = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  return sum;
}

}  // namespace

Pooling pooling_from_name(std::string_view name) {
  require(name == "mean" || name == "last",
          [&] { return "pooling is \"" + std::string(name) + "\", expected mean or last"; });
  return name == "mean" ? Pooling::kMean : Pooling::kLast;
}

std::vector<float> embedding_of(std::span<const float> pooled, const EmbeddingShape& shape) {
  if (shape.dimensions > 0) pooled = pooled.first(std::min(pooled.size(), static_cast<std::size_t>(shape.dimensions)));
  std::vector<float> vector(pooled.begin(), pooled.end());
  const double length = std::sqrt(dot(vector, vector));
  require(std::isfinite(length), "the embedding holds a value that is not finite", ErrorCode::kInternal);
  if (!shape.normalizes || length == 0.0) return vector;
  for (float& value : vector) value = static_cast<float>(static_cast<double>(value) / length);
  return vector;
}

double cosine(std::span<const float> a, std::span<const float> b) {
  const double lengths = std::sqrt(dot(a, a)) * std::sqrt(dot(b, b));
  return lengths > 0.0 ? std::clamp(dot(a, b) / lengths, -1.0, 1.0) : 0.0;
}

}  // namespace onggi::runtime
