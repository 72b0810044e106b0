#pragma once

#include <span>
#include <string_view>

namespace onggi::recommend {

/// A file of the page of `display serve`, as the build put it into the binary (scripts/embed_display.py).
struct PageFile {
  std::string_view path;  ///< "/", "/page/display/style.css" ...
  std::string_view content_type;
  std::string_view content;
};

std::span<const PageFile> page_files();

}  // namespace onggi::recommend
