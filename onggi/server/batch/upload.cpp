#include "onggi/server/batch/upload.h"

#include <algorithm>
#include <charconv>
#include <ctime>

#include "onggi/core/error.h"
#include "onggi/core/hash.h"
#include "onggi/server/api_error.h"
#include "onggi/server/batch/batches.h"
#include "onggi/server/routes/route.h"

namespace onggi::server {
namespace {

constexpr std::size_t kMaxValueBytes = 1024;
constexpr std::size_t kMaxNameBytes = 255;
constexpr std::int64_t kLeastExpirySeconds = 3600;
constexpr std::int64_t kMostExpirySeconds = 2'592'000;

std::string boundary_or_refuse(std::string_view content_type) {
  std::string boundary = http::boundary_of(content_type);
  if (boundary.empty())
    throw ApiError(400, "content-type: expected multipart/form-data with a boundary", "invalid_form");
  return boundary;
}

}  // namespace

Upload::Upload(std::filesystem::path path, const http::Head& head, std::int64_t max_file_bytes,
               std::function<void(std::int64_t)> check_room, Worker& worker)
    : path_(std::move(path)),
      announced_bytes_(std::max<std::int64_t>(head.content_length, 0)),
      max_file_bytes_(max_file_bytes),
      check_room_(std::move(check_room)),
      worker_(worker),
      reader_(boundary_or_refuse(head.field("content-type")),
              {.began = [this](const auto& part) { begin_part(part); },
               .bytes = [this](std::string_view bytes) { take_bytes(bytes); },
               .ended = [] {}}) {}

Upload::~Upload() {
  std::error_code error;
  std::filesystem::remove(path_, error);
}

void Upload::write(std::string piece, std::function<void(std::optional<http::Response>)> taken) {
  worker_.post([self = shared_from_this(), piece = std::move(piece), taken = std::move(taken)] {
    std::optional<http::Response> refusal;
    try {
      self->take(piece);
    } catch (const std::exception&) {
      refusal = answer_of([]() -> http::Response { throw; });
    }
    taken(std::move(refusal));
  });
}

void Upload::take(std::string_view piece) {
  try {
    if (!file_) {
      check_room_(announced_bytes_);
      file_ = std::make_unique<AppendFile>(path_, 0);
    }
    reader_.read(piece);
  } catch (const Error& e) {
    if (e.code() == ErrorCode::kUnavailable) throw ApiError(507, e.what(), "storage_full");
    throw ApiError(400, e.what(), "invalid_form");
  }
}

void Upload::begin_part(const http::PartHead& head) {
  part_name_ = head.name;
  if (part_name_ != "file") return;
  if (has_file_) throw ApiError(400, "file: the form holds more than one", "invalid_value", "file");
  has_file_ = true;
  // Some clients send a path.
  filename_ = head.filename.substr(head.filename.find_last_of("/\\") + 1).substr(0, kMaxNameBytes);
  if (filename_.empty()) filename_ = "upload.jsonl";
}

void Upload::take_bytes(std::string_view bytes) {
  if (part_name_ == "file") {
    file_bytes_ += static_cast<std::int64_t>(bytes.size());
    if (file_bytes_ > max_file_bytes_) {
      throw ApiError(413, "file: longer than " + std::to_string(max_file_bytes_) + " bytes", "file_too_large", "file");
    }
    return file_->append(bytes);
  }
  std::string* value = part_name_ == "purpose"                  ? &purpose_
                       : part_name_ == "expires_after[anchor]"  ? &expiry_anchor_
                       : part_name_ == "expires_after[seconds]" ? &expiry_seconds_
                                                                : nullptr;
  if (value == nullptr) return;
  if (value->size() + bytes.size() > kMaxValueBytes)
    throw ApiError(400, part_name_ + ": longer than " + std::to_string(kMaxValueBytes) + " bytes", "invalid_value",
                   part_name_);
  value->append(bytes);
}

FileRecord Upload::finish(BatchStore& store, const BatchFolder& folder, const std::string& owner) {
  try {
    reader_.finish();
  } catch (const Error& e) {
    throw ApiError(400, e.what(), "invalid_form");
  }
  if (!has_file_) throw ApiError(400, "file: is missing", "invalid_value", "file");
  if (purpose_ != "batch")
    throw ApiError(400, "purpose: expected \"batch\", found \"" + purpose_ + "\"", "invalid_value", "purpose");
  FileRecord file{.id = random_id("file-"),
                  .bytes = file_bytes_,
                  .created_at = std::time(nullptr),
                  .filename = filename_,
                  .purpose = purpose_,
                  .owner = owner};
  if (!expiry_anchor_.empty() || !expiry_seconds_.empty()) {
    std::int64_t seconds = 0;
    const char* const last = expiry_seconds_.data() + expiry_seconds_.size();
    const auto end = std::from_chars(expiry_seconds_.data(), last, seconds);
    const bool is_good = expiry_anchor_ == "created_at" && end.ec == std::errc() && end.ptr == last &&
                         seconds >= kLeastExpirySeconds && seconds <= kMostExpirySeconds;
    if (!is_good) {
      throw ApiError(400,
                     "expires_after: expected \"created_at\" as anchor and " + std::to_string(kLeastExpirySeconds) +
                         " to " + std::to_string(kMostExpirySeconds) + " seconds",
                     "invalid_value", "expires_after");
    }
    file.expires_at = file.created_at + seconds;
  }
  check_room_(file_bytes_);
  file_->sync();
  file_.reset();
  file.sha256 = sha256_file(path_);
  const auto place = folder.file(file.id);
  BatchFolder::move(path_, place);
  try {
    store.add_file(file);
  } catch (...) {
    std::error_code error;
    std::filesystem::remove(place, error);
    throw;
  }
  return file;
}

}  // namespace onggi::server
