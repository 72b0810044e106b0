#include <array>
#include <cstdio>

#include "onggi/server/routes/route.h"

namespace onggi::server {
namespace {

http::Response ready(const Backend& backend) {
  return backend.is_draining ? error_response(ApiError(503, "the server is stopping", "draining"))
                             : json_response({{"status", "ready"}});
}

http::Response metrics(const Backend& backend) {
  const auto s = backend.engine.snapshot();
  std::string text;
  const std::string labels = "{model_name=\"" + backend.models.base_name() + "\",engine=\"0\"}";
  const auto add = [&](const std::string& name, const char* type, const char* help, double value) {
    char number[40];
    std::snprintf(number, sizeof number, "%.17g", value);
    text +=
        "# HELP " + name + " " + help + "\n# TYPE " + name + " " + type + "\n" + name + labels + " " + number + "\n";
  };
  add("vllm:num_requests_running", "gauge", "Rows in the batch.", static_cast<double>(s.num_running));
  add("vllm:num_requests_waiting", "gauge", "Requests that wait for a place in it.",
      static_cast<double>(s.num_waiting));
  add("vllm:prompt_tokens_total", "counter", "Prompt tokens, cached ones included.",
      static_cast<double>(s.counts.prompt_tokens));
  add("vllm:generation_tokens_total", "counter", "Tokens generated.", static_cast<double>(s.counts.generated_tokens));
  add("vllm:prefix_cache_queries", "counter", "Prompt tokens looked up in the prefix cache.",
      static_cast<double>(s.counts.prompt_tokens));
  add("vllm:prefix_cache_hits", "counter", "Of these, found.", static_cast<double>(s.counts.cached_tokens));
  add("onggi_forced_tokens_total", "counter", "Tokens that a guide left no choice about.",
      static_cast<double>(s.counts.forced_tokens));
  add("onggi_cancelled_total", "counter", "Rows whose client left.", static_cast<double>(s.counts.cancelled_rows));
  add("onggi_open_tokens", "gauge", "Tokens of requests that are not done, as far as they can be foreseen.",
      static_cast<double>(backend.open_tokens));
  text += "# HELP vllm:request_success_total Requests by how they ended.\n# TYPE vllm:request_success_total counter\n";
  for (const auto& [reason, number] : backend.ends()) {
    text += "vllm:request_success_total{model_name=\"" + backend.models.base_name() +
            "\",engine=\"0\",finished_reason=\"" + reason + "\"} " + std::to_string(number) + "\n";
  }
  return {.body = text, .content_type = "text/plain; version=0.0.4; charset=utf-8"};
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
      {.method = "GET", .path = "/metrics", .run = [](Backend& b, const Call& c) { c.exchange->respond(metrics(b)); }},
  }};
  return kRoutes;
}

}  // namespace onggi::server
