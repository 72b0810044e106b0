#include <array>

#include "onggi/server/routes/route.h"

namespace onggi::server {
namespace {

http::Response ready(const Backend& backend) {
  return backend.is_draining ? error_response(ApiError(503, "the server is stopping", "draining"))
                             : json_response({{"status", "ready"}});
}

http::Response metrics(const Backend& backend) {
  return {.body = backend.metrics.registry.text(), .content_type = "text/plain; version=0.0.4; charset=utf-8"};
}

}  // namespace

std::span<const Route> status_routes() {
  static constexpr std::array<Route, 4> kRoutes = {{
      {.method = "GET",
       .path = "/health",
       .run =
           [](Backend&, const Call& c) {
             c.exchange->respond(json_response({{"status", "ok"}}));
           }},
      {.method = "GET", .path = "/ready", .run = [](Backend& b, const Call& c) { c.exchange->respond(ready(b)); }},
      {.method = "GET",
       .path = "/version",
       .run =
           [](Backend& b, const Call& c) {
             c.exchange->respond(json_response({{"version", b.options.version}}));
           }},
      {.method = "GET",
       .path = "/metrics",
       .run = [](Backend& b, const Call& c) { c.exchange->respond(metrics(b)); },
       .needs_key = true,
       .scope = Scope::kMetrics},
  }};
  return kRoutes;
}

}  // namespace onggi::server
