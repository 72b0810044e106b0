#include "onggi/text/utf8.h"

namespace onggi::text {

void append_utf8(std::string& out, char32_t code) {
  if (code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) code = 0xFFFD;
  const auto put = [&](char32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0 | code >> 6);
    put(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    put(0xE0 | code >> 12);
    put(0x80 | (code >> 6 & 0x3F));
    put(0x80 | (code & 0x3F));
  } else {
    put(0xF0 | code >> 18);
    put(0x80 | (code >> 12 & 0x3F));
    put(0x80 | (code >> 6 & 0x3F));
    put(0x80 | (code & 0x3F));
  }
}

bool is_valid_utf8(std::string_view s) {
  for (std::size_t at = 0; at < s.size();) {
    const Utf8Char c = next_utf8(s, at);
    if (!c.valid) return false;
    at += static_cast<std::size_t>(c.length);
  }
  return true;
}

std::size_t incomplete_utf8_suffix(std::string_view s) {
  for (std::size_t n = 1; n <= 3 && n <= s.size(); ++n) {
    const std::size_t at = s.size() - n;
    const auto lead = static_cast<unsigned char>(s[at]);
    if ((lead & 0xC0) == 0x80) continue;
    const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
    if (length <= n) return 0;
    // Completed with the smallest and largest tail byte: if neither is a character, more bytes would not help.
    for (const char fill : {'\x80', '\xBF'}) {
      std::string whole(s.substr(at));
      whole.resize(length, fill);
      if (next_utf8(whole, 0).valid) return n;
    }
    return 0;
  }
  return 0;
}

std::string repair_utf8(std::string_view s) {
  if (is_valid_utf8(s)) return std::string(s);
  std::string out;
  for (std::size_t at = 0; at < s.size();) {
    const Utf8Char c = next_utf8(s, at);
    append_utf8(out, c.code);
    at += static_cast<std::size_t>(c.length);
  }
  return out;
}

}  // namespace onggi::text
