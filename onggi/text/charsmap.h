#pragma once

#include <map>
#include <string>
#include <string_view>

#include "onggi/text/double_array.h"

namespace onggi::text {

/// SentencePiece's precompiled map of characters: u32 bytes of a double array, the array, then the replacements, each
/// ended by a zero byte; the array's values are their places. Immutable and thread-safe.
class Charsmap {
 public:
  Charsmap() = default;
  /// Throws kCorrupt unless sizes agree. Places are checked where they are used.
  Charsmap(std::string_view bytes, const std::string& where);
  /// The bytes of such a map. Keys are not empty; neither side holds a zero byte.
  static std::string pack(const std::map<std::string, std::string>& replacements);

  /// The text with its characters replaced; invalid bytes become U+FFFD first. `by_grapheme`:
  /// UnigramRules::as_hugging_face.
  std::string apply(std::string_view text, bool by_grapheme) const;

 private:
  std::string apply_longest(std::string_view text) const;
  std::string apply_by_grapheme(std::string_view text) const;
  std::string_view replacement(std::uint32_t place) const;
  /// Appends what the shortest key that `part` begins with stands for; false where there is none.
  bool append_replacement(std::string_view part, std::string& out) const;

  DoubleArray keys_;
  std::string replacements_;
};

}  // namespace onggi::text
