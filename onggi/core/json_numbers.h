#pragma once

#include <span>
#include <string>

namespace onggi {

/// A JSON list of the shortest decimals that read back as the same f32; null where a value is not finite.
std::string json_numbers(std::span<const float> values);

}  // namespace onggi
