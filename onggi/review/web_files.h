#pragma once

#include <span>

#include "onggi/http/web_file.h"

namespace onggi::review {

/// Every file of the page; the first is "/".
std::span<const http::WebFile> web_files();

}  // namespace onggi::review
