#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace onggi::text {

/// One character read from bytes. Where the bytes are no valid UTF-8 (RFC 3629: overlong forms, surrogates, past
/// U+10FFFF, cut), `valid` is false, `code` is U+FFFD and `length` is 1.
struct Utf8Char {
  char32_t code = 0xFFFD;
  int length = 1;
  bool valid = false;
};

/// The character that begins at `s[at]`; `at < s.size()`.
inline Utf8Char next_utf8(std::string_view s, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(s[at + i]); };
  const auto tail = [&](std::size_t i) { return at + i < s.size() && (byte(i) & 0xC0) == 0x80; };
  const unsigned b0 = byte(0);
  if (b0 < 0x80) return {b0, 1, true};
  if (b0 < 0xC2 || b0 > 0xF4 || !tail(1)) return {};
  const unsigned b1 = byte(1);
  if (b0 < 0xE0) return {(b0 & 0x1Fu) << 6 | (b1 & 0x3Fu), 2, true};
  if (b0 < 0xF0) {
    if ((b0 == 0xE0 && b1 < 0xA0) || (b0 == 0xED && b1 > 0x9F) || !tail(2)) return {};
    return {(b0 & 0x0Fu) << 12 | (b1 & 0x3Fu) << 6 | (byte(2) & 0x3Fu), 3, true};
  }
  if ((b0 == 0xF0 && b1 < 0x90) || (b0 == 0xF4 && b1 > 0x8F) || !tail(2) || !tail(3)) return {};
  return {(b0 & 0x07u) << 18 | (b1 & 0x3Fu) << 12 | (byte(2) & 0x3Fu) << 6 | (byte(3) & 0x3Fu), 4, true};
}

/// Appends a code point; one that is no character (surrogate, past U+10FFFF) becomes U+FFFD.
void append_utf8(std::string& out, char32_t code);

bool is_valid_utf8(std::string_view s);

/// Bytes at the end of `s` that begin a character which is not complete yet: 0 to 3.
std::size_t incomplete_utf8_suffix(std::string_view s);

/// `s` with each invalid byte replaced by U+FFFD.
std::string repair_utf8(std::string_view s);

}  // namespace onggi::text
