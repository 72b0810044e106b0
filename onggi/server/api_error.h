#pragma once

#include <exception>
#include <string>
#include <string_view>

#include "onggi/core/error.h"
#include "onggi/http/message.h"

namespace onggi::server {

/// What a client is told: an HTTP status and OpenAI's error body. `code` is stable, `message` is for people.
class ApiError : public std::exception {
 public:
  ApiError(int status, std::string message, std::string code = {}, std::string param = {})
      : status_(status), message_(std::move(message)), code_(std::move(code)), param_(std::move(param)) {}
  /// The status that fits one of the library's errors: 400 for what the caller asked, 404, 503 or 500.
  static ApiError of(const Error& error);

  int status() const { return status_; }
  const std::string& message() const { return message_; }
  const std::string& code() const { return code_; }
  const std::string& param() const { return param_; }
  const char* what() const noexcept override { return message_.c_str(); }

 private:
  int status_;
  std::string message_, code_, param_;
};

/// {"error": {"message", "type", "param", "code"}}; param and code null where there is none.
std::string error_body(const ApiError& error);
/// The same as a whole answer. 429 and 503 say when to come back (`retry_after_ms` of at least 1 where it is known),
/// 408 and 507 say that a repeat is no use.
http::Response error_response(const ApiError& error, int retry_after_ms = 0);

}  // namespace onggi::server
