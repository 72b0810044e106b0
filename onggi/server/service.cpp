#include "onggi/server/service.h"

#include <chrono>

#include "onggi/server/routes/route.h"

namespace onggi::server {
namespace {

ApiError no_key() { return {401, "expected a key of this server: authorization: Bearer KEY", "invalid_api_key"}; }

http::Response over_budget(const Budget::Refusal& over) {
  const bool is_of_day = over.limit == "tokens_per_day";
  auto response = error_response(ApiError(429, "the key's " + std::string(over.limit) + " are used up",
                                          is_of_day ? "insufficient_quota" : "rate_limit_exceeded"),
                                 static_cast<int>(over.retry_after_ms));
  if (is_of_day) response.fields.emplace_back("x-should-retry", "false");
  return response;
}

}  // namespace

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

Service::Service(Backend& backend, LineWriter* log) : backend_(backend), log_(log) {
  if (log_ == nullptr) return;
  backend_.metrics.registry.counter_of("onggi_log_lines_dropped_total", "Lines that nobody took in time.",
                                       [log] { return static_cast<double>(log->num_dropped()); });
}

bool Service::is_guarded(const Route& route) const {
  const ServiceOptions& options = backend_.options;
  return route.needs_key && options.keys && !(route.scope == Scope::kMetrics && options.has_open_metrics);
}

std::shared_ptr<const Caller> Service::caller_of(const http::Head& head) const {
  constexpr std::string_view kBearer = "bearer ";
  const std::string_view field = head.field("authorization");
  if (field.size() <= kBearer.size() || !http::equals_ignoring_case(field.substr(0, kBearer.size()), kBearer))
    return nullptr;
  return backend_.options.keys->find(field.substr(kBearer.size()));
}

std::shared_ptr<CallRecord> Service::new_record(std::shared_ptr<const Caller> caller) const {
  return std::make_shared<CallRecord>(std::move(caller),
                                      [log = log_](const CallRecord& record, const CallFacts& facts) {
                                        if (log != nullptr) log->write(facts.line(record.caller_name()));
                                      });
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
  std::shared_ptr<const Caller> caller;
  if (is_guarded(*route)) {
    caller = caller_of(head);
    if (!caller) return refuse(no_key());
    if (!caller->has(route->scope)) {
      return refuse(ApiError(403, "this key is not for " + std::string(scope_name(route->scope)), "scope_not_allowed"));
    }
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
    if (caller) {
      if (const auto over = caller->budget->admit()) {
        backend_.metrics.sheds(over->limit).add();
        return {.refusal = over_budget(*over)};
      }
    }
  }
  if (route->take_body != nullptr) {
    try {
      return route->take_body(backend_, head);
    } catch (const ApiError& e) {
      return refuse(e);
    }
  }
  return {.max_body_bytes = route->method == "POST" ? backend_.options.max_body_bytes : 0};
}

void Service::handle(std::shared_ptr<http::Exchange> exchange) {
  const http::Request& request = exchange->request();
  auto found = find_route(request);
  std::shared_ptr<const Caller> caller;
  if (is_guarded(*found.route)) {
    caller = caller_of(request);
    if (!caller) return exchange->respond(error_response(no_key()));  // taken away while the body came
  }
  const auto record = new_record(std::move(caller));
  open_.insert_or_assign(&request, record);
  found.route->run(backend_,
                   {.exchange = std::move(exchange), .captured = std::move(found.captured), .record = record});
}

http::Response Service::protocol_error(int status, std::string_view message) {
  if (status == 503) backend_.metrics.sheds("connections").add();
  return error_response(ApiError(status, std::string(message)));
}

void Service::finished(const http::Record& record) {
  const http::Request& request = *record.request;
  const Route* route = find_route(request).route;
  const bool is_guarded_call = route != nullptr && is_guarded(*route);
  backend_.metrics.count_http(record, route == nullptr ? std::string_view() : route->path);
  const auto node = open_.extract(&request);
  const auto call = node ? node.mapped() : new_record(is_guarded_call ? caller_of(request) : nullptr);
  call->update([&](CallFacts& facts) {
    facts.request_id = request.id;
    facts.peer = request.peer;
    facts.method = request.method;
    facts.path = request.path;
    facts.status = record.status;
    facts.sent_bytes = record.sent_bytes;
    facts.milliseconds = std::chrono::duration<double, std::milli>(record.duration).count();
  });
}

}  // namespace onggi::server
