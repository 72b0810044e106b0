#include "onggi/pictures/composer.h"

#include <algorithm>

namespace onggi::pictures {

Composer::Composer(const CardText& card_text, const Design& chosen, double w, double h, const FontShelf& fonts)
    : card(card_text),
      design(chosen),
      palette(palettes()[static_cast<std::size_t>(chosen.palette)]),
      motif(motifs()[static_cast<std::size_t>(chosen.motif)]),
      scene(w, h),
      rng(chosen.seed, chosen.art),
      width(w),
      height(h),
      u(std::min({w, h, std::max(w, h) * 0.8}) / 100),
      tones(tones_on(palette, chosen.ground)),
      fonts_(fonts),
      face_(typefaces()[static_cast<std::size_t>(chosen.typeface)]) {
  scene.fill(Path::rect(scene.area()), tones.ground);
}

Ground Composer::other_ground() const {
  switch (design.ground) {
    case Ground::kPaper: return design.pattern % 3 == 0 ? Ground::kMain : Ground::kTint;
    case Ground::kTint: return design.pattern % 3 == 0 ? Ground::kMain : Ground::kPaper;
    case Ground::kMain: return design.pattern % 3 == 0 ? Ground::kDeep : Ground::kTint;
    case Ground::kDeep: return design.pattern % 3 == 0 ? Ground::kPaper : Ground::kMain;
  }
  return Ground::kTint;
}

const ShapedText& Composer::shape(std::string text, std::string_view font, double tracking) {
  return shaped_.emplace_back(std::move(text), chain_of(fonts_, font), tracking);
}

std::optional<ColumnPlan> Composer::plan(const ColumnStyle& s, const Tones& ground, double max_width,
                                         double max_height) {
  std::vector<ColumnItem> items;
  if (s.has_aspect) {
    const bool is_filled = s.chip == Chip::kFilled;
    const Color chip = s.chip == Chip::kDot ? ground.pop : s.chip == Chip::kRule ? ground.ink : ground.accent;
    // On a filled chip the ground's own colour is what reads best against the accent.
    items.push_back({.role = Role::kAspect,
                     .text = &shape(card.aspect, face_.small, -0.01),
                     .min_size = 2.9 * u,
                     .max_size = 3.7 * u,
                     .max_lines = 2,
                     .color = is_filled ? ground.ground : ground.accent,
                     .chip = s.chip,
                     .chip_color = chip});
  }
  if (s.is_one_headline) {
    items.push_back({.role = Role::kHeadline,
                     .text = &shape(card.expression + " " + card.entity, face_.heavy, face_.tracking),
                     .min_size = 4.6 * u,
                     .max_size = s.entity_size * u,
                     .max_lines = s.max_lines + 2,
                     .leading = 1.26,
                     .gap = 4.2 * u,
                     .color = ground.ink});
  } else {
    const std::string_view font = s.is_heavy ? face_.heavy : face_.medium;
    items.push_back({.role = Role::kExpression,
                     .text = &shape(card.expression, font, face_.tracking),
                     .min_size = 4.4 * u,
                     .max_size = s.expression_size * u,
                     .max_lines = s.max_lines,
                     .leading = 1.28,
                     .gap = 4.2 * u,
                     .color = ground.ink});
    items.push_back({.role = Role::kEntity,
                     .text = &shape(card.entity, face_.heavy, face_.tracking),
                     .min_size = 5.2 * u,
                     .max_size = s.entity_size * u,
                     .max_lines = 3,
                     .leading = 1.16,
                     .gap = 2.4 * u,
                     .color = ground.accent});
  }
  const std::string products = products_line(card);
  if (s.has_product && !products.empty()) {
    items.push_back({.role = Role::kProduct,
                     .text = &shape(products, face_.small, -0.01),
                     .min_size = 2.3 * u,
                     .max_size = 2.9 * u,
                     .max_lines = 3,
                     .leading = 1.4,
                     .gap = 4.6 * u,
                     .color = ground.ink});
  }
  return plan_column(items, max_width, max_height);
}

std::optional<ColumnPlan> Composer::plan_one(Role role, std::string_view font, double size, double least, int lines,
                                             Color color, double max_width, double max_height) {
  const std::string text = role == Role::kAspect       ? card.aspect
                           : role == Role::kEntity     ? card.entity
                           : role == Role::kExpression ? card.expression
                           : role == Role::kProduct    ? products_line(card)
                                                       : card.expression + " " + card.entity;
  const std::string_view file = font == "heavy" ? face_.heavy : font == "medium" ? face_.medium : face_.small;
  const std::vector<ColumnItem> items = {{.role = role,
                                          .text = &shape(text, file, font == "small" ? -0.01 : face_.tracking),
                                          .min_size = least * u,
                                          .max_size = size * u,
                                          .max_lines = lines,
                                          .leading = role == Role::kProduct ? 1.4 : 1.2,
                                          .color = color}};
  return plan_column(items, max_width, max_height);
}

void Composer::draw_art(const Rect& area, const Tones& ground, Path window) {
  const ClipScope clip(scene, std::move(window));
  arrangements()[static_cast<std::size_t>(design.arrangement)].draw({scene, area, motif, ground, rng});
}

void Composer::draw_pattern(const Rect& area, const Tones& ground, Path window) {
  const ClipScope clip(scene, std::move(window));
  patterns()[static_cast<std::size_t>(design.pattern)].draw({scene, area, motif, ground, rng});
}

}  // namespace onggi::pictures
