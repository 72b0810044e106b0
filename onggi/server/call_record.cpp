#include "onggi/server/call_record.h"

#include <cmath>
#include <ctime>

#include "onggi/core/json.h"

namespace onggi::server {
namespace {

/// RFC 3339, UTC, with milliseconds.
std::string now_text() {
  std::timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  std::tm parts{};
  gmtime_r(&now.tv_sec, &parts);
  char text[40];
  const std::size_t size = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
  const std::string ms = std::to_string(1000 + now.tv_nsec / 1'000'000);
  return std::string(text, size) + "." + ms.substr(1) + "Z";
}

/// To the microsecond: what comes after is noise.
double rounded(double milliseconds) { return std::round(milliseconds * 1000.0) / 1000.0; }

}  // namespace

std::string CallFacts::line(const std::string& caller_name) const {
  const auto text_or_null = [](const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); };
  const auto time_or_null = [](const std::optional<double>& ms) { return ms ? Json(rounded(*ms)) : Json(nullptr); };
  Json json = {{"time", now_text()},
               {"request_id", request_id},
               {"peer", peer},
               {"key", text_or_null(caller_name)},
               {"method", method},
               {"path", path},
               {"status", status},
               {"sent_bytes", sent_bytes},
               {"milliseconds", rounded(milliseconds)}};
  if (!model.empty()) {
    json["model"] = model;
    json["adapter"] = text_or_null(adapter);
    json["prompt_tokens"] = prompt_tokens;
    json["cached_tokens"] = cached_tokens;
    json["generated_tokens"] = generated_tokens;
    json["queue_ms"] = time_or_null(queue_ms);
    json["first_token_ms"] = time_or_null(first_token_ms);
    json["total_ms"] = time_or_null(total_ms);
    json["finish_reason"] = text_or_null(finish_reason);
  }
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace onggi::server
