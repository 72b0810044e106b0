#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace onggi::text {

/// What the pre-tokenizer patterns ask of a character, as bits: \p{L}, \p{N}, \s (White_Space). ICU's data.
enum CharClass : std::uint8_t { kLetter = 1, kNumber = 2, kSpace = 4 };

/// Bits of CharClass; 0 for everything else. Thread-safe; the table is filled on first use.
std::uint8_t char_class(char32_t code);

/// Normalisation form C (UAX 15). Invalid bytes become U+FFFD unless `s` is in form C already and comes back unchanged.
std::string to_nfc(std::string_view s);

/// Full case mapping of one character, without locale; may be several characters.
std::string to_upper(char32_t code);
std::string to_lower(char32_t code);

/// A regular expression in ICU's syntax, compiled once. Immutable and thread-safe.
class UnicodeRegex {
 public:
  /// Throws kCorrupt with the offset where `pattern` can't be read.
  explicit UnicodeRegex(const std::string& pattern);
  ~UnicodeRegex();
  UnicodeRegex(UnicodeRegex&&) noexcept;
  UnicodeRegex& operator=(UnicodeRegex&&) noexcept;

  /// Calls `found(begin, end)` in bytes for each match, left to right. Throws kExhausted if matching takes too long.
  void for_each_match(std::string_view text, const std::function<void(std::size_t, std::size_t)>& found) const;

 private:
  struct Compiled;
  std::unique_ptr<Compiled> compiled_;
};

}  // namespace onggi::text
