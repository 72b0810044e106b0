#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace onggi {

/// Random numbers of the system, different each time: for names and keys that nobody may guess, and for seeds that
/// nobody gave. What must be the same again comes from random.h. Throw kInternal where the system has none.
std::uint64_t system_random();
/// `num_bytes` of them, at most 64, as lower-case hex.
std::string system_random_hex(std::size_t num_bytes);

}  // namespace onggi
