#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "onggi/pictures/path.h"

namespace onggi::pictures {

/// A font file, for shaping and outlines. Immutable and thread-safe.
class Font {
 public:
  /// Throws kNotFound where the file is missing, kCorrupt where it holds no outlines.
  explicit Font(const std::filesystem::path& path);
  ~Font();
  Font(const Font&) = delete;
  Font& operator=(const Font&) = delete;

  /// Whether it draws something for the character (a space counts).
  bool has_glyph(char32_t code) const;

  /// Appends the outlines of `text` (one script, one direction), as HarfBuzz shapes it, to `path`: 1 is the font's
  /// size, y grows down, the line stands on y = 0 and begins at x. Returns where it ends. `tracking` is added between
  /// letters.
  double shape(std::string_view text, bool is_right_to_left, double tracking, double x, Path* path) const;

 private:
  struct Loaded;
  std::unique_ptr<Loaded> loaded_;
};

/// Fonts to try in order: the first that has a character draws it.
using FontChain = std::vector<const Font*>;

/// Fonts by the names of their files, loaded once. Thread-safe.
class FontShelf {
 public:
  /// `folder` holds the files of Debian's fonts-nanum, fonts-nanum-extra and fonts-dejavu-core, directly or in folders
  /// "nanum" and "dejavu"; empty is Debian's own place.
  explicit FontShelf(std::filesystem::path folder = {});

  /// "NanumSquareEB". Throws kNotFound naming the package to install.
  const Font& font(const std::string& name) const;

 private:
  std::filesystem::path folder_;
  mutable std::mutex mutex_;
  mutable std::map<std::string, std::unique_ptr<Font>> fonts_;
};

/// A line of text as one outline, with its advance width; size 1, standing on y = 0.
struct LineOutline {
  Path path;
  double width = 0;
};

/// Shapes a line through a chain, run by run in the order of the screen. A character that no font has is drawn by none:
/// see `first_missing`.
LineOutline outline_line(std::string_view line, const FontChain& chain, double tracking);

/// The first character of `text` that no font of the chain has.
std::optional<char32_t> first_missing(std::string_view text, const FontChain& chain);

}  // namespace onggi::pictures
