#pragma once

#include <span>
#include <string_view>

namespace onggi::server {

/// A file of the page, as the build put it into the binary (scripts/embed_web.py).
struct WebFile {
  std::string_view path;  ///< "/", "/page/style.css" ...
  std::string_view content_type;
  std::string_view etag;  ///< Weak: of the content, however it is encoded.
  std::string_view content;
  std::string_view gzip;  ///< The content, compressed.
};

/// Every file of the page; the first is "/".
std::span<const WebFile> web_files();

}  // namespace onggi::server
