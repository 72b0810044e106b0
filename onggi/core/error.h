#pragma once

#include <concepts>
#include <exception>
#include <source_location>
#include <string>
#include <string_view>
#include <utility>

namespace onggi {

/// What kind of thing went wrong. The short list is on purpose: callers branch on it, people read the message.
enum class ErrorCode {
  kInvalidArgument,  ///< The caller asked for something that can't be (flag, shape, option).
  kNotFound,         ///< A file, tensor, row or name that should be there is not.
  kCorrupt,          ///< Outside bytes do not follow their format.
  kUnavailable,      ///< May work later or elsewhere (disk full, no device, server down).
  kExhausted,        ///< A limit was reached (memory plan, context length, budget).
  kCancelled,        ///< Stopped on request.
  kInternal,         ///< Our own fault.
};

std::string_view error_code_name(ErrorCode code);

/// The one exception type. `what()` is "message (where)"; a message names what failed, what was expected and found,
/// and the way out if there is one. `where` is the file, row or key of the input, not the source line.
class Error : public std::exception {
 public:
  Error(ErrorCode code, std::string message, std::string where = {});

  ErrorCode code() const noexcept { return code_; }
  const std::string& message() const noexcept { return message_; }
  const std::string& where() const noexcept { return where_; }
  const char* what() const noexcept override { return text_.c_str(); }

 private:
  ErrorCode code_;
  std::string message_;
  std::string where_;
  std::string text_;
};

/// Throws kInvalidArgument with the message unless `ok`. `message` is a string or a callable that makes one, so that
/// the text costs nothing on the good path.
template <class Message>
void require(bool ok, Message&& message, ErrorCode code = ErrorCode::kInvalidArgument, std::string_view where = {}) {
  if (ok) return;
  if constexpr (std::invocable<Message>) {
    throw Error(code, std::forward<Message>(message)(), std::string(where));
  } else {
    throw Error(code, std::string(std::forward<Message>(message)), std::string(where));
  }
}

}  // namespace onggi
