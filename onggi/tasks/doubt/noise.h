#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "onggi/tasks/doubt/signals.h"

namespace onggi::tasks {

/// How a label of themes goes wrong.
enum class NoiseKind {
  kAspect,    ///< A theme is filed under another aspect of its category.
  kEntity,    ///< A theme has another word of the product's name for its entity, or another product's entity.
  kDropped,   ///< A theme is left out.
  kInvented,  ///< A theme of another product of the category stands in the label: the review does not say it.
};
inline constexpr std::array kNoiseKinds = {NoiseKind::kAspect, NoiseKind::kEntity, NoiseKind::kDropped,
                                           NoiseKind::kInvented};
std::string_view noise_name(NoiseKind kind);

/// Spoils the labels of `share` of the rows, as many by each of `kinds` as there are rows for it, and says which. The
/// same rows and seed give the same noise.
std::vector<std::optional<NoiseKind>> plant_noise(std::vector<DoubtRow>& rows, double share,
                                                  std::span<const NoiseKind> kinds, std::uint64_t seed);

}  // namespace onggi::tasks
