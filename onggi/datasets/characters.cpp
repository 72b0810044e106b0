#include "onggi/datasets/characters.h"

#include "onggi/text/unicode.h"
#include "onggi/text/utf8.h"

namespace onggi::datasets {

std::u32string to_code_points(std::string_view text) {
  std::u32string code_points;
  code_points.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    const text::Utf8Char c = text::next_utf8(text, i);
    code_points.push_back(c.code);
    i += static_cast<std::size_t>(c.length);
  }
  return code_points;
}

std::string to_utf8(std::u32string_view code_points) {
  std::string text;
  text.reserve(code_points.size() * 3);
  for (const char32_t c : code_points) text::append_utf8(text, c);
  return text;
}

std::size_t num_characters(std::string_view text) {
  std::size_t count = 0;
  for (const char byte : text) count += (static_cast<unsigned char>(byte) & 0xC0) != 0x80;
  return count;
}

std::string to_nfc(std::string_view text) { return text::to_nfc(text); }

bool is_nfc(std::string_view text) { return text::to_nfc(text) == text; }

std::string collapse_spaces(std::string_view text) {
  std::u32string result;
  for (const char32_t c : to_code_points(text)) {
    const bool is_space = c == U' ' || (c >= U'\t' && c <= U'\r') || c == 0xA0 || c == 0x3000;
    if (!is_space) {
      result.push_back(c);
    } else if (!result.empty() && result.back() != U' ') {
      result.push_back(U' ');
    }
  }
  if (!result.empty() && result.back() == U' ') result.pop_back();
  return to_utf8(result);
}

}  // namespace onggi::datasets
