#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "onggi/pictures/font.h"

namespace onggi::pictures {

/// Text shaped once at size 1, for being broken into lines of any width and drawn at any size.
class ShapedText {
 public:
  /// `text` is tidy (`text::tidy_line`) and every character is in the chain.
  ShapedText(std::string text, const FontChain& chain, double tracking);

  const std::string& text() const { return text_; }

  struct Line {
    std::string text;
    LineOutline outline;
  };

  /// The text in `count` lines whose widest is as narrow as can be; fewer where there are fewer places to break.
  const std::vector<Line>& lines(int count) const;
  /// Of the widest of `lines(count)`, at size 1.
  double width(int count) const;
  /// The longest piece that can't be broken.
  std::string_view longest_piece() const;

 private:
  struct Broken {
    std::vector<Line> lines;
    double width = 0;
  };
  Broken break_into(int count) const;

  std::string text_;
  FontChain chain_;
  double tracking_;
  std::vector<std::size_t> ends_;       ///< Of pieces, in bytes.
  std::vector<double> starts_, stops_;  ///< Where pieces begin and end along one line.
  mutable std::vector<std::optional<Broken>> broken_;
};

struct TextLimits {
  double max_width = 0, max_height = 0;
  double min_size = 0, max_size = 0;  ///< Pixels of the em.
  int max_lines = 1;
  double leading = 1.3;  ///< From line to line, in ems.
};

/// How a text goes into a place: the largest size, fewer lines on a tie.
struct TextFit {
  int num_lines = 1;
  double size = 0;
  double width = 0, height = 0;  ///< Of the ink's frame: see `kTextAscent`.
};

/// The frame of a line of text above and below its foot, in ems: what Hangul and Latin letters of the fonts keep to.
constexpr double kTextAscent = 0.86, kTextDescent = 0.22;

/// Nothing where even the smallest size has no room.
std::optional<TextFit> fit_text(const ShapedText& text, const TextLimits& limits);

}  // namespace onggi::pictures
