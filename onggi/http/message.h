#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace onggi::http {

using Fields = std::vector<std::pair<std::string, std::string>>;

/// A request's first part, known before its body is read.
struct Head {
  std::string method;  ///< "GET", "POST" ...
  std::string path;    ///< Without the query, percent signs as they came.
  std::string query;   ///< After '?', without it.
  Fields fields;       ///< As sent, names in lower case.
  std::string id;      ///< The client's x-request-id where that is 1 to 128 of [A-Za-z0-9._-], else one of ours.
  std::string peer;    ///< Address of the other side.
  std::int64_t content_length = -1;  ///< -1: not said (chunked) or no body.

  /// Value of the first field of this lower-case name; empty if there is none.
  std::string_view field(std::string_view name) const;
};

class BodySink;

struct Request : Head {
  std::string body;
  std::shared_ptr<BodySink> sink;  ///< What took the body instead, where the admission named one.
};

struct Response {
  int status = 200;
  std::string body;
  std::string content_type = "application/json";
  Fields fields;
};

/// In place of a body's length.
inline constexpr std::int64_t kChunked = -1;
inline constexpr std::int64_t kUntilClose = -2;

/// Status line and fields to the empty line. A value with a line break would be two fields: it is refused (kInternal).
std::string head_text(const Response& response, std::string_view request_id, std::int64_t body_bytes, bool keeps_alive);
/// One chunk of a chunked body (RFC 9112 section 7.1).
std::string chunk_text(std::string_view bytes);
std::string lower_case(std::string_view text);
/// Equal but for the case of A to Z.
bool equals_ignoring_case(std::string_view a, std::string_view b);
/// 1 to 128 of [A-Za-z0-9._-].
bool is_request_id(std::string_view text);
std::string_view reason_of(int status);

}  // namespace onggi::http
