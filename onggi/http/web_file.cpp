#include "onggi/http/web_file.h"

#include <algorithm>

namespace onggi::http {
namespace {

// Nothing from elsewhere, nothing inline, in nobody's frame.
constexpr std::string_view kPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'";

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

/// Calls `is_it` with each member of a comma-separated field until it is true.
template <class IsIt>
bool any_member(std::string_view list, IsIt is_it) {
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    if (is_it(trimmed(list.substr(0, comma)))) return true;
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return false;
}

/// RFC 9110 section 12.5.3; a weight of 0 refuses.
bool accepts_gzip(std::string_view accept_encoding) {
  return any_member(accept_encoding, [](std::string_view member) {
    const std::size_t semicolon = std::min(member.find(';'), member.size());
    const std::string_view weight = trimmed(member.substr(std::min(semicolon + 1, member.size())));
    const bool is_refused = weight.starts_with("q=0") && weight.find_first_of("123456789") == std::string_view::npos;
    return equals_ignoring_case(trimmed(member.substr(0, semicolon)), "gzip") && !is_refused;
  });
}

}  // namespace

const WebFile* find_file(std::span<const WebFile> files, std::string_view path) {
  const auto found = std::ranges::find(files, path, &WebFile::path);
  return found == files.end() ? nullptr : &*found;
}

Response file_response(const WebFile& file, const Head& head) {
  Response response{.content_type = std::string(file.content_type),
                    .fields = {{"etag", std::string(file.etag)},
                               {"cache-control", "no-cache"},
                               {"vary", "accept-encoding"},
                               {"content-security-policy", std::string(kPolicy)},
                               {"x-content-type-options", "nosniff"},
                               {"referrer-policy", "no-referrer"}}};
  const auto is_this = [&](std::string_view tag) { return tag == "*" || tag == file.etag; };
  if (any_member(head.field("if-none-match"), is_this)) {
    response.status = 304;
  } else if (accepts_gzip(head.field("accept-encoding"))) {
    response.body = file.gzip;
    response.fields.emplace_back("content-encoding", "gzip");
  } else {
    response.body = file.content;
  }
  return response;
}

}  // namespace onggi::http
