#include "onggi/http/message.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>

#include "onggi/core/error.h"

namespace onggi::http {
namespace {

constexpr std::array<std::pair<int, std::string_view>, 26> kReasons = {{
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {304, "Not Modified"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {411, "Length Required"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {422, "Unprocessable Content"},
    {424, "Failed Dependency"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {499, "Client Closed Request"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {507, "Insufficient Storage"},
}};

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

/// IMF-fixdate (RFC 9110 section 5.6.7).
std::string date_text() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  char text[64];
  const std::size_t size = std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts);
  return {text, size};
}

void add_field(std::string& text, std::string_view name, std::string_view value) {
  require(
      name.find_first_of("\r\n") == std::string_view::npos && value.find_first_of("\r\n") == std::string_view::npos,
      [&] { return "header field " + std::string(name) + " holds a line break"; }, ErrorCode::kInternal);
  text.append(name).append(": ").append(value).append("\r\n");
}

}  // namespace

std::string_view reason_of(int status) {
  const auto found = std::ranges::find(kReasons, status, [](const auto& row) { return row.first; });
  return found == kReasons.end() ? "Unknown" : found->second;
}

std::string head_text(const Response& response, std::string_view request_id, std::int64_t body_bytes,
                      bool keeps_alive) {
  std::string text =
      "HTTP/1.1 " + std::to_string(response.status) + " " + std::string(reason_of(response.status)) + "\r\n";
  add_field(text, "date", date_text());
  if (!response.content_type.empty()) add_field(text, "content-type", response.content_type);
  add_field(text, "x-request-id", request_id);
  for (const auto& [name, value] : response.fields) add_field(text, name, value);
  if (body_bytes == kChunked) {
    add_field(text, "transfer-encoding", "chunked");
  } else if (body_bytes >= 0 && response.status != 304) {  // there it would be the length of what the client has
    add_field(text, "content-length", std::to_string(body_bytes));
  }
  if (!keeps_alive || body_bytes == kUntilClose) add_field(text, "connection", "close");
  return text + "\r\n";
}

std::string chunk_text(std::string_view bytes) {
  char size[24];
  std::snprintf(size, sizeof size, "%zx\r\n", bytes.size());
  return std::string(size).append(bytes).append("\r\n");
}

std::string lower_case(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), lower);
  return out;
}

bool equals_ignoring_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

bool is_request_id(std::string_view text) {
  return !text.empty() && text.size() <= 128 && std::ranges::all_of(text, [](char c) {
    return (lower(c) >= 'a' && lower(c) <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
  });
}

std::string_view Head::field(std::string_view name) const {
  const auto found = std::ranges::find(fields, name, [](const auto& field) -> std::string_view { return field.first; });
  return found == fields.end() ? std::string_view() : std::string_view(found->second);
}

}  // namespace onggi::http
