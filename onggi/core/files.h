#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace onggi {

/// Read-only memory map of a whole file. Movable; the bytes live as long as the object.
class MappedFile {
 public:
  /// Throws kNotFound or kUnavailable naming the path.
  explicit MappedFile(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::span<const std::byte> bytes() const { return {data_, size_}; }

 private:
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

/// Whole file as a string. Throws kNotFound, kUnavailable, or kExhausted past `max_bytes`.
std::string read_file(const std::filesystem::path& path, std::size_t max_bytes = std::size_t{1} << 32);

/// Where to make what will then be renamed to `path`: beside it, this process's own. What processes that are gone left
/// under such names of `path` is removed.
std::filesystem::path temporary_beside(const std::filesystem::path& path);

/// Replaces `path` so that a crash leaves the old file or the new one, never a part: temporary name in the same
/// folder, fsync, rename, fsync of the folder. Throws kUnavailable (disk full, read-only) and leaves no temporary. A
/// device or pipe (/dev/stdout) is written to as it is.
void write_file_atomic(const std::filesystem::path& path, std::string_view content);

/// Puts the folder `fresh` (its files already durable) in the place of `folder`, which may exist and is then removed. A
/// crash leaves the old folder or the new one, where the file system can exchange names. Throws kUnavailable.
void replace_folder(const std::filesystem::path& fresh, const std::filesystem::path& folder);

/// Takes an open file for this process, until it is closed: false where another has it. Some file systems have no locks:
/// there it is true.
bool lock_file(int fd);

/// Append-only file, of one process at a time. `append` writes all or throws; `sync` makes what was appended durable.
class AppendFile {
 public:
  /// Opens or creates `path`, cut to `keep_bytes` first if that is given (resume after a torn last line). Throws
  /// kUnavailable where it can't, or where another process has the file open as one of these.
  explicit AppendFile(const std::filesystem::path& path, std::ptrdiff_t keep_bytes = -1);
  ~AppendFile();
  AppendFile(const AppendFile&) = delete;
  AppendFile& operator=(const AppendFile&) = delete;
  void append(std::string_view content);
  void sync();

 private:
  int fd_ = -1;
  std::string path_;
};

/// `$ONGGI_HOME`, else `$HOME/.cache/onggi`.
std::filesystem::path onggi_home();

}  // namespace onggi
