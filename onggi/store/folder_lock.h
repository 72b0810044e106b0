#pragma once

#include <filesystem>

namespace onggi::store {

/// Keeps a folder for one process, from its making to its end; a process that is killed leaves nothing behind.
class FolderLock {
 public:
  /// Makes the folder, for its user alone, if it is not there. Throws kUnavailable naming it where another process has
  /// it or it can't be written.
  explicit FolderLock(const std::filesystem::path& folder);
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int fd_ = -1;
};

}  // namespace onggi::store
