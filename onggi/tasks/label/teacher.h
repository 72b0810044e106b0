#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "onggi/core/json.h"
#include "onggi/decode/guide.h"

namespace onggi::tasks {

/// One answer wanted of a teacher.
struct TeacherCall {
  std::int64_t ticket = 0;  ///< Comes back with the answer.
  Json messages;
  int sample = 0;
  std::string body;     ///< As Teacher::body makes it of these.
  decode::Slots slots;  ///< What a guide may quote from the row.
};

/// What became of it.
struct TeacherReply {
  enum class Kind {
    kAnswer,   ///< `body` is a chat completion.
    kRetry,    ///< May work later.
    kRefused,  ///< This call never works; others may.
    kStop,     ///< No call works: a wrong key, no such model, nothing left to spend.
  };
  std::int64_t ticket = 0;
  Kind kind = Kind::kRetry;
  std::string body;
  std::string reason;          ///< Why there is no answer, for people.
  bool is_overloaded = false;  ///< The teacher wants fewer calls.
  bool may_be_paid = false;    ///< The call may have been answered without our seeing it.
  double quota_left = 1.0;     ///< Share of its quota that the teacher says is left.
  std::optional<std::chrono::milliseconds> retry_after;
};

/// Who answers. Confined to one thread.
class Teacher {
 public:
  virtual ~Teacher() = default;
  /// Endpoint and model, or the hash of a checkpoint and how it is drawn from: with a call's body, what an answer
  /// depends on.
  virtual const std::string& identity() const = 0;
  /// What names the teacher in provenance: {"endpoint", "model"} or {"checkpoint", ...}.
  virtual Json description() const = 0;
  /// What is asked, as bytes: the same for the same call at any time.
  virtual std::string body(const Json& messages, int sample) const = 0;
  /// Calls that it is good to have under way at most.
  virtual int most_in_flight() const = 0;
  /// The same at first, while it is not known what it takes.
  virtual int first_in_flight() const = 0;
  virtual void ask(TeacherCall call) = 0;
  /// Answers that are there, at least one where any call is under way, or none after `longest`.
  virtual std::vector<TeacherReply> wait(std::chrono::milliseconds longest) = 0;
};

}  // namespace onggi::tasks
