#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "onggi/core/worker.h"
#include "onggi/http/server.h"
#include "onggi/server/batch/batch_folder.h"
#include "onggi/server/batch/batch_runner.h"
#include "onggi/server/batch/batch_store.h"
#include "onggi/store/folder_lock.h"

namespace onggi::server {

struct BatchesOptions {
  std::filesystem::path folder;
  std::int64_t max_file_bytes = std::int64_t{1} << 30;
  std::int64_t max_stored_bytes = std::int64_t{20} << 30;  ///< Of all files; more are refused.
  BatchRunnerOptions runner;
};

/// Files and batches, kept in a folder. Thread-safe.
class Batches {
 public:
  /// Takes the folder for itself and goes on with what it holds. Throws kUnavailable or kCorrupt naming what is wrong
  /// with it. `log` as BatchRunner's; `backend` must outlive this.
  Batches(Backend& backend, BatchesOptions options, std::function<void(const std::string&)> log);

  /// For the body of a POST to /v1/files. Throws ApiError 400 where it is no form.
  std::shared_ptr<http::BodySink> open_upload(const http::Head& head);
  std::int64_t max_upload_bytes() const;  ///< The form around the file included.
  /// On the worker: the answer to an upload whose body has arrived: its file, `owner`'s and durable, or an ApiError.
  http::Response finish_upload(const std::shared_ptr<http::BodySink>& upload, const std::string& owner);
  /// On the worker: streams a file's bytes as they are, as fast as they are taken.
  void send_content(const FileRecord& file, const std::shared_ptr<http::Exchange>& exchange);

  /// Saves what is answered and gives up the rest. The engine must still be there.
  void stop() { runner_->stop(); }

  BatchStore& store() { return store_; }
  const BatchFolder& folder() const { return folder_; }
  const BatchesOptions& options() const { return options_; }
  /// For what reads and writes the folder: it may block.
  Worker& worker() { return worker_; }
  /// The store has a new batch, or one to be cancelled.
  void notify() { runner_->notify(); }

 private:
  void tidy();
  void check_room(std::int64_t bytes);

  const BatchesOptions options_;
  const BatchFolder folder_;
  const store::FolderLock lock_;
  BatchStore store_;
  std::unique_ptr<BatchRunner> runner_;
  Worker worker_;  ///< Last: its tasks use everything above.
};

/// A name of 24 random hexadecimal digits after a prefix.
std::string random_id(const std::string& prefix);

}  // namespace onggi::server
