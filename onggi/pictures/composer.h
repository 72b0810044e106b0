#pragma once

#include <list>
#include <optional>
#include <string>
#include <vector>

#include "onggi/pictures/arrangement.h"
#include "onggi/pictures/design.h"
#include "onggi/pictures/text_column.h"
#include "onggi/pictures/typeface.h"

namespace onggi::pictures {

/// How a layout wants the card's texts set. Sizes in the composer's unit.
struct ColumnStyle {
  Align align = Align::kLeft;
  Chip chip = Chip::kFilled;
  double expression_size = 9.4, entity_size = 13.5;  ///< Largest.
  bool is_one_headline = false;                      ///< Expression and entity as one text, of `entity_size`.
  bool is_heavy = false;                             ///< The expression in the weight of the entity.
  bool has_aspect = true, has_product = true;
  int max_lines = 4;
};

/// What a layout composes with: the card, what its design chose, and the scene that it draws into. Confined to one
/// thread.
class Composer {
 public:
  Composer(const CardText& card, const Design& design, double width, double height, const FontShelf& fonts);

  const CardText& card;
  const Design& design;
  const Palette& palette;
  const Motif& motif;
  Scene scene;
  Rng rng;
  double width, height;
  double u;     ///< A hundredth of the card's narrow side (of 4:5): sizes follow it.
  Tones tones;  ///< Of the card's ground, which is painted already.
  std::vector<PlacedText> texts;

  bool is_wide() const { return width > 1.2 * height; }
  Tones on(Ground ground) const { return tones_on(palette, ground); }
  /// A ground that is told apart from the card's.
  Ground other_ground() const;

  /// The texts of the card as a column on `ground`; nothing where they have no room. Lasts as long as the composer.
  std::optional<ColumnPlan> plan(const ColumnStyle& style, const Tones& ground, double max_width, double max_height);
  /// One text alone.
  std::optional<ColumnPlan> plan_one(Role role, std::string_view font, double size, double least, int lines,
                                     Color color, double max_width, double max_height);
  void place(const ColumnPlan& plan, Point at, Align align) { draw_column(scene, plan, at, align, texts); }

  /// Fills `area` with the design's arrangement of its motif, seen inside `window` only.
  void draw_art(const Rect& area, const Tones& ground, Path window);
  void draw_pattern(const Rect& area, const Tones& ground, Path window);

 private:
  const ShapedText& shape(std::string text, std::string_view font, double tracking);

  const FontShelf& fonts_;
  const Typeface& face_;
  std::list<ShapedText> shaped_;
};

/// Places texts and art. Drawn once for each card; the sizes of its parts follow the texts.
struct Layout {
  std::string_view name;
  /// False where the card's texts have no room in it.
  bool (*compose)(Composer& c);
  bool uses_pattern = false;  ///< Else an arrangement.
};

/// All of them: the tables of layouts_*.cpp.
std::span<const Layout> layouts();
std::span<const Layout> window_layouts();
std::span<const Layout> type_layouts();

}  // namespace onggi::pictures
