#pragma once

#include <memory>
#include <optional>
#include <string>

#include "onggi/core/files.h"
#include "onggi/core/worker.h"
#include "onggi/http/multipart.h"
#include "onggi/http/server.h"
#include "onggi/server/batch/batch_folder.h"
#include "onggi/server/batch/batch_store.h"

namespace onggi::server {

/// A POST to /v1/files on its way: the form is read as it comes, the file goes to the folder. Gone without a trace if
/// it is not finished. Confined to the worker but for `write`.
class Upload : public http::BodySink, public std::enable_shared_from_this<Upload> {
 public:
  /// `path`: where to keep the file until it is whole. `check_room` throws where so many bytes have no room; it is
  /// asked on the worker, first of all for what the client has announced. Throws ApiError 400 for a content-type
  /// without a boundary. `worker` must outlive the connection.
  Upload(std::filesystem::path path, const http::Head& head, std::int64_t max_file_bytes,
         std::function<void(std::int64_t)> check_room, Worker& worker);
  ~Upload() override;

  void write(std::string piece, std::function<void(std::optional<http::Response>)> taken) override;

  /// The whole file, `owner`'s, durable under its name in `folder` and in the store. Throws ApiError for a form that
  /// lacks something.
  FileRecord finish(BatchStore& store, const BatchFolder& folder, const std::string& owner);

 private:
  void take(std::string_view piece);
  void begin_part(const http::PartHead& head);
  void take_bytes(std::string_view bytes);

  const std::filesystem::path path_;
  const std::int64_t announced_bytes_, max_file_bytes_;
  const std::function<void(std::int64_t)> check_room_;
  Worker& worker_;
  http::MultipartReader reader_;
  std::unique_ptr<AppendFile> file_;  ///< From the first piece on.
  std::string part_name_;
  std::int64_t file_bytes_ = 0;
  bool has_file_ = false;
  std::string filename_, purpose_, expiry_anchor_, expiry_seconds_;
};

}  // namespace onggi::server
