#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "onggi/core/json.h"

namespace onggi::server {

/// Who asks for files and batches, which belong to the key that made them, by its name.
struct Asker {
  std::string name;       ///< Empty where no key is asked for: what is made then is nobody's.
  bool sees_all = false;  ///< A key of scope admin, and everyone where no key is asked for.

  bool sees(std::string_view owner) const { return sees_all || owner == name; }
};

/// A file that a client sent, or that a batch left. Its bytes lie in the state folder under its id.
struct FileRecord {
  std::string id;
  std::int64_t bytes = 0;
  std::int64_t created_at = 0;  ///< Unix seconds, as all times here.
  std::optional<std::int64_t> expires_at;
  std::string filename;
  std::string purpose;
  std::string sha256;
  std::string owner;  ///< The name of the key that made it; empty: nobody's.
};

/// Names of OpenAI's batch statuses.
namespace batch_status {
inline constexpr std::string_view kValidating = "validating";
inline constexpr std::string_view kFailed = "failed";
inline constexpr std::string_view kInProgress = "in_progress";
inline constexpr std::string_view kFinalizing = "finalizing";
inline constexpr std::string_view kCompleted = "completed";
inline constexpr std::string_view kExpired = "expired";
inline constexpr std::string_view kCancelling = "cancelling";
inline constexpr std::string_view kCancelled = "cancelled";
}  // namespace batch_status

/// A batch and how far it has come. Lines are written in input order: all before `next_line` are in the output or the
/// error file, whose lengths are `output_bytes` and `error_bytes`.
struct BatchRecord {
  std::string id;
  std::string endpoint;
  std::string input_file_id;
  std::string completion_window;
  Json metadata;  ///< Null: none was given.
  std::optional<std::int64_t> output_expires_after;
  std::int64_t created_at = 0, expires_at = 0;

  std::string status = std::string(batch_status::kValidating);
  std::optional<std::int64_t> in_progress_at, finalizing_at, completed_at, failed_at, expired_at, cancelling_at,
      cancelled_at;
  Json errors;  ///< Null, or a list of {"code", "line", "message", "param"}.
  std::string output_file_id, error_file_id;
  std::string base_hash;  ///< Of the model that began to answer it.

  std::int64_t total = 0, completed = 0, failed = 0;  ///< Lines; answered ones are counted when they are durable.
  std::int64_t next_line = 0;                         ///< From 0.
  std::int64_t next_offset = 0;                       ///< Its first byte in the input.
  std::int64_t output_bytes = 0, error_bytes = 0;

  std::string owner;  ///< As a file's; the files that it leaves have the same.

  bool is_active() const;
  /// Moves to a status at a time, which the status's own member keeps.
  void move_to(std::string_view status, std::int64_t now);
};

/// An answered line, as it stands in the output or the error file (without the line break).
struct LineAnswer {
  std::int64_t line = 0;
  bool is_error = false;
  std::string text;
};

/// OpenAI's objects.
Json file_json(const FileRecord& file);
Json batch_json(const BatchRecord& batch);

}  // namespace onggi::server
