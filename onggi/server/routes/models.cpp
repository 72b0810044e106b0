#include <array>

#include "onggi/server/completion_request.h"
#include "onggi/server/routes/route.h"

namespace onggi::server {
namespace {

http::Response models_of(const Backend& backend, const Call& call) {
  const Caller* caller = call.record->caller.get();
  return json_response(
      backend.models.list([&](const std::string& name) { return caller == nullptr || caller->may_use(name); }));
}

bool may_load(const ServiceOptions& options) { return options.may_load_adapters; }

http::Response load_adapter(Backend& backend, const http::Request& request) {
  const Json json = read_json_body(request.body);
  const std::string name = text_member(json, "lora_name");
  backend.models.load(name, text_member(json, "lora_path"));
  return {.body = "Success: LoRA adapter '" + name + "' added successfully.", .content_type = "text/plain"};
}

http::Response unload_adapter(Backend& backend, const http::Request& request) {
  const std::string name = text_member(read_json_body(request.body), "lora_name");
  if (!backend.models.unload(name))
    throw ApiError(404, "there is no adapter \"" + name + "\"", "model_not_found", "lora_name");
  return {.body = "Success: LoRA adapter '" + name + "' removed successfully.", .content_type = "text/plain"};
}

}  // namespace

std::span<const Route> model_routes() {
  static constexpr std::array<Route, 3> kRoutes = {{
      {.method = "GET",
       .path = "/v1/models",
       .run = [](Backend& b, const Call& c) { c.exchange->respond(models_of(b, c)); },
       .needs_key = true,
       .scope = Scope::kAny},
      {.method = "POST",
       .path = "/v1/load_lora_adapter",
       .run =
           [](Backend& b, const Call& c) {
             answer_on_worker(b, c, [&b, e = c.exchange] { return load_adapter(b, e->request()); });
           },
       .needs_key = true,
       .scope = Scope::kAdmin,
       .is_offered = may_load},
      {.method = "POST",
       .path = "/v1/unload_lora_adapter",
       .run =
           [](Backend& b, const Call& c) {
             answer_on_worker(b, c, [&b, e = c.exchange] { return unload_adapter(b, e->request()); });
           },
       .needs_key = true,
       .scope = Scope::kAdmin,
       .is_offered = may_load},
  }};
  return kRoutes;
}

}  // namespace onggi::server
