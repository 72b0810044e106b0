#include "onggi/server/batch/batches.h"

#include <set>
#include <vector>

#include "onggi/core/error.h"
#include "onggi/core/system_random.h"
#include "onggi/server/api_error.h"
#include "onggi/server/batch/content_sender.h"
#include "onggi/server/batch/upload.h"
#include "onggi/server/routes/route.h"

namespace onggi::server {
namespace {

namespace fs = std::filesystem;

/// Left free for the database and the output of batches that run.
constexpr std::uintmax_t kReservedBytes = 4 << 20;
/// Of a form around its file.
constexpr std::int64_t kFormBytes = 64 << 10;

/// The database's place in a folder that is there.
fs::path database_of(const BatchFolder& folder) {
  folder.make();
  return folder.database();
}

/// Removes what `is_wanted` does not want of a folder's files.
template <class Wanted>
void sweep(const fs::path& folder, Wanted is_wanted) {
  std::vector<fs::path> leftovers;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.is_regular_file() && !is_wanted(entry.path().filename().string())) leftovers.push_back(entry.path());
  }
  std::error_code error;
  for (const fs::path& leftover : leftovers) fs::remove(leftover, error);
}

}  // namespace

std::string random_id(const std::string& prefix) { return prefix + system_random_hex(12); }

Batches::Batches(Backend& backend, BatchesOptions options, std::function<void(const std::string&)> log)
    : options_(std::move(options)), folder_(options_.folder), lock_(options_.folder), store_(database_of(folder_)) {
  tidy();
  runner_ = std::make_unique<BatchRunner>(backend, store_, folder_, options_.runner, std::move(log));
}

/// What a killed process left: uploads that did not come to their end, files that the store does not know, output of
/// batches that are done. Not what a batch that runs was about to publish.
void Batches::tidy() {
  std::set<std::string> files, work;
  for (std::string& id : store_.file_ids()) files.insert(std::move(id));
  for (const BatchRecord& batch : store_.active_batches()) {
    for (const auto& path : {folder_.output(batch.id), folder_.errors(batch.id)}) work.insert(path.filename().string());
    for (const char* kind : {"output", "errors"}) files.insert(BatchRun::output_id(batch.id, kind));
  }
  sweep(folder_.incoming(), [](const std::string&) { return false; });
  sweep(folder_.files(), [&](const std::string& name) { return files.contains(name); });
  sweep(folder_.work(), [&](const std::string& name) { return work.contains(name); });
}

void Batches::check_room(std::int64_t bytes) {
  std::error_code error;
  const auto space = fs::space(folder_.root(), error);
  if (!error && space.available < static_cast<std::uintmax_t>(bytes) + kReservedBytes)
    throw ApiError(507, "the disk of the server's folder has no room for the file", "storage_full");
  const std::int64_t stored = store_.stored_bytes();
  if (stored + bytes <= options_.max_stored_bytes) return;
  throw ApiError(507,
                 "the files that the server keeps may have " + std::to_string(options_.max_stored_bytes) +
                     " bytes in all, and have " + std::to_string(stored) + "; delete some",
                 "storage_full");
}

std::shared_ptr<http::BodySink> Batches::open_upload(const http::Head& head) {
  return std::make_shared<Upload>(
      folder_.incoming() / random_id("upload-"), head, options_.max_file_bytes,
      [this](std::int64_t bytes) { check_room(bytes); }, worker_);
}

std::int64_t Batches::max_upload_bytes() const { return options_.max_file_bytes + kFormBytes; }

http::Response Batches::finish_upload(const std::shared_ptr<http::BodySink>& upload, const std::string& owner) {
  return json_response(file_json(std::static_pointer_cast<Upload>(upload)->finish(store_, folder_, owner)));
}

void Batches::send_content(const FileRecord& file, const std::shared_ptr<http::Exchange>& exchange) {
  std::make_shared<ContentSender>(folder_.file(file.id), exchange, worker_)
      ->start({.content_type = "application/octet-stream"});
}

}  // namespace onggi::server
