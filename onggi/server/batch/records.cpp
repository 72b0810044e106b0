#include "onggi/server/batch/records.h"

#include <array>

namespace onggi::server {
namespace {

using Time = std::optional<std::int64_t> BatchRecord::*;

constexpr std::array<std::pair<std::string_view, Time>, 7> kTimes = {{
    {batch_status::kInProgress, &BatchRecord::in_progress_at},
    {batch_status::kFinalizing, &BatchRecord::finalizing_at},
    {batch_status::kCompleted, &BatchRecord::completed_at},
    {batch_status::kFailed, &BatchRecord::failed_at},
    {batch_status::kExpired, &BatchRecord::expired_at},
    {batch_status::kCancelling, &BatchRecord::cancelling_at},
    {batch_status::kCancelled, &BatchRecord::cancelled_at},
}};

Json time_json(const std::optional<std::int64_t>& time) { return time ? Json(*time) : Json(nullptr); }
Json text_json(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

}  // namespace

bool BatchRecord::is_active() const {
  return status == batch_status::kValidating || status == batch_status::kInProgress ||
         status == batch_status::kFinalizing || status == batch_status::kCancelling;
}

void BatchRecord::move_to(std::string_view to, std::int64_t now) {
  status = to;
  for (const auto& [name, time] : kTimes) {
    if (name == to) this->*time = now;
  }
}

Json file_json(const FileRecord& file) {
  return {{"id", file.id},
          {"object", "file"},
          {"bytes", file.bytes},
          {"created_at", file.created_at},
          {"expires_at", time_json(file.expires_at)},
          {"filename", file.filename},
          {"purpose", file.purpose},
          {"status", "processed"},
          {"status_details", nullptr}};
}

Json batch_json(const BatchRecord& batch) {
  Json json = {{"id", batch.id}, {"object", "batch"}, {"endpoint", batch.endpoint}};
  json["errors"] = batch.errors.is_null() ? Json(nullptr) : Json({{"object", "list"}, {"data", batch.errors}});
  json["input_file_id"] = batch.input_file_id;
  json["completion_window"] = batch.completion_window;
  json["status"] = batch.status;
  json["output_file_id"] = text_json(batch.output_file_id);
  json["error_file_id"] = text_json(batch.error_file_id);
  json["created_at"] = batch.created_at;
  json["expires_at"] = batch.expires_at;
  for (const auto& [name, time] : kTimes) json[std::string(name) + "_at"] = time_json(batch.*time);
  json["request_counts"] = {{"total", batch.total}, {"completed", batch.completed}, {"failed", batch.failed}};
  json["metadata"] = batch.metadata;
  return json;
}

}  // namespace onggi::server
