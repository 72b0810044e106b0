#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace onggi::text {

/// What the pre-tokenizer patterns ask of a character, as bits: \p{L}, \p{N}, \s (White_Space). ICU's data.
enum CharClass : std::uint8_t { kLetter = 1, kNumber = 2, kSpace = 4 };

/// Bits of CharClass; 0 for everything else. Thread-safe; the table is filled on first use.
std::uint8_t char_class(char32_t code);

/// Normalisation form C (UAX 15). Invalid bytes become U+FFFD unless `s` is in form C already and comes back unchanged.
std::string to_nfc(std::string_view s);

/// Normalisation form D; invalid bytes become U+FFFD.
std::string to_nfd(std::string_view s);

/// The two characters that compose to `code` in form C; nullopt where there are none.
std::optional<std::pair<char32_t, char32_t>> canonical_pair(char32_t code);

/// What BERT's normaliser asks of a character, as bits. The reference's tables are those of Unicode 8: what came later
/// is neither mark nor punctuation nor control there.
enum BertClass : std::uint8_t { kBertRemoved = 1, kBertSpace = 2, kBertPunctuation = 4, kBertMark = 8, kBertHan = 16 };
std::uint8_t bert_class(char32_t code);

/// Calls `found(begin, end)` in bytes for each extended grapheme cluster (UAX 29), left to right. `text` is valid
/// UTF-8.
void for_each_grapheme(std::string_view text, const std::function<void(std::size_t, std::size_t)>& found);

/// NFKC with case folded and ignorable characters left out (UAX 31's NFKC_Casefold): for keys that are compared, not for
/// text that is kept. Invalid bytes become U+FFFD.
std::string to_nfkc_casefold(std::string_view s);

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
