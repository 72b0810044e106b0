#pragma once

#include <string>
#include <string_view>

namespace onggi::formats {

/// A name out of a file, fit for a message: between quotes, cut to 80 bytes, control characters and bytes that are not
/// UTF-8 as \xHH, so that a hostile file can't drive the terminal.
std::string quote(std::string_view name);

/// Whether the bytes are UTF-8 (RFC 3629).
bool is_utf8(std::string_view text);

}  // namespace onggi::formats
