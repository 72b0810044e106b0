#include "onggi/core/system_random.h"

#include <array>

#include <sys/random.h>

#include "onggi/core/error.h"

namespace onggi {
namespace {

void fill(void* bytes, std::size_t count) {
  require(getrandom(bytes, count, 0) == static_cast<ssize_t>(count), "no random bytes from the system",
          ErrorCode::kInternal);
}

}  // namespace

std::uint64_t system_random() {
  std::uint64_t value = 0;
  fill(&value, sizeof value);
  return value;
}

std::string system_random_hex(std::size_t num_bytes) {
  std::array<unsigned char, 64> bytes{};
  require(num_bytes <= bytes.size(), "too many random bytes are asked for", ErrorCode::kInternal);
  fill(bytes.data(), num_bytes);
  std::string text;
  for (std::size_t i = 0; i < num_bytes; ++i) {
    text += "0123456789abcdef"[bytes[i] >> 4U];
    text += "0123456789abcdef"[bytes[i] & 15U];
  }
  return text;
}

}  // namespace onggi
