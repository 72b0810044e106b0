#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace onggi::formats {

/// A file written front to back under a temporary name beside `path`. `commit` makes it durable and puts it in place of
/// `path`; without it nothing is left, and what stood at `path` before stays. For files too large to hold in memory
/// (else core's write_file_atomic). Confined to one thread.
class AtomicFile {
 public:
  /// Throws kNotFound (no such folder) or kUnavailable (read-only), as the other members do when the disk is full.
  explicit AtomicFile(const std::filesystem::path& path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(std::span<const std::byte> bytes);
  void write(std::string_view text) { write(std::as_bytes(std::span(text))); }
  /// Zero bytes until the position is a multiple of `alignment`, counted from the start of the file.
  void pad_to(std::uint64_t alignment);
  /// Bytes written so far.
  std::uint64_t position() const { return position_; }
  /// fsync, rename, fsync of the folder. The last call on the object.
  void commit();

 private:
  void write_through(std::span<const std::byte> bytes);
  [[noreturn]] void fail(const char* what) const;

  std::filesystem::path path_;
  std::string temporary_;
  int fd_ = -1;
  std::uint64_t position_ = 0;
  std::string buffer_;  ///< Gathers small pieces.
};

}  // namespace onggi::formats
