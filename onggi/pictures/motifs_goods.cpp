// Things: bottles, clothes, bags, boxes.

#include <array>
#include <vector>

#include "onggi/pictures/motif.h"

namespace onggi::pictures {
namespace {

void draw_bottle(const Brush& b, const Tones& t, Rng& rng) {
  const bool has_pump = rng.chance(0.5);
  const Rect body{-0.44, -0.34, 0.88, 1.3};
  b.fill(Path::round_rect(body, 0.14), mix(t.main, t.light, 0.7f));
  const double level = rng.between(-0.12, 0.14);
  b.clip(Path::round_rect(body, 0.14));
  b.fill(Path::rect({-0.5, level, 1, 1.2}),
         Paint::linear({-0.44, 0}, {0.44, 0}, mix(t.main, t.light, 0.15f), mix(t.main, t.deep, 0.15f)));
  b.fill(Path::ellipse({0, level}, 0.46, 0.06), mix(t.main, t.light, 0.4f));
  b.unclip();
  for (int i = 0; i < 5; ++i)
    b.stroke(Path::line({0.24, 0.72 - 0.2 * i}, {i % 2 == 0 ? 0.08 : 0.15, 0.72 - 0.2 * i}),
             with_opacity(t.deep, 0.75f), 0.03);
  b.stroke(Path::line({-0.31, -0.12}, {-0.31, 0.72}), with_opacity(t.light, 0.7f), 0.06);
  if (has_pump) {
    b.fill(Path::round_rect({-0.18, -0.56, 0.36, 0.24}, 0.05), t.deep);
    b.stroke(Path::line({0, -0.56}, {0, -0.82}), t.deep, 0.1);
    b.stroke(Path::line({0.12, -0.84}, {-0.34, -0.84}), t.deep, 0.14);
  } else {
    b.fill(Path::round_rect({-0.26, -0.86, 0.52, 0.54}, 0.06),
           Paint::linear({-0.26, 0}, {0.26, 0}, mix(t.pop, t.light, 0.2f), t.pop));
    b.stroke(Path::line({-0.14, -0.74}, {-0.14, -0.46}), with_opacity(t.light, 0.5f), 0.04);
  }
}

void draw_jar(const Brush& b, const Tones& t, Rng&) {
  b.fill(Path::round_rect({-0.78, -0.14, 1.56, 0.98}, 0.26),
         Paint::linear({-0.8, 0}, {0.8, 0}, mix(t.main, t.light, 0.45f), mix(t.main, t.deep, 0.12f)));
  b.fill(Path::round_rect({-0.84, -0.56, 1.68, 0.46}, 0.1),
         Paint::linear({-0.8, 0}, {0.8, 0}, mix(t.deep, t.light, 0.2f), t.deep));
  b.fill(Path::round_rect({-0.5, 0.14, 1.0, 0.42}, 0.05), with_opacity(t.light, 0.75f));
  b.fill(Path::circle({0, 0.35}, 0.1), t.pop);
  b.stroke(Path::line({-0.66, 0.06}, {-0.66, 0.56}), with_opacity(t.light, 0.6f), 0.05);
}

void draw_vase(const Brush& b, const Tones& t, Rng& rng) {
  Path p;
  p.move_to({-0.2, -0.3})
      .curve_to({-0.2, -0.08}, {-0.62, 0.06}, {-0.6, 0.46})
      .curve_to({-0.58, 0.8}, {-0.3, 0.96}, {0, 0.96});
  p.curve_to({0.3, 0.96}, {0.58, 0.8}, {0.6, 0.46}).curve_to({0.62, 0.06}, {0.2, -0.08}, {0.2, -0.3}).close();
  for (int i = 0; i < 3; ++i) {
    const double angle = -30 + 30 * i + rng.between(-5, 5);
    const Point tip = polar({0, -0.3}, 0.55, angle - 90);
    b.stroke(Path::line({0, -0.28}, tip), t.deep, 0.035);
    b.fill(Path::circle(tip, i == 1 ? 0.17 : 0.13), i == 1 ? t.pop : mix(t.pop, t.light, 0.45f));
    b.fill(Path::circle(tip, 0.05), t.deep);
  }
  b.fill(p, Paint::linear({-0.6, 0}, {0.6, 0}, mix(t.main, t.light, 0.3f), mix(t.main, t.deep, 0.2f)));
  b.stroke(Path::arc({0, 0.44}, 0.42, 140, 200), with_opacity(t.light, 0.55f), 0.06);
}

void draw_shirt(const Brush& b, const Tones& t, Rng& rng) {
  Path p;
  p.move_to({-0.28, -0.78})
      .curve_to({-0.14, -0.62}, {0.14, -0.62}, {0.28, -0.78})
      .line_to({0.58, -0.66})
      .line_to({0.97, -0.16});
  p.line_to({0.66, 0.1})
      .line_to({0.5, -0.08})
      .line_to({0.5, 0.84})
      .line_to({-0.5, 0.84})
      .line_to({-0.5, -0.08})
      .line_to({-0.66, 0.1});
  p.line_to({-0.97, -0.16}).line_to({-0.58, -0.66}).close();
  b.fill(p, Paint::linear({-0.8, -0.7}, {0.8, 0.8}, mix(t.main, t.light, 0.2f), mix(t.main, t.deep, 0.1f)));
  if (rng.chance(0.5)) {
    for (int i = 0; i < 4; ++i)
      b.fill(Path::rect({-0.5, -0.06 + 0.22 * i, 1.0, 0.09}), i % 2 == 0 ? t.pop : mix(t.main, t.light, 0.7f));
  } else {
    b.fill(Path::round_rect({0.08, -0.2, 0.3, 0.32}, 0.05), t.pop);
  }
  Path collar;
  collar.move_to({-0.28, -0.78}).curve_to({-0.14, -0.58}, {0.14, -0.58}, {0.28, -0.78});
  b.stroke(collar, t.deep, 0.06);
  b.stroke(Path::line({-0.5, -0.06}, {-0.44, 0.2}), with_opacity(t.deep, 0.3f), 0.03);
  b.stroke(Path::line({0.5, -0.06}, {0.44, 0.2}), with_opacity(t.deep, 0.3f), 0.03);
}

void draw_hanger(const Brush& b, const Tones& t, Rng&) {
  Path hook = Path::arc({0, -0.68}, 0.2, 180, 400);
  b.stroke(hook, t.deep, 0.06);
  Path p;
  p.move_to({0.15, -0.55})
      .curve_to({0.02, -0.44}, {0, -0.42}, {0, -0.26})
      .line_to({0.9, 0.3})
      .curve_to({1.0, 0.4}, {0.94, 0.5}, {0.82, 0.5});
  p.line_to({-0.82, 0.5}).curve_to({-0.94, 0.5}, {-1.0, 0.4}, {-0.9, 0.3}).line_to({0, -0.26});
  b.stroke(p, t.main, 0.11);
  Path cloth;
  cloth.move_to({-0.56, 0.5})
      .line_to({0.5, 0.5})
      .line_to({0.5, 0.96})
      .curve_to({0.2, 0.84}, {-0.2, 1.06}, {-0.56, 0.92})
      .close();
  b.fill(cloth, Paint::linear({-0.5, 0.5}, {0.5, 1}, mix(t.pop, t.light, 0.2f), t.pop));
}

void draw_bag(const Brush& b, const Tones& t, Rng& rng) {
  b.stroke(Path::arc({0, -0.3}, 0.4, 180, 360), t.deep, 0.1);
  Path p;
  p.move_to({-0.7, -0.34})
      .line_to({0.7, -0.34})
      .line_to({0.86, 0.78})
      .curve_to({0.87, 0.88}, {0.8, 0.94}, {0.72, 0.94});
  p.line_to({-0.72, 0.94}).curve_to({-0.8, 0.94}, {-0.87, 0.88}, {-0.86, 0.78}).close();
  b.fill(p, Paint::linear({-0.7, -0.3}, {0.7, 0.9}, mix(t.main, t.light, 0.22f), mix(t.main, t.deep, 0.12f)));
  b.fill(Path::circle({-0.4, -0.12}, 0.06), t.deep);
  b.fill(Path::circle({0.4, -0.12}, 0.06), t.deep);
  if (rng.chance(0.5)) {
    b.fill(Path::circle({0, 0.36}, 0.26), t.pop);
  } else {
    b.fill(Path::rect({-0.8, 0.36, 1.6, 0.16}), with_opacity(t.pop, 0.9f));
  }
}

void draw_boxes(const Brush& b, const Tones& t, Rng& rng) {
  const std::array<Rect, 4> places = {
      {{-0.9, 0.02, 1.06, 0.88}, {0.24, 0.32, 0.66, 0.58}, {-0.62, -0.72, 0.78, 0.66}, {0.3, -0.22, 0.5, 0.46}}};
  const std::array<Color, 4> colors = {t.main, t.pop, mix(t.main, t.light, 0.5f), mix(t.deep, t.main, 0.2f)};
  const int shift = rng.below(2) * 2;
  for (int i = 0; i < 4; ++i) {
    const Rect r = places[static_cast<std::size_t>(i)];
    const Color c = colors[static_cast<std::size_t>((i + shift) % 4)];
    b.fill(Path::round_rect(r, 0.07),
           Paint::linear({r.x, r.y}, {r.right(), r.bottom()}, mix(c, t.light, 0.12f), mix(c, t.deep, 0.1f)));
    b.fill(Path::round_rect({r.x + r.w / 2 - 0.13, r.y + r.h * 0.26, 0.26, 0.09}, 0.045), with_opacity(t.light, 0.85f));
    b.stroke(Path::line({r.x + 0.1, r.bottom() - 0.12}, {r.x + r.w * 0.45, r.bottom() - 0.12}),
             with_opacity(t.light, 0.45f), 0.035);
  }
}

void draw_tag(const Brush& b0, const Tones& t, Rng& rng) {
  const Brush b = b0.at({0.04, 0}, 0.94, rng.between(-28, -14));
  Path p;
  p.move_to({-0.86, 0})
      .line_to({-0.44, -0.5})
      .line_to({0.82, -0.5})
      .curve_to({0.9, -0.5}, {0.94, -0.46}, {0.94, -0.38});
  p.line_to({0.94, 0.38}).curve_to({0.94, 0.46}, {0.9, 0.5}, {0.82, 0.5}).line_to({-0.44, 0.5}).close();
  b.fill(p, Paint::linear({-0.8, -0.5}, {0.9, 0.5}, mix(t.pop, t.light, 0.18f), t.pop));
  b.fill(Path::circle({-0.48, 0}, 0.1), t.ground);
  const std::array<Point, 4> string = {{{-0.48, 0}, {-0.72, -0.22}, {-0.78, -0.5}, {-0.96, -0.62}}};
  b.stroke(Path::smooth(string), t.deep, 0.035);
  for (int i = 0; i < 3; ++i)
    b.stroke(Path::line({-0.16, -0.2 + 0.2 * i}, {0.68 - 0.26 * i, -0.2 + 0.2 * i}), with_opacity(t.light, 0.85f),
             0.07);
}

void draw_coins(const Brush& b, const Tones& t, Rng& rng) {
  const std::array<int, 3> counts = {2, 4, 3};
  for (int i = 0; i < 3; ++i) {
    const double x = -0.6 + 0.6 * i;
    const int count = counts[static_cast<std::size_t>(i)] + rng.below(2);
    for (int k = 0; k < count; ++k) {
      const double y = 0.78 - 0.24 * k;
      const Color c = i == 1 ? t.pop : t.main;
      b.fill(Path::round_rect({x - 0.29, y - 0.13, 0.58, 0.24}, 0.1), mix(c, t.deep, 0.25f));
      b.fill(Path::ellipse({x, y - 0.12}, 0.29, 0.11), mix(c, t.light, 0.25f));
      b.stroke(Path::ellipse({x, y - 0.12}, 0.18, 0.06), with_opacity(t.deep, 0.35f), 0.025);
    }
  }
}

void draw_gem(const Brush& b, const Tones& t, Rng& rng) {
  const std::array<Point, 5> top = {{{-0.9, -0.2}, {-0.52, -0.7}, {0.0, -0.7}, {0.52, -0.7}, {0.9, -0.2}}};
  const Color c = rng.chance(0.35) ? t.pop : t.main;
  const Point foot{0, 0.92};
  const std::array<Point, 4> girdle = {{{-0.9, -0.2}, {-0.36, -0.2}, {0.36, -0.2}, {0.9, -0.2}}};
  const std::array<float, 3> shade = {0.12f, 0.0f, 0.24f};
  for (std::size_t i = 0; i < 3; ++i)
    b.fill(Path::polygon(std::array<Point, 3>{{girdle[i], girdle[i + 1], foot}}),
           i == 1 ? mix(c, t.light, 0.25f) : mix(c, t.deep, shade[i]));
  b.fill(Path::polygon(std::array<Point, 3>{{top[0], top[1], girdle[1]}}), mix(c, t.light, 0.45f));
  b.fill(Path::polygon(std::array<Point, 3>{{top[1], top[2], girdle[1]}}), mix(c, t.light, 0.2f));
  b.fill(Path::polygon(std::array<Point, 3>{{top[2], girdle[1], girdle[2]}}), mix(c, t.light, 0.6f));
  b.fill(Path::polygon(std::array<Point, 3>{{top[2], top[3], girdle[2]}}), mix(c, t.light, 0.3f));
  b.fill(Path::polygon(std::array<Point, 3>{{top[3], top[4], girdle[2]}}), mix(c, t.deep, 0.08f));
}

void draw_chips(const Brush& whole, const Tones& t, Rng& rng) {
  const Brush b = whole.at({0, 0.04}, 0.84);
  const std::array<Color, 5> colors = {t.deep, t.main, mix(t.main, t.light, 0.45f), mix(t.pop, t.light, 0.4f), t.pop};
  const double spread = rng.between(20, 27);
  for (int i = 0; i < 5; ++i) {
    const Brush chip = b.at({0, 0.72}, 1, -2 * spread + spread * i);
    const Color c = colors[static_cast<std::size_t>(i)];
    chip.fill(Path::round_rect({-0.22, -1.5, 0.44, 1.6}, 0.09), c);
    chip.fill(Path::round_rect({-0.22, -1.5, 0.44, 1.6}, 0.09),
              Paint::linear({-0.22, 0}, {0.22, 0}, with_opacity(t.deep, 0.1f), with_opacity(t.light, 0.14f)));
  }
  b.fill(Path::circle({0, 0.72}, 0.1), t.light);
  b.stroke(Path::circle({0, 0.72}, 0.1), t.deep, 0.035);
}

void draw_plane(const Brush& b, const Tones& t, Rng&) {
  const std::array<Point, 4> trail = {{{-0.94, 0.82}, {-0.6, 0.9}, {-0.4, 0.64}, {-0.2, 0.34}}};
  b.dashed(Path::smooth(trail), t.deep, 0.04, 0.02, 0.12);
  b.fill(Path::polygon(std::array<Point, 3>{{{0.94, -0.8}, {-0.86, -0.1}, {-0.26, 0.16}}}), mix(t.main, t.light, 0.3f));
  b.fill(Path::polygon(std::array<Point, 3>{{{0.94, -0.8}, {-0.02, 0.26}, {0.46, 0.66}}}), t.main);
  b.fill(Path::polygon(std::array<Point, 3>{{{0.94, -0.8}, {-0.26, 0.16}, {-0.18, 0.58}}}), mix(t.main, t.deep, 0.45f));
  b.fill(Path::polygon(std::array<Point, 3>{{{0.94, -0.8}, {-0.18, 0.58}, {-0.02, 0.26}}}), t.pop);
}

void draw_paw(const Brush& b, const Tones& t, Rng& rng) {
  Path p;
  p.move_to({0, -0.06})
      .curve_to({0.36, -0.06}, {0.64, 0.34}, {0.6, 0.62})
      .curve_to({0.56, 0.9}, {0.26, 0.86}, {0, 0.78});
  p.curve_to({-0.26, 0.86}, {-0.56, 0.9}, {-0.6, 0.62}).curve_to({-0.64, 0.34}, {-0.36, -0.06}, {0, -0.06}).close();
  const Color c = rng.chance(0.6) ? t.main : t.pop;
  b.fill(p, Paint::linear({0, -0.1}, {0, 0.9}, mix(c, t.light, 0.2f), c));
  const std::array<Point, 4> toes = {{{-0.72, -0.06}, {-0.3, -0.56}, {0.3, -0.56}, {0.72, -0.06}}};
  for (std::size_t i = 0; i < 4; ++i)
    b.at(toes[i], 0.26, (i < 2 ? -1 : 1) * (i % 3 == 0 ? 22 : 8))
        .fill(Path::ellipse({0, 0}, 0.78, 1), i % 2 == 0 ? c : mix(c, t.pop, 0.4f));
}

constexpr std::array<Motif, 13> kMotifs = {{
    {"bottle", draw_bottle},
    {"jar", draw_jar},
    {"vase", draw_vase},
    {"shirt", draw_shirt},
    {"hanger", draw_hanger},
    {"bag", draw_bag},
    {"boxes", draw_boxes},
    {"tag", draw_tag, true},
    {"coins", draw_coins},
    {"gem", draw_gem},
    {"chips", draw_chips},
    {"plane", draw_plane},
    {"paw", draw_paw, true},
}};

}  // namespace

std::span<const Motif> goods_motifs() { return kMotifs; }

}  // namespace onggi::pictures
