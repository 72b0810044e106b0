#pragma once

#include <array>
#include <cstdint>

namespace onggi {

/// Counter-based random numbers: Philox4x32-10 (Salmon et al. 2011). The value depends on (seed, stream, index) alone,
/// so a position in a run is two integers and order of calls does not matter.
std::array<std::uint32_t, 4> philox(std::uint64_t seed, std::uint64_t stream, std::uint64_t index);

/// Uniform in [0, 1) with 24 bits.
float uniform_float(std::uint64_t seed, std::uint64_t stream, std::uint64_t index);

/// Uniform integer in [0, bound), bound > 0, without modulo bias beyond 2^-64.
std::uint64_t uniform_int(std::uint64_t seed, std::uint64_t stream, std::uint64_t index, std::uint64_t bound);

}  // namespace onggi
