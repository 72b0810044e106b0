#include "onggi/server/routes/route.h"

#include <array>

namespace onggi::server {

const std::vector<const Route*>& all_routes() {
  static const std::vector<const Route*> kAll = [] {
    std::vector<const Route*> all;
    for (const auto routes : std::array{completion_routes(), embedding_routes(), model_routes(), token_routes(),
                                        status_routes(), page_routes(), file_routes(), batch_routes()}) {
      for (const Route& route : routes) all.push_back(&route);
    }
    return all;
  }();
  return kAll;
}

bool matches(std::string_view pattern, std::string_view path, std::vector<std::string>& captured) {
  constexpr std::string_view kAny = "{}";
  captured.clear();
  while (true) {
    const std::size_t place = pattern.find(kAny);
    if (place == std::string_view::npos) return pattern == path;
    if (!path.starts_with(pattern.substr(0, place))) return false;
    pattern.remove_prefix(place + kAny.size());
    path.remove_prefix(place);
    const std::string_view segment = path.substr(0, path.find('/'));
    if (segment.empty()) return false;
    captured.emplace_back(segment);
    path.remove_prefix(segment.size());
  }
}

http::Response json_response(const Json& json) {
  return {.body = json.dump(-1, ' ', false, Json::error_handler_t::replace)};
}

std::string text_member(const Json& json, const char* name) {
  if (!json.contains(name) || !json[name].is_string())
    throw ApiError(400, std::string(name) + ": expected a text", "invalid_value", name);
  return json[name].get<std::string>();
}

http::Response answer_of(const std::function<http::Response()>& make) {
  try {
    return make();
  } catch (const ApiError& e) {
    return error_response(e);
  } catch (const Error& e) {
    return error_response(ApiError::of(e));
  } catch (const std::exception& e) {
    return error_response(ApiError(500, e.what()));
  }
}

void answer_on_worker(Backend& backend, const Call& call, std::function<http::Response()> make) {
  backend.worker.post([exchange = call.exchange, make = std::move(make)] { exchange->respond(answer_of(make)); });
}

}  // namespace onggi::server
