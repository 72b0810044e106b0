#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace onggi::server {

/// Where things lie in a state folder.
class BatchFolder {
 public:
  explicit BatchFolder(std::filesystem::path root) : root_(std::move(root)) {}

  /// Throws kUnavailable naming the folder.
  void make() const;
  const std::filesystem::path& root() const { return root_; }
  std::filesystem::path database() const { return root_ / "onggi.db"; }
  std::filesystem::path files() const { return root_ / "files"; }
  std::filesystem::path file(std::string_view id) const { return files() / id; }
  std::filesystem::path incoming() const { return root_ / "incoming"; }  ///< Uploads on their way.
  std::filesystem::path work() const { return root_ / "work"; }          ///< Output of batches that run.
  std::filesystem::path output(std::string_view batch_id) const { return work() / (std::string(batch_id) + ".output"); }
  std::filesystem::path errors(std::string_view batch_id) const { return work() / (std::string(batch_id) + ".errors"); }

  /// Renames a durable file, durably. Throws kUnavailable.
  static void move(const std::filesystem::path& from, const std::filesystem::path& to);

 private:
  std::filesystem::path root_;
};

}  // namespace onggi::server
