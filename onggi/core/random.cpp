#include "onggi/core/random.h"

namespace onggi {

std::array<std::uint32_t, 4> philox(std::uint64_t seed, std::uint64_t stream, std::uint64_t index) {
  std::array<std::uint32_t, 4> c = {static_cast<std::uint32_t>(index), static_cast<std::uint32_t>(index >> 32),
                                    static_cast<std::uint32_t>(stream), static_cast<std::uint32_t>(stream >> 32)};
  std::uint32_t k0 = static_cast<std::uint32_t>(seed);
  std::uint32_t k1 = static_cast<std::uint32_t>(seed >> 32);
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = std::uint64_t{0xD2511F53} * c[0];
    const std::uint64_t p1 = std::uint64_t{0xCD9E8D57} * c[2];
    c = {static_cast<std::uint32_t>(p1 >> 32) ^ c[1] ^ k0, static_cast<std::uint32_t>(p1),
         static_cast<std::uint32_t>(p0 >> 32) ^ c[3] ^ k1, static_cast<std::uint32_t>(p0)};
    k0 += 0x9E3779B9;
    k1 += 0xBB67AE85;
  }
  return c;
}

float uniform_float(std::uint64_t seed, std::uint64_t stream, std::uint64_t index) {
  return static_cast<float>(philox(seed, stream, index)[0] >> 8) * 0x1.0p-24F;
}

std::uint64_t uniform_int(std::uint64_t seed, std::uint64_t stream, std::uint64_t index, std::uint64_t bound) {
  const auto r = philox(seed, stream, index);
  const std::uint64_t x = (std::uint64_t{r[0]} << 32) | r[1];
  __extension__ using Wide = unsigned __int128;
  return static_cast<std::uint64_t>((static_cast<Wide>(x) * bound) >> 64);
}

}  // namespace onggi
