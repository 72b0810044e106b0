// Layouts in which art and text have areas of their own.

#include <algorithm>
#include <array>
#include <cmath>

#include "onggi/pictures/composer.h"

namespace onggi::pictures {
namespace {

Chip any_chip(Composer& c) {
  static constexpr std::array<Chip, 5> kChips = {Chip::kFilled, Chip::kOutlined, Chip::kRule, Chip::kDot,
                                                 Chip::kFilled};
  return kChips[static_cast<std::size_t>(c.rng.below(5))];
}

/// Chips that look right in the middle of a line.
Chip centered_chip(Composer& c) {
  return c.rng.chance(0.5) ? Chip::kFilled : c.rng.chance(0.6) ? Chip::kOutlined : Chip::kNone;
}

/// An arch: round above, square below.
Path arch_path(const Rect& r) {
  const double radius = std::min(r.w / 2, r.h);
  Path p = Path::arc({r.x + r.w / 2, r.y + radius}, radius, 180, 360);
  p.line_to({r.right(), r.bottom()}).line_to({r.x, r.bottom()}).close();
  return p;
}

/// Text at the left (centred upright) and its area's rest at the right, for wide cards.
struct Halves {
  ColumnPlan text;
  Rect art;
};

std::optional<Halves> halve(Composer& c, const ColumnStyle& style, const Tones& ground, double margin) {
  const double text_width = c.width * 0.5 - margin;
  auto plan = c.plan(style, ground, text_width, c.height - 2 * margin);
  if (!plan) return std::nullopt;
  return Halves{*plan, {c.width * 0.54, 0, c.width * 0.46, c.height}};
}

bool compose_window(Composer& c) {
  const double m = 8 * c.u;
  const int shape = c.rng.below(4);
  const bool is_centered = !c.is_wide() && shape != 3;
  ColumnStyle style{.align = is_centered ? Align::kCenter : Align::kLeft,
                    .chip = is_centered ? centered_chip(c) : any_chip(c),
                    .expression_size = 8.2,
                    .entity_size = 11.5};
  const Tones inner = c.on(c.other_ground());
  Rect art;
  if (c.is_wide()) {
    const auto halves = halve(c, style, c.tones, m);
    if (!halves) return false;
    c.place(halves->text, {m, (c.height - halves->text.height) / 2}, Align::kLeft);
    art = halves->art.inset(m);
  } else {
    const auto plan = c.plan(style, c.tones, c.width - 2 * m, c.height * 0.5);
    if (!plan) return false;
    const double top = c.height - m - plan->height;
    c.place(*plan, {is_centered ? c.width / 2 : m, top}, style.align);
    art = {m, m, c.width - 2 * m, top - m - 6 * c.u};
  }
  Path window;
  if (shape == 0) {
    const double w = std::min(art.w, art.h * 0.92);
    art = {art.center().x - w / 2, art.y, w, art.h};
    window = arch_path(art);
  } else if (shape == 1) {
    const double r = std::min(art.w, art.h) / 2;
    art = {art.center().x - r, art.center().y - r, 2 * r, 2 * r};
    window = Path::circle(art.center(), r);
  } else if (shape == 2) {
    const double w = std::min(art.w, art.h * 1.1);
    art = {art.center().x - w / 2, art.y, w, art.h};
    window = Path::round_rect(art, 30 * c.u);
  } else {
    window = Path::round_rect(art, 4 * c.u);
  }
  c.scene.fill(window,
               Paint::linear({art.x, art.y}, {art.x, art.bottom()}, inner.ground, mix(inner.ground, inner.soft, 0.6f)));
  c.draw_art(art, inner, window);
  if (shape == 0 && c.rng.chance(0.5))
    c.scene.stroke(arch_path(art.inset(-1.6 * c.u)), with_opacity(c.tones.ink, 0.5f), 0.22 * c.u);
  return true;
}

/// The edge between art above and text below, from the left to the right.
Path block_above(double width, double y, double depth, int edge) {
  Path p;
  p.move_to({-1, -1}).line_to({width + 1, -1});
  switch (edge) {
    case 0: p.line_to({width + 1, y}).line_to({-1, y}); break;
    case 1:
      p.line_to({width + 1, y - depth})
          .curve_to({width * 0.7, y - 2.2 * depth}, {width * 0.35, y + depth}, {-1, y - depth * 0.4});
      break;
    case 2:
      p.line_to({width + 1, y - depth})
          .curve_to({width * 0.72, y + depth * 0.4}, {width * 0.28, y + depth * 0.4}, {-1, y - depth});
      break;
    default: p.line_to({width + 1, y - 1.4 * depth}).line_to({-1, y}); break;
  }
  p.close();
  return p;
}

bool compose_split(Composer& c) {
  const double m = 8 * c.u;
  const ColumnStyle style{
      .chip = any_chip(c), .expression_size = 8.6, .entity_size = 12.5, .is_one_headline = c.rng.chance(0.3)};
  const Tones inner = c.on(c.other_ground());
  const int edge = c.rng.below(4);
  if (c.is_wide()) {
    const auto halves = halve(c, style, c.tones, m);
    if (!halves) return false;
    c.scene.fill(Path::rect(halves->art), inner.ground);
    c.draw_art(halves->art, inner, Path::rect(halves->art));
    c.place(halves->text, {m, (c.height - halves->text.height) / 2}, Align::kLeft);
    return true;
  }
  const auto plan = c.plan(style, c.tones, c.width - 2 * m, c.height * 0.52);
  if (!plan) return false;
  const double top = c.height - m - plan->height;
  const double depth = 6 * c.u, seam = top - 6 * c.u;
  const Path block = block_above(c.width, seam, depth, edge);
  c.scene.fill(block, inner.ground);
  if (edge != 0 && c.rng.chance(0.5))
    c.scene.fill(block_above(c.width, seam + 2 * c.u, depth, edge), with_opacity(inner.ground, 0.35f));
  c.draw_art({0, 0, c.width, seam - (edge == 0 ? 0 : depth)}, inner, block);
  c.place(*plan, {m, top}, Align::kLeft);
  return true;
}

bool compose_poster(Composer& c) {
  const double m = 8.5 * c.u;
  const ColumnStyle style{.chip = any_chip(c),
                          .expression_size = 9.6,
                          .entity_size = 13.5,
                          .is_one_headline = c.rng.chance(0.5),
                          .is_heavy = true};
  if (c.is_wide()) {
    const auto halves = halve(c, style, c.tones, m);
    if (!halves) return false;
    c.draw_art(halves->art, c.tones, Path::rect(halves->art));
    c.place(halves->text, {m, (c.height - halves->text.height) / 2}, Align::kLeft);
    return true;
  }
  const auto plan = c.plan(style, c.tones, c.width - 2 * m, c.height * 0.54);
  if (!plan) return false;
  const double below = m + plan->height + 5 * c.u;
  const Rect art{0, below, c.width, c.height - below};
  c.draw_art(art, c.tones, Path::rect(art));
  c.place(*plan, {m, m}, Align::kLeft);
  return true;
}

bool compose_circle(Composer& c) {
  const double m = 8 * c.u;
  const ColumnStyle style{
      .chip = any_chip(c), .expression_size = 9, .entity_size = 13.5, .is_heavy = c.rng.chance(0.5)};
  const Tones inner = c.on(c.other_ground());
  const bool is_right = c.rng.chance(0.5);
  Point center;
  double radius = 0;
  if (c.is_wide()) {
    const auto halves = halve(c, style, c.tones, m);
    if (!halves) return false;
    c.place(halves->text, {m, (c.height - halves->text.height) / 2}, Align::kLeft);
    radius = halves->art.h * 0.56;
    center = {c.width - radius * 0.72, c.height * 0.5};
  } else {
    const auto plan = c.plan(style, c.tones, c.width - 2 * m, c.height * 0.5);
    if (!plan) return false;
    const double top = c.height - m - plan->height;
    c.place(*plan, {m, top}, Align::kLeft);
    radius = std::min(c.width * 0.52, (top - 5 * c.u) * 0.62);
    center = {is_right ? c.width - radius * 0.66 : radius * 0.66, top - 5 * c.u - radius};
  }
  c.scene.fill(Path::circle(center, radius), inner.ground);
  c.draw_art({center.x - radius, center.y - radius, 2 * radius, 2 * radius}, inner, Path::circle(center, radius));
  c.scene.stroke(Path::circle(center, radius + 2.2 * c.u), with_opacity(c.tones.accent, 0.55f), 0.2 * c.u);
  return true;
}

bool compose_tiles(Composer& c) {
  const double m = 7 * c.u;
  const ColumnStyle style{
      .chip = any_chip(c), .expression_size = 8.2, .entity_size = 11.5, .is_one_headline = c.rng.chance(0.35)};
  Rect art;
  if (c.is_wide()) {
    const auto halves = halve(c, style, c.tones, m);
    if (!halves) return false;
    c.place(halves->text, {m, (c.height - halves->text.height) / 2}, Align::kLeft);
    art = halves->art;
  } else {
    const auto plan = c.plan(style, c.tones, c.width - 2 * m, c.height * 0.48);
    if (!plan) return false;
    const double top = c.height - m - plan->height;
    c.place(*plan, {m, top}, Align::kLeft);
    art = {0, 0, c.width, top - 6 * c.u};
  }
  const int columns = c.is_wide() ? 3 : 4;
  const double step = art.w / columns;
  const int rows = std::max(1, static_cast<int>(art.h / step));
  const double tile_height = art.h / rows;
  const std::array<Tones, 4> grounds = {c.on(Ground::kTint), c.on(Ground::kMain), c.on(Ground::kDeep),
                                        c.on(Ground::kPaper)};
  const int shift = c.rng.below(4);
  for (int row = 0; row < rows; ++row) {
    for (int i = 0; i < columns; ++i) {
      const Rect tile{art.x + step * i, art.y + tile_height * row, step + 0.5, tile_height + 0.5};
      const Tones& t = grounds[static_cast<std::size_t>((i + 2 * row + (i * row) % 3 + shift) % 4)];
      const ClipScope clip(c.scene, Path::rect(tile));
      c.scene.fill(Path::rect(tile), t.ground);
      const double r = std::min(tile.w, tile.h) / 2;
      switch ((i + row * 3 + shift) % 5) {
        case 1: {
          Path quarter = Path::arc({tile.x, tile.bottom()}, 2 * r, 270, 360);
          quarter.line_to({tile.x, tile.bottom()}).close();
          c.scene.fill(quarter, t.main);
          break;
        }
        case 3:
          c.scene.fill(Path::circle({tile.center().x, tile.bottom()}, r), t.pop);
          c.scene.fill(Path::circle({tile.center().x, tile.y}, r), t.soft);
          break;
        default:
          c.motif.draw(Brush(c.scene, tile.center(), r * 0.68, c.motif.turns ? c.rng.between(-15, 15) : 0), t, c.rng);
      }
    }
  }
  return true;
}

bool compose_strip(Composer& c) {
  const double m = 7.5 * c.u;
  const ColumnStyle style{.chip = any_chip(c), .expression_size = 9, .entity_size = 13, .is_heavy = c.rng.chance(0.5)};
  const Tones inner = c.on(c.other_ground());
  const double strip = c.width * (c.is_wide() ? 0.3 : 0.26);
  const bool is_left = c.rng.chance(0.5);
  const double text_width = c.width - strip - 2 * m;
  const auto plan = c.plan(style, c.tones, text_width, c.height - 2 * m);
  if (!plan) return false;
  const Rect art{is_left ? 0 : c.width - strip, 0, strip, c.height};
  c.scene.fill(Path::rect(art), inner.ground);
  c.draw_pattern(art, inner, Path::rect(art));
  const double x = is_left ? strip + m : m;
  const bool is_low = c.rng.chance(0.5);
  c.place(*plan, {x, is_low ? c.height - m - plan->height : m}, Align::kLeft);
  // A figure in the free corner, where there is room for it.
  const double free = c.height - plan->height - 3 * m;
  const double r = std::min(free / 2, text_width * 0.3);
  if (r > 8 * c.u)
    c.motif.draw(Brush(c.scene, {x + text_width - r, is_low ? m + r : c.height - m - r}, r), c.tones, c.rng);
  return true;
}

constexpr std::array<Layout, 6> kLayouts = {{
    {"window", compose_window},
    {"split", compose_split},
    {"poster", compose_poster},
    {"circle", compose_circle},
    {"tiles", compose_tiles},
    {"strip", compose_strip, true},
}};

}  // namespace

std::span<const Layout> window_layouts() { return kLayouts; }

}  // namespace onggi::pictures
