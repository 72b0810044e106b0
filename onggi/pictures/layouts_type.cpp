// Layouts in which text is the picture: labels, frames, giant words.

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "onggi/pictures/composer.h"

namespace onggi::pictures {
namespace {

bool compose_label(Composer& c) {
  const Tones panel_tones = c.on(c.design.ground == Ground::kPaper ? Ground::kPaper
                                 : c.rng.chance(0.75)              ? Ground::kPaper
                                                                   : Ground::kDeep);
  c.draw_pattern(c.scene.area(), c.tones, Path::rect(c.scene.area()));
  const double m = 9 * c.u, pad = 7.5 * c.u;
  const double panel_width = c.is_wide() ? c.width * 0.62 : c.width - 2 * m;
  const bool has_emblem = c.rng.chance(0.6);
  const double emblem = has_emblem ? 8.5 * c.u : 0;
  const double room = c.height - 2 * m - 2 * pad - (has_emblem ? 2 * emblem + 3 * c.u : 0);
  const ColumnStyle style{.align = Align::kCenter,
                          .chip = c.rng.chance(0.5) ? Chip::kOutlined : Chip::kNone,
                          .expression_size = 8,
                          .entity_size = 12};
  const auto plan = c.plan(style, panel_tones, panel_width - 2 * pad, room);
  if (!plan) return false;
  const double content = plan->height + (has_emblem ? 2 * emblem + 3 * c.u : 0);
  const double panel_height = std::min(c.height - 2 * m, content + 2 * pad);
  const Rect panel{(c.width - panel_width) / 2, (c.height - panel_height) / 2, panel_width, panel_height};
  const double radius = c.rng.chance(0.5) ? 0.5 * c.u : 5 * c.u;
  c.scene.fill(Path::round_rect(panel.inset(-0.9 * c.u), radius * 1.1), with_opacity(panel_tones.deep, 0.14f));
  c.scene.fill(Path::round_rect(panel, radius), panel_tones.ground);
  c.scene.stroke(Path::round_rect(panel.inset(2 * c.u), std::max(0.0, radius - 1.4 * c.u)),
                 with_opacity(panel_tones.accent, 0.8f), 0.28 * c.u);
  double y = panel.y + (panel_height - content) / 2;
  if (has_emblem) {
    c.motif.draw(Brush(c.scene, {c.width / 2, y + emblem}, emblem * 0.96), panel_tones, c.rng);
    y += 2 * emblem + 3 * c.u;
  }
  c.place(*plan, {c.width / 2, y}, Align::kCenter);
  return true;
}

bool compose_frame(Composer& c) {
  const double edge = 4.6 * c.u;
  const Rect frame = c.scene.area().inset(edge);
  const double emblem = (c.is_wide() ? 10 : 15) * c.u;
  const double m = 10 * c.u;
  const ColumnStyle style{.align = Align::kCenter, .chip = Chip::kNone, .expression_size = 8, .entity_size = 12.5};
  const auto plan = c.plan(style, c.tones, c.width - 2 * m, c.height - 2 * m - 2 * emblem - 5 * c.u);
  if (!plan) return false;
  const int kind = c.rng.below(3);
  const Color line = with_opacity(c.tones.accent, 0.9f);
  if (kind == 0) {
    c.scene.stroke(Path::rect(frame), line, 0.3 * c.u);
    c.scene.stroke(Path::rect(frame.inset(1.5 * c.u)), line, 0.14 * c.u);
  } else if (kind == 1) {
    c.scene.stroke(Path::round_rect(frame, 7 * c.u), line, 0.5 * c.u);
  } else {
    // Corners cut inwards.
    const double r = 6 * c.u;
    Path p;
    p.move_to({frame.x + r, frame.y}).line_to({frame.right() - r, frame.y});
    p.curve_to({frame.right() - r, frame.y + r * 0.55}, {frame.right() - r * 0.55, frame.y + r},
               {frame.right(), frame.y + r});
    p.line_to({frame.right(), frame.bottom() - r});
    p.curve_to({frame.right() - r * 0.55, frame.bottom() - r}, {frame.right() - r, frame.bottom() - r * 0.55},
               {frame.right() - r, frame.bottom()});
    p.line_to({frame.x + r, frame.bottom()});
    p.curve_to({frame.x + r, frame.bottom() - r * 0.55}, {frame.x + r * 0.55, frame.bottom() - r},
               {frame.x, frame.bottom() - r});
    p.line_to({frame.x, frame.y + r});
    p.curve_to({frame.x + r * 0.55, frame.y + r}, {frame.x + r, frame.y + r * 0.55}, {frame.x + r, frame.y}).close();
    c.scene.stroke(p, line, 0.35 * c.u);
  }
  const double content = 2 * emblem + 5 * c.u + plan->height;
  const double top = (c.height - content) / 2;
  const Point middle{c.width / 2, top + emblem};
  c.scene.fill(Path::circle(middle, emblem * 1.02), with_opacity(c.tones.soft, 0.85f));
  c.motif.draw(Brush(c.scene, middle, emblem * 0.72), c.tones, c.rng);
  for (const double side : {-1.0, 1.0}) {
    const double x = c.width / 2 + side * (emblem + 4 * c.u), far = c.width / 2 + side * (c.width / 2 - edge - 7 * c.u);
    if (side * (far - x) > 2 * c.u) c.scene.stroke(Path::line({x, middle.y}, {far, middle.y}), line, 0.18 * c.u);
  }
  c.place(*plan, {c.width / 2, top + 2 * emblem + 5 * c.u}, Align::kCenter);
  return true;
}

bool compose_giant(Composer& c) {
  // The noun as wide as the card allows; the expression above it, small.
  const double m = 7 * c.u;
  const double text_width = c.is_wide() ? c.width * 0.62 - m : c.width - 2 * m;
  const auto entity = c.plan_one(Role::kEntity, "heavy", 31, 11, 3, c.tones.ink, text_width, c.height * 0.46);
  const auto expression = c.plan_one(Role::kExpression, "medium", 7.6, 4.4, 4, c.tones.ink, text_width, c.height * 0.3);
  const auto aspect = c.plan_one(Role::kAspect, "small", 3.6, 2.9, 1, c.tones.accent, text_width * 0.7, c.height * 0.2);
  if (!entity || !expression || !aspect) return false;
  std::optional<ColumnPlan> product;
  if (!c.card.products.empty()) {
    product = c.plan_one(Role::kProduct, "small", 2.8, 2.3, 3, c.tones.ink, text_width, c.height * 0.14);
    if (!product) return false;
  }
  const double below = product ? product->height + 3.5 * c.u : 0;
  const double top = c.height - m - below - entity->height - expression->height - 3 * c.u;
  const double rule = m + aspect->height + 2.4 * c.u;
  if (top < rule + 4 * c.u) return false;
  c.place(*aspect, {m, m}, Align::kLeft);
  c.scene.stroke(Path::line({m, rule}, {c.width - m, rule}), with_opacity(c.tones.ink, 0.85f), 0.3 * c.u);
  const double free = top - rule - 8 * c.u;
  if (c.is_wide()) {
    const double r = std::min(c.width * 0.17, (c.height - rule) * 0.4);
    c.motif.draw(Brush(c.scene, {c.width - m - r, rule + (c.height - rule) / 2}, r), c.tones, c.rng);
  } else if (free > 12 * c.u) {
    const double r = std::min(free / 2, c.width * 0.34);
    const double x = c.rng.chance(0.6) ? c.width - m - r : c.width / 2;
    c.scene.fill(Path::circle({x, rule + 4 * c.u + free / 2}, r * 1.02), with_opacity(c.tones.soft, 0.9f));
    c.motif.draw(Brush(c.scene, {x, rule + 4 * c.u + free / 2}, r * 0.78), c.tones, c.rng);
  }
  c.place(*expression, {m, top}, Align::kLeft);
  c.place(*entity, {m, top + expression->height + 3 * c.u}, Align::kLeft);
  if (product) c.place(*product, {m, c.height - m - product->height}, Align::kLeft);
  return true;
}

bool compose_quote(Composer& c) {
  const double m = 8.5 * c.u;
  const ColumnStyle style{
      .chip = Chip::kDot, .expression_size = 10.5, .entity_size = 10.5, .is_one_headline = true, .has_aspect = true};
  const double mark = 13 * c.u;
  const double text_width = c.is_wide() ? c.width * 0.6 - m : c.width - 2 * m;
  const auto plan = c.plan(style, c.tones, text_width, c.height - 2 * m - mark - 3 * c.u);
  if (!plan) return false;
  // Two commas turned round.
  for (int i = 0; i < 2; ++i) {
    const Point at{m + mark * (0.3 + 0.68 * i), m + mark * 0.56};
    c.scene.fill(Path::circle(at, mark * 0.28), c.tones.accent);
    Path tail;
    tail.move_to(at + Point{-mark * 0.28, 0})
        .curve_to(at + Point{-mark * 0.28, -mark * 0.36}, at + Point{-mark * 0.06, -mark * 0.52},
                  at + Point{mark * 0.2, -mark * 0.56});
    tail.curve_to(at + Point{mark * 0.06, -mark * 0.42}, at + Point{-mark * 0.02, -mark * 0.28},
                  at + Point{0, -mark * 0.2})
        .close();
    c.scene.fill(tail, c.tones.accent);
  }
  const double top = m + mark + 3 * c.u;
  c.place(*plan, {m, top}, Align::kLeft);
  const double free = c.height - top - plan->height - 4 * c.u;
  const double r = c.is_wide() ? c.height * 0.34 : std::min(free * 0.62, c.width * 0.36);
  if (r < 6 * c.u) return true;
  const Point at = c.is_wide() ? Point{c.width - m - r, c.height / 2} : Point{c.width - r * 0.86, c.height - r * 0.8};
  const ClipScope clip(c.scene, Path::rect(c.scene.area()));
  c.scene.fill(Path::circle(at, r * 1.12), with_opacity(c.tones.soft, 0.9f));
  c.motif.draw(Brush(c.scene, at, r * 0.84), c.tones, c.rng);
  return true;
}

bool compose_ticket(Composer& c) {
  const double m = 6 * c.u;
  const Tones panel = c.on(c.design.ground == Ground::kPaper ? Ground::kTint : Ground::kPaper);
  const Rect body = c.is_wide() ? c.scene.area().inset(m) : Rect{m, m, c.width - 2 * m, c.height - 2 * m};
  const double pad = 7 * c.u, notch = 3.4 * c.u;
  const ColumnStyle style{
      .chip = Chip::kFilled, .expression_size = 8.4, .entity_size = 12.5, .is_heavy = c.rng.chance(0.5)};
  const double text_width = c.is_wide() ? body.w * 0.56 - pad : body.w - 2 * pad;
  const auto plan = c.plan(style, panel, text_width, c.is_wide() ? body.h - 2 * pad : body.h * 0.6 - pad);
  if (!plan) return false;
  c.scene.fill(Path::round_rect(body, 3 * c.u), panel.ground);
  if (c.is_wide()) {
    const double tear = body.x + body.w * 0.6;
    const Rect art{tear + pad / 2, body.y + pad / 2, body.right() - tear - pad, body.h - pad};
    c.draw_art(art, panel, Path::rect(art));
    c.scene.dashed(Path::line({tear, body.y + notch * 1.6}, {tear, body.bottom() - notch * 1.6}),
                   with_opacity(panel.ink, 0.5f), 0.3 * c.u, 0.8 * c.u, 1.4 * c.u);
    for (const double y : {body.y, body.bottom()}) c.scene.fill(Path::circle({tear, y}, notch), c.tones.ground);
    c.place(*plan, {body.x + pad, body.y + (body.h - plan->height) / 2}, Align::kLeft);
    return true;
  }
  const double top = body.bottom() - pad - plan->height, tear = top - 5.5 * c.u;
  const Rect art{body.x, body.y, body.w, tear - body.y};
  Path window = Path::round_rect({art.x, art.y, art.w, art.h + 3 * c.u}, 3 * c.u);
  {
    const ClipScope clip(c.scene, Path::rect(art));
    c.draw_art(art, panel, window);
  }
  c.scene.dashed(Path::line({body.x + notch * 1.6, tear}, {body.right() - notch * 1.6, tear}),
                 with_opacity(panel.ink, 0.5f), 0.3 * c.u, 0.8 * c.u, 1.4 * c.u);
  for (const double x : {body.x, body.right()}) c.scene.fill(Path::circle({x, tear}, notch), c.tones.ground);
  c.place(*plan, {body.x + pad, top}, Align::kLeft);
  return true;
}

bool compose_blobs(Composer& c) {
  // Soft shapes of colour in the corners, as light through glass; text in the middle.
  const double m = 10 * c.u;
  const ColumnStyle style{.align = Align::kCenter,
                          .chip = Chip::kFilled,
                          .expression_size = 9,
                          .entity_size = 13.5,
                          .is_one_headline = c.rng.chance(0.3)};
  const double emblem = c.rng.chance(0.7) ? 12 * c.u : 0;
  const double extra = emblem > 0 ? 2 * emblem + 4 * c.u : 0;
  const auto plan = c.plan(style, c.tones, c.width - 2 * m, c.height - 2 * m - extra);
  if (!plan) return false;
  const std::array<Point, 4> corners = {{{0, 0}, {c.width, 0}, {c.width, c.height}, {0, c.height}}};
  const int first = c.rng.below(4);
  for (int i = 0; i < 3; ++i) {
    const Point at = corners[static_cast<std::size_t>((first + i) % 4)];
    const double r = c.u * (i == 0 ? c.rng.between(40, 50) : c.rng.between(20, 34));
    std::vector<Point> rim;
    for (int k = 0; k < 8; ++k) rim.push_back(polar(at, r * c.rng.between(0.84, 1.14), 45.0 * k));
    const Color color = i == 1 ? c.tones.pop : i == 0 ? c.tones.main : c.tones.soft;
    c.scene.fill(Path::blob(rim), Paint::radial(at, r * 1.25, with_opacity(color, 0.95f), with_opacity(color, 0.45f)));
  }
  const double top = (c.height - extra - plan->height) / 2;
  if (emblem > 0) c.motif.draw(Brush(c.scene, {c.width / 2, top + emblem}, emblem), c.tones, c.rng);
  c.place(*plan, {c.width / 2, top + extra}, Align::kCenter);
  return true;
}

constexpr std::array<Layout, 6> kLayouts = {{
    {"label", compose_label, true},
    {"frame", compose_frame},
    {"giant", compose_giant},
    {"quote", compose_quote},
    {"ticket", compose_ticket},
    {"blobs", compose_blobs},
}};

}  // namespace

std::span<const Layout> type_layouts() { return kLayouts; }

std::span<const Layout> layouts() {
  static const std::vector<Layout> all = [] {
    std::vector<Layout> list;
    for (const auto part : {window_layouts(), type_layouts()}) list.insert(list.end(), part.begin(), part.end());
    return list;
  }();
  return all;
}

}  // namespace onggi::pictures
