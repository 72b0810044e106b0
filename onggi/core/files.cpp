#include "onggi/core/files.h"

#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "onggi/core/error.h"

namespace onggi {
namespace {

[[noreturn]] void fail(const std::string& what, const std::string& path) {
  const int e = errno;
  const auto code = e == ENOENT || e == ENOTDIR ? ErrorCode::kNotFound : ErrorCode::kUnavailable;
  std::string hint;
  if (e == ENOSPC) hint = "; free some space or choose another folder";
  if (e == EROFS || e == EACCES) hint = "; choose a folder that can be written";
  throw Error(code, what + ": " + std::strerror(e) + hint, path);
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

void write_all(int fd, std::string_view content, const std::string& path) {
  while (!content.empty()) {
    const ssize_t n = ::write(fd, content.data(), content.size());
    if (n < 0) {
      if (errno == EINTR) continue;
      fail("can't write", path);
    }
    content.remove_prefix(static_cast<std::size_t>(n));
  }
}

/// A device, pipe or socket: there is nothing to replace.
bool is_stream(const std::filesystem::path& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode);
}

void sync_folder(const std::filesystem::path& folder) {
  const Descriptor fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() >= 0) ::fsync(fd.get());
}

}  // namespace

MappedFile::MappedFile(const std::filesystem::path& path) {
  const Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) fail("can't open", path.string());
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) fail("can't read the size", path.string());
  require(S_ISREG(info.st_mode), "expected a regular file", ErrorCode::kInvalidArgument, path.string());
  size_ = static_cast<std::size_t>(info.st_size);
  if (size_ == 0) return;
  void* at = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, fd.get(), 0);
  if (at == MAP_FAILED) fail("can't map into memory", path.string());
  data_ = static_cast<const std::byte*>(at);
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<std::byte*>(data_), size_);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

std::string read_file(const std::filesystem::path& path, std::size_t max_bytes) {
  const Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) fail("can't open", path.string());
  std::string content;
  char buffer[65536];
  for (;;) {
    const ssize_t n = ::read(fd.get(), buffer, sizeof buffer);
    if (n < 0) {
      if (errno == EINTR) continue;
      fail("can't read", path.string());
    }
    if (n == 0) return content;
    content.append(buffer, static_cast<std::size_t>(n));
    require(
        content.size() <= max_bytes, [&] { return "file is larger than " + std::to_string(max_bytes) + " bytes"; },
        ErrorCode::kExhausted, path.string());
  }
}

std::filesystem::path temporary_beside(const std::filesystem::path& path) {
  namespace fs = std::filesystem;
  const std::string prefix = path.filename().string() + ".tmp.";
  const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  std::error_code error;  // what can't be listed or removed is left; making the new one says what is wrong
  std::vector<fs::path> leftovers;
  for (auto entry = fs::directory_iterator(folder, error); !error && entry != fs::directory_iterator(); entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (!name.starts_with(prefix)) continue;
    pid_t owner = 0;
    const auto [end, problem] = std::from_chars(name.data() + prefix.size(), name.data() + name.size(), owner);
    const bool is_number = problem == std::errc() && end == name.data() + name.size() && owner > 0;
    // Of its own a process leaves files, which are written over, but not folders, which must begin empty.
    std::error_code unknown;
    const bool is_mine = owner == ::getpid() && entry->is_directory(unknown);
    if (is_number && (is_mine || (::kill(owner, 0) != 0 && errno == ESRCH))) leftovers.push_back(entry->path());
  }
  for (const auto& leftover : leftovers) fs::remove_all(leftover, error);
  return path.string() + ".tmp." + std::to_string(::getpid());
}

void write_file_atomic(const std::filesystem::path& path, std::string_view content) {
  if (is_stream(path)) {
    const Descriptor fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
    if (fd.get() < 0) fail("can't open for writing", path.string());
    write_all(fd.get(), content, path.string());
    return;
  }
  const std::string temporary = temporary_beside(path).string();
  {
    const Descriptor fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
    if (fd.get() < 0) fail("can't create", temporary);
    try {
      write_all(fd.get(), content, temporary);
      if (::fsync(fd.get()) != 0) fail("can't make durable", temporary);
    } catch (...) {
      ::unlink(temporary.c_str());
      throw;
    }
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) {
    const int e = errno;
    ::unlink(temporary.c_str());
    errno = e;
    fail("can't rename into place", path.string());
  }
  sync_folder(path.has_parent_path() ? path.parent_path() : std::filesystem::path("."));
}

void replace_folder(const std::filesystem::path& fresh, const std::filesystem::path& folder) {
  namespace fs = std::filesystem;
  sync_folder(fresh);
  std::error_code error;
  fs::path old = folder.string() + ".old";
  if (!fs::exists(folder)) {
    fs::rename(fresh, folder, error);
  } else if (::renameat2(AT_FDCWD, fresh.c_str(), AT_FDCWD, folder.c_str(), RENAME_EXCHANGE) == 0) {
    old = fresh;
  } else {
    fs::remove_all(old, error);
    fs::rename(folder, old, error);
    if (!error) fs::rename(fresh, folder, error);
  }
  require(!error, [&] { return "can't put the folder in place: " + error.message(); }, ErrorCode::kUnavailable,
          folder.string());
  sync_folder(folder.has_parent_path() ? folder.parent_path() : fs::path("."));
  fs::remove_all(old, error);
}

bool lock_file(int fd) { return ::flock(fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK; }

AppendFile::AppendFile(const std::filesystem::path& path, std::ptrdiff_t keep_bytes) : path_(path.string()) {
  fd_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  if (fd_ < 0) fail("can't open for writing", path_);
  if (!lock_file(fd_)) {
    ::close(fd_);
    throw Error(ErrorCode::kUnavailable, "the file is in use by another process; wait for it or stop it", path_);
  }
  if (keep_bytes >= 0 && ::ftruncate(fd_, keep_bytes) != 0) fail("can't cut", path_);
  if (::lseek(fd_, 0, SEEK_END) < 0) fail("can't seek", path_);
}

AppendFile::~AppendFile() {
  if (fd_ >= 0) ::close(fd_);
}

void AppendFile::append(std::string_view content) { write_all(fd_, content, path_); }

void AppendFile::sync() {
  if (::fdatasync(fd_) != 0) fail("can't make durable", path_);
}

std::filesystem::path onggi_home() {
  if (const char* home = std::getenv("ONGGI_HOME"); home != nullptr && *home != '\0') return home;
  const char* home = std::getenv("HOME");
  return std::filesystem::path(home != nullptr && *home != '\0' ? home : ".") / ".cache" / "onggi";
}

}  // namespace onggi
