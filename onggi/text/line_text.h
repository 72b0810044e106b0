#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace onggi::text {

/// One line's worth of text for display: form NFC, runs of white space as one space, none at the ends; characters that
/// show nothing (zero-width ones, marks of direction, soft hyphens, tags) are left out. Invalid bytes become U+FFFD.
std::string tidy_line(std::string_view s);

/// A character that stands for nothing which could be shown.
struct HiddenChar {
  char32_t code = 0;
  std::size_t index = 0;  ///< In characters from 0.
  std::string_view
      kind;  ///< "a control character", "unassigned", "for private use", "a replacement for invalid bytes".
};

/// The first of them in `s`.
std::optional<HiddenChar> find_hidden_char(std::string_view s);

/// Where a line of `s` may end, in bytes, ascending; the last is s.size(). As UAX 14 says, but never inside a Korean
/// word
/// ("keep-all" of CSS): those end at spaces only. A space stays at the end of what it follows.
std::vector<std::size_t> line_breaks(std::string_view s);

/// A stretch of one direction.
struct DirectionRun {
  std::size_t begin = 0, end = 0;  ///< Bytes.
  bool is_right_to_left = false;
};

/// The runs of a line in the order in which they stand on the screen, left to right (UAX 9).
std::vector<DirectionRun> direction_runs(std::string_view line);

/// "U+1F600".
std::string code_point_text(char32_t code);

}  // namespace onggi::text
