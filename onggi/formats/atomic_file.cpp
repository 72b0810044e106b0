#include "onggi/formats/atomic_file.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include "onggi/core/error.h"
#include "onggi/core/files.h"

namespace onggi::formats {
namespace {

constexpr std::size_t kBufferBytes = std::size_t{1} << 20;

std::filesystem::path folder_of(const std::filesystem::path& path) {
  return path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
}

}  // namespace

AtomicFile::AtomicFile(const std::filesystem::path& path)
    : path_(path), temporary_(temporary_beside(path)) {
  fd_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd_ < 0) fail("can't create");
}

AtomicFile::~AtomicFile() {
  if (fd_ < 0) return;
  ::close(fd_);
  ::unlink(temporary_.c_str());
}

void AtomicFile::fail(const char* what) const {
  const int e = errno;
  std::string hint;
  if (e == ENOSPC || e == EDQUOT) hint = "; free some space or choose another folder";
  if (e == EROFS || e == EACCES) hint = "; choose a folder that can be written";
  throw Error(e == ENOENT || e == ENOTDIR ? ErrorCode::kNotFound : ErrorCode::kUnavailable,
              std::string(what) + ": " + std::strerror(e) + hint, path_.string());
}

void AtomicFile::write(std::span<const std::byte> bytes) {
  position_ += bytes.size();
  if (buffer_.size() + bytes.size() > kBufferBytes) {
    write_through(std::as_bytes(std::span(buffer_)));
    buffer_.clear();
  }
  if (bytes.size() >= kBufferBytes) {
    write_through(bytes);
  } else {
    buffer_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
}

void AtomicFile::write_through(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd_, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail("can't write");
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
}

void AtomicFile::pad_to(std::uint64_t alignment) {
  write(std::string(static_cast<std::size_t>((alignment - position_ % alignment) % alignment), '\0'));
}

void AtomicFile::commit() {
  write_through(std::as_bytes(std::span(buffer_)));
  buffer_.clear();
  if (::fsync(fd_) != 0) fail("can't make durable");
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) fail("can't rename into place");
  ::close(std::exchange(fd_, -1));
  const int folder = ::open(folder_of(path_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return;
  ::fsync(folder);
  ::close(folder);
}

}  // namespace onggi::formats
