#include "onggi/server/deadline.h"

#include <charconv>
#include <string>

#include "onggi/server/api_error.h"

namespace onggi::server {

std::chrono::steady_clock::time_point deadline_of(const http::Request& request) {
  const std::string_view text = request.field("x-request-timeout-ms");
  if (text.empty()) return std::chrono::steady_clock::time_point::max();
  constexpr int kMaxMs = 86'400'000;
  int ms = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), ms);
  if (end.ec != std::errc() || end.ptr != text.data() + text.size() || ms < 1 || ms > kMaxMs) {
    throw ApiError(400,
                   "x-request-timeout-ms: expected a whole number from 1 to " + std::to_string(kMaxMs) + ", found \"" +
                       std::string(text) + "\"",
                   "invalid_value", "x-request-timeout-ms");
  }
  return std::chrono::steady_clock::now() + std::chrono::milliseconds(ms);
}

}  // namespace onggi::server
