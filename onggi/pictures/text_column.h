#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "onggi/pictures/palette.h"
#include "onggi/pictures/scene.h"
#include "onggi/pictures/text_block.h"

namespace onggi::pictures {

/// What a text of a card is.
enum class Role { kAspect, kExpression, kEntity, kHeadline, kProduct };
std::string_view role_name(Role role);

/// How the aspect stands out.
enum class Chip { kNone, kFilled, kOutlined, kRule, kDot };

/// A text of a column, with its bounds; sizes in pixels.
struct ColumnItem {
  Role role = Role::kExpression;
  const ShapedText* text = nullptr;
  double min_size = 0, max_size = 0;
  int max_lines = 1;
  double leading = 1.3;
  double gap = 0;  ///< To what is above it, where this text has its largest size.
  Color color;
  Chip chip = Chip::kNone;
  Color chip_color;
  bool is_bold = true;
};

enum class Align { kLeft, kCenter };

/// Texts below one another, with the sizes at which they fit.
struct ColumnPlan {
  struct Row {
    ColumnItem item;
    TextFit fit;
    double top = 0;     ///< Of the text's frame, from the column's top.
    double inset = 0;   ///< Of the text from the chip's edge.
    double height = 0;  ///< With the chip.
  };
  std::vector<Row> rows;
  double width = 0, height = 0;
};

/// Nothing where the texts have no room even at their smallest sizes. All shrink together; none is cut.
std::optional<ColumnPlan> plan_column(std::span<const ColumnItem> items, double width, double height);

/// A text as it stands in the picture.
struct PlacedText {
  Role role = Role::kExpression;
  std::string text;
  std::vector<std::string> lines;
  double size = 0;
  bool is_bold = true;
  Color color;
  Path outline;
  Rect box;  ///< Of the outline.

  /// What WCAG 2.2 (1.4.3) asks: 3 for large text (24 px, or bold from 18.66 px), else 4.5.
  float needed_contrast() const { return size >= 24 || (is_bold && size >= 18.66) ? 3.0f : 4.5f; }
};

/// Sets the column with its left upper corner, or the middle of its upper edge, at `at`: draws its chips and appends
/// its texts, which are to be drawn last.
void draw_column(Scene& scene, const ColumnPlan& plan, Point at, Align align, std::vector<PlacedText>& texts);

}  // namespace onggi::pictures
