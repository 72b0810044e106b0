#include "onggi/server/batch/batch_folder.h"

#include <system_error>

#include <fcntl.h>
#include <unistd.h>

#include "onggi/core/error.h"

namespace onggi::server {
namespace {

void sync_folder(const std::filesystem::path& folder) {
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  ::fsync(fd);
  ::close(fd);
}

}  // namespace

void BatchFolder::make() const {
  for (const auto& folder : {root_, files(), incoming(), work()}) {
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    require(
        !error, [&] { return "can't make the folder: " + error.message() + "; choose one that can be written"; },
        ErrorCode::kUnavailable, folder.string());
  }
  sync_folder(root_);
}

void BatchFolder::move(const std::filesystem::path& from, const std::filesystem::path& to) {
  std::error_code error;
  std::filesystem::rename(from, to, error);
  require(
      !error, [&] { return "can't move to " + to.string() + ": " + error.message(); }, ErrorCode::kUnavailable,
      from.string());
  sync_folder(to.parent_path());
  sync_folder(from.parent_path());
}

}  // namespace onggi::server
