#include "onggi/recommend/display_error.h"

#include "onggi/core/json.h"

namespace onggi::recommend {

DisplayError DisplayError::of(const Error& error) {
  switch (error.code()) {
    case ErrorCode::kInvalidArgument: return {400, error.message(), "invalid_value"};
    case ErrorCode::kCorrupt: return {400, error.what(), "invalid_body"};
    case ErrorCode::kNotFound: return {404, error.message(), "not_found"};
    case ErrorCode::kUnavailable: return {503, error.what(), "unavailable"};
    default: return {500, error.what(), "internal"};
  }
}

http::Response DisplayError::response() const {
  const Json body = {
      {"error", {{"message", message_}, {"param", param_.empty() ? Json() : Json(param_)}, {"code", code_}}}};
  http::Response response{.status = status_, .body = body.dump(-1, ' ', false, Json::error_handler_t::replace)};
  if (status_ == 503 || status_ == 429) response.fields.emplace_back("retry-after", "1");
  return response;
}

}  // namespace onggi::recommend
