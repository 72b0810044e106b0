#pragma once

#include <exception>
#include <string>

#include "onggi/core/error.h"
#include "onggi/http/message.h"

namespace onggi::recommend {

/// What a client of `display serve` is told. `param` names the member that is wrong; `code` is stable.
class DisplayError : public std::exception {
 public:
  DisplayError(int status, std::string message, std::string code, std::string param = {})
      : status_(status), message_(std::move(message)), code_(std::move(code)), param_(std::move(param)) {}
  static DisplayError of(const Error& error);

  /// {"error": {"message", "param", "code"}}, as a whole answer; 503 says when to come again.
  http::Response response() const;
  int status() const { return status_; }
  const std::string& code() const { return code_; }
  const char* what() const noexcept override { return message_.c_str(); }

 private:
  int status_;
  std::string message_, code_, param_;
};

}  // namespace onggi::recommend
