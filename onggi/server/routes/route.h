#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "onggi/core/json.h"
#include "onggi/http/server.h"
#include "onggi/server/api_error.h"
#include "onggi/server/backend.h"
#include "onggi/server/call_record.h"

namespace onggi::server {

/// A request that belongs to a route.
struct Call {
  std::shared_ptr<http::Exchange> exchange;
  std::vector<std::string> captured;   ///< What stands in place of each {} of the route's path.
  std::shared_ptr<CallRecord> record;  ///< Who asks, and what the log will say. Kept until the work is done.
};

/// An address and what answers there.
struct Route {
  std::string_view method;
  std::string_view path;  ///< "/v1/files/{}/content": {} is one segment, not empty.
  /// Called on the I/O thread: must not block. It answers, or hands the call on.
  void (*run)(Backend&, const Call&);
  bool is_work = false;  ///< Refused while draining or overloaded.
  bool needs_key = false;
  Scope scope = Scope::kInfer;                      ///< That the key must have.
  std::string_view body_type = "application/json";  ///< Of a POST.
  /// Null: always there.
  bool (*is_offered)(const ServiceOptions&) = nullptr;
  /// Says where a body goes that is too large for memory, and how large it may be. Called on the I/O thread; throws
  /// ApiError. Null: bodies are kept in memory.
  http::Admission (*take_body)(Backend&, const http::Head&) = nullptr;
};

std::span<const Route> completion_routes();
std::span<const Route> embedding_routes();
std::span<const Route> model_routes();
std::span<const Route> token_routes();
std::span<const Route> status_routes();
std::span<const Route> page_routes();
std::span<const Route> file_routes();
std::span<const Route> batch_routes();

/// Every route there is, in the order in which they are tried.
const std::vector<const Route*>& all_routes();
/// Whether the path is the pattern's; `captured` is what stands in place of its {}.
bool matches(std::string_view pattern, std::string_view path, std::vector<std::string>& captured);

/// A JSON body; bytes that are no UTF-8 become U+FFFD.
http::Response json_response(const Json& json);
/// A member that must be there and a text. Throws ApiError 400.
std::string text_member(const Json& json, const char* name);
/// What `make` gives; what it throws as an error's body.
http::Response answer_of(const std::function<http::Response()>& make);
/// The same on the worker, as the call's answer.
void answer_on_worker(Backend& backend, const Call& call, std::function<http::Response()> make);

}  // namespace onggi::server
