#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace onggi::datasets {

/// Code points of valid UTF-8 (what `read_rows` lets through); a stray byte becomes U+FFFD.
std::u32string to_code_points(std::string_view text);
std::string to_utf8(std::u32string_view code_points);
/// Number of code points.
std::size_t num_characters(std::string_view text);

/// Unicode normalisation form C.
std::string to_nfc(std::string_view text);  // see text/unicode.h
bool is_nfc(std::string_view text);

/// A composed Hangul syllable, U+AC00 to U+D7A3.
constexpr bool is_hangul(char32_t c) { return c >= 0xAC00 && c <= 0xD7A3; }

/// Index of a syllable's final consonant: 0 none, 4 n, 8 l, 17 b, 20 ss ... (Unicode 3.12); -1 if not a syllable.
constexpr int final_consonant(char32_t c) { return is_hangul(c) ? static_cast<int>((c - 0xAC00) % 28) : -1; }

/// The same syllable with another final consonant.
constexpr char32_t with_final_consonant(char32_t syllable, int final) {
  return syllable - (syllable - 0xAC00) % 28 + static_cast<char32_t>(final);
}

/// Runs of white space (ASCII and U+3000, U+00A0) become one space; none at the ends.
std::string collapse_spaces(std::string_view text);

}  // namespace onggi::datasets
