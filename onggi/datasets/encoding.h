#pragma once

#include <string_view>

namespace onggi::datasets {

/// Checks that a file's bytes are UTF-8 text without NUL and returns them without a byte order mark.
/// Throws kCorrupt naming the file, line, byte offset and the likely encoding (CP949, UTF-16, mixed) otherwise.
std::string_view require_utf8(std::string_view bytes, std::string_view file);

/// Offset of the first byte that does not belong to well-formed UTF-8 (RFC 3629), or npos.
std::size_t find_invalid_utf8(std::string_view bytes);

}  // namespace onggi::datasets
