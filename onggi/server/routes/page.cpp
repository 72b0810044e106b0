#include <array>

#include "onggi/server/routes/route.h"
#include "onggi/server/web_files.h"

namespace onggi::server {
namespace {

void send_file(Backend&, const Call& call) {
  const http::Request& request = call.exchange->request();
  const auto* file = http::find_file(web_files(), request.path);
  call.exchange->respond(file == nullptr
                             ? error_response(ApiError(404, "there is nothing at " + request.path, "not_found"))
                             : http::file_response(*file, request));
}

}  // namespace

std::span<const Route> page_routes() {
  static constexpr std::array<Route, 4> kRoutes = {{
      {.method = "GET", .path = "/", .run = send_file},
      {.method = "GET", .path = "/page/{}", .run = send_file},
      {.method = "GET", .path = "/page/{}/{}", .run = send_file},
      {.method = "GET", .path = "/page/{}/{}/{}", .run = send_file},
  }};
  return kRoutes;
}

}  // namespace onggi::server
