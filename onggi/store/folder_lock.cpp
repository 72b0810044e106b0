#include "onggi/store/folder_lock.h"

#include <cerrno>
#include <cstring>
#include <string>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

#include "onggi/core/error.h"
#include "onggi/core/files.h"

namespace onggi::store {

FolderLock::FolderLock(const std::filesystem::path& folder) {
  std::error_code error;
  const bool is_new = std::filesystem::create_directories(folder, error);
  if (is_new && !error) std::filesystem::permissions(folder, std::filesystem::perms::owner_all, error);
  require(
      !error, [&] { return "can't make the folder: " + error.message() + "; choose one that can be written"; },
      ErrorCode::kUnavailable, folder.string());
  const std::string path = (folder / "lock").string();
  fd_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd_ < 0) {
    throw Error(ErrorCode::kUnavailable,
                "can't write to the folder: " + std::string(std::strerror(errno)) + "; choose one that can be written",
                folder.string());
  }
  if (!lock_file(fd_)) {
    ::close(fd_);
    throw Error(ErrorCode::kUnavailable, "the folder is in use by another process; stop it or choose another folder",
                folder.string());
  }
}

FolderLock::~FolderLock() { ::close(fd_); }

}  // namespace onggi::store
