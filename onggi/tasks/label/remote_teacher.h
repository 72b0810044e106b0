#pragma once

#include <memory>
#include <string>

#include "onggi/tasks/label/teacher.h"

namespace onggi::tasks {

struct RemoteTeacherOptions {
  std::string url;  ///< ".../v1", its chat/completions, or a bare host.
  std::string model;
  std::string key;  ///< Sent as a bearer token; empty: none. Never written anywhere.
  std::string certificates;
  double temperature = 0.0;
  int max_tokens = 1024;
  std::int64_t seed = 0;
  bool log_probabilities = true;
  Json schema;  ///< Sent as response_format; null: none.
  Json more;    ///< Members that replace those of the body; null takes one out.
  int most_in_flight = 16;
  int timeout_s = 120;
};

/// The address that calls go to. Throws kInvalidArgument where `url` is none, or where a key would go over an open
/// connection to another machine.
std::string completions_url(const std::string& url, bool has_key);

/// How a reply of this status is to be taken. `body` and the fields are the server's.
TeacherReply judge_status(int status, const std::string& body);

/// A server that speaks OpenAI's /v1/chat/completions.
std::unique_ptr<Teacher> make_remote_teacher(const RemoteTeacherOptions& options);

}  // namespace onggi::tasks
