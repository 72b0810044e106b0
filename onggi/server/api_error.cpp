#include "onggi/server/api_error.h"

#include <algorithm>

#include "onggi/core/json.h"

namespace onggi::server {
namespace {

constexpr int kDefaultRetryMs = 1000;

std::string_view type_of(int status) {
  switch (status) {
    case 401: return "authentication_error";
    case 403: return "permission_error";
    case 404: return "not_found_error";
    case 429: return "rate_limit_error";
    default: return status >= 500 ? "server_error" : "invalid_request_error";
  }
}

}  // namespace

ApiError ApiError::of(const Error& error) {
  switch (error.code()) {
    case ErrorCode::kInvalidArgument:
    case ErrorCode::kCorrupt: return {400, error.what()};
    case ErrorCode::kNotFound: return {404, error.what()};
    case ErrorCode::kExhausted: return {400, error.what(), "limit_exceeded"};
    case ErrorCode::kUnavailable: return {503, error.what()};
    default: return {500, error.what()};
  }
}

std::string error_body(const ApiError& error) {
  const auto text_or_null = [](const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); };
  const Json body = {{"error",
                      {{"message", error.message()},
                       {"type", type_of(error.status())},
                       {"param", text_or_null(error.param())},
                       {"code", text_or_null(error.code())}}}};
  return body.dump(-1, ' ', false, Json::error_handler_t::replace);
}

http::Response error_response(const ApiError& error, int retry_after_ms) {
  http::Response response{.status = error.status(), .body = error_body(error)};
  if (error.status() == 429 || error.status() == 503) {
    const int wait_ms = retry_after_ms > 0 ? retry_after_ms : kDefaultRetryMs;
    response.fields.emplace_back("retry-after-ms", std::to_string(wait_ms));
    response.fields.emplace_back("retry-after", std::to_string(std::max(1, (wait_ms + 999) / 1000)));
  }
  if (error.status() == 408 || error.status() == 507) response.fields.emplace_back("x-should-retry", "false");
  return response;
}

}  // namespace onggi::server
