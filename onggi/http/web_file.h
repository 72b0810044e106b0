#pragma once

#include <span>
#include <string_view>

#include "onggi/http/message.h"

namespace onggi::http {

/// A file of a page, as the build put it into the binary (scripts/embed_web.py).
struct WebFile {
  std::string_view path;  ///< "/", "/page/style.css" ...
  std::string_view content_type;
  std::string_view etag;  ///< Weak: of the content, however it is encoded.
  std::string_view content;
  std::string_view gzip;  ///< The content, compressed.
};

/// The file of the head's path; null if there is none.
const WebFile* find_file(std::span<const WebFile> files, std::string_view path);
/// The file with what keeps the page to itself: its own scripts alone, in nobody's frame. 304 where the client has it,
/// compressed where it takes that.
Response file_response(const WebFile& file, const Head& head);

}  // namespace onggi::http
