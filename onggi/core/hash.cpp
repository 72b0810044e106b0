#include "onggi/core/hash.h"

#include <array>

#include <openssl/evp.h>

#include "onggi/core/error.h"
#include "onggi/core/files.h"

namespace onggi {

std::string sha256_hex(std::span<const std::byte> content) {
  std::array<unsigned char, 32> digest{};
  unsigned int size = 0;
  require(EVP_Digest(content.data(), content.size(), digest.data(), &size, EVP_sha256(), nullptr) == 1,
          "SHA-256 failed", ErrorCode::kInternal);
  static constexpr char kHex[] = "0123456789abcdef";
  std::string text;
  text.reserve(64);
  for (const unsigned char byte : digest) {
    text += kHex[byte >> 4];
    text += kHex[byte & 15];
  }
  return text;
}

std::string sha256_hex(std::string_view content) { return sha256_hex(std::as_bytes(std::span(content))); }

std::string sha256_file(const std::filesystem::path& path) { return sha256_hex(MappedFile(path).bytes()); }

}  // namespace onggi
