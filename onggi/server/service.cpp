#include "onggi/server/service.h"

#include <algorithm>
#include <chrono>

#include "onggi/core/hash.h"
#include "onggi/server/routes/route.h"

namespace onggi::server {

Service::Found Service::find_route(const http::Head& head) const {
  const std::string_view method = head.method == "HEAD" ? "GET" : std::string_view(head.method);
  Found found;
  for (const Route* route : all_routes()) {
    if (!matches(route->path, head.path, found.captured)) continue;
    if (route->is_offered != nullptr && !route->is_offered(backend_.options)) continue;
    found.is_path_known = true;
    if (route->method != method) continue;
    found.route = route;
    break;
  }
  return found;
}

bool Service::has_key(const http::Head& head) const {
  const auto& hashes = backend_.options.key_hashes;
  if (hashes.empty()) return true;
  constexpr std::string_view kBearer = "bearer ";
  const std::string_view field = head.field("authorization");
  if (field.size() <= kBearer.size() || !http::equals_ignoring_case(field.substr(0, kBearer.size()), kBearer))
    return false;
  const std::string hash = sha256_hex(field.substr(kBearer.size()));
  return std::ranges::find(hashes, hash) != hashes.end();  // of hashes: the time it takes tells nothing of a key
}

http::Admission Service::admit(const http::Head& head) {
  const auto [route, is_path_known, captured] = find_route(head);
  const auto refuse = [&](const ApiError& error, int retry_ms = 0) {
    return http::Admission{.refusal = error_response(error, retry_ms)};
  };
  if (route == nullptr) {
    if (is_path_known) return refuse(ApiError(405, head.method + " is not for " + head.path, "method_not_allowed"));
    return refuse(ApiError(404, "there is nothing at " + head.path, "not_found"));
  }
  if (route->needs_key && !has_key(head)) {
    return refuse(ApiError(401, "expected a key of this server: authorization: Bearer KEY", "invalid_api_key"));
  }
  const std::string_view type = head.field("content-type");
  if (route->method == "POST" && !type.empty() && !http::lower_case(type).starts_with(route->body_type)) {
    return refuse(ApiError(415, "expected a body of " + std::string(route->body_type) + ", found " + std::string(type),
                           "unsupported_media_type"));
  }
  if (route->is_work) {
    if (backend_.is_draining) {
      backend_.metrics.sheds("draining").add();
      return refuse(ApiError(503, "the server is stopping", "draining"));
    }
    if (backend_.open_tokens > backend_.options.max_waiting_tokens) {
      backend_.metrics.sheds("overloaded").add();
      return refuse(ApiError(429, "the server has work for " + std::to_string(backend_.open_tokens) + " tokens already",
                             "overloaded"),
                    backend_.retry_after_ms());
    }
  }
  return {.max_body_bytes = route->method == "POST" ? backend_.options.max_body_bytes : 0};
}

void Service::handle(std::shared_ptr<http::Exchange> exchange) {
  auto found = find_route(exchange->request());
  found.route->run(backend_, {.exchange = std::move(exchange), .captured = std::move(found.captured)});
}

http::Response Service::protocol_error(int status, std::string_view message) {
  if (status == 503) backend_.metrics.sheds("connections").add();
  return error_response(ApiError(status, std::string(message)));
}

void Service::finished(const http::Record& record) {
  const http::Request& request = *record.request;
  const Route* route = find_route(request).route;
  backend_.metrics.count_http(record, route == nullptr ? std::string_view() : route->path);
  log_(Json({{"request_id", request.id},
             {"peer", request.peer},
             {"method", request.method},
             {"path", request.path},
             {"status", record.status},
             {"sent_bytes", record.sent_bytes},
             {"milliseconds", std::chrono::duration<double, std::milli>(record.duration).count()}})
           .dump(-1, ' ', false, Json::error_handler_t::replace));
}

}  // namespace onggi::server
