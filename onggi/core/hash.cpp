#include "onggi/core/hash.h"

#include <algorithm>
#include <array>
#include <memory>

#include <openssl/evp.h>
#include <sys/mman.h>

#include "onggi/core/error.h"
#include "onggi/core/files.h"

namespace onggi {

namespace {

/// Feeds a digest piece by piece.
class Sha256 {
 public:
  Sha256() : context_(EVP_MD_CTX_new()) { check(context_ && EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1); }

  void update(std::span<const std::byte> content) {
    check(EVP_DigestUpdate(context_.get(), content.data(), content.size()) == 1);
  }

  std::string hex() {
    std::array<unsigned char, 32> digest{};
    check(EVP_DigestFinal_ex(context_.get(), digest.data(), nullptr) == 1);
    static constexpr char kHex[] = "0123456789abcdef";
    std::string text;
    text.reserve(64);
    for (const unsigned char byte : digest) {
      text += kHex[byte >> 4];
      text += kHex[byte & 15];
    }
    return text;
  }

 private:
  static void check(bool ok) { require(ok, "SHA-256 failed", ErrorCode::kInternal); }
  struct Free {
    void operator()(EVP_MD_CTX* p) const { EVP_MD_CTX_free(p); }
  };
  std::unique_ptr<EVP_MD_CTX, Free> context_;
};

}  // namespace

std::string sha256_hex(std::span<const std::byte> content) {
  Sha256 digest;
  digest.update(content);
  return digest.hex();
}

std::string sha256_hex(std::string_view content) { return sha256_hex(std::as_bytes(std::span(content))); }

std::string sha256_file(const std::filesystem::path& path) {
  // A multiple of every page size. Pages are given back, so that hashing a file of gigabytes does not count as memory.
  constexpr std::size_t kPiece = std::size_t{8} << 20;
  const MappedFile file(path);
  Sha256 digest;
  for (std::span<const std::byte> rest = file.bytes(); !rest.empty();) {
    const auto piece = rest.first(std::min(kPiece, rest.size()));
    digest.update(piece);
    ::madvise(const_cast<std::byte*>(piece.data()), piece.size(), MADV_DONTNEED);
    rest = rest.subspan(piece.size());
  }
  return digest.hex();
}

}  // namespace onggi
