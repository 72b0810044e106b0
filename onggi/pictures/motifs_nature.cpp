// Water, plants, weather, food.

#include <array>
#include <vector>

#include "onggi/pictures/motif.h"

namespace onggi::pictures {
namespace {

Path drop_path() {
  Path p;
  p.move_to({0, -1})
      .curve_to({0.22, -0.55}, {0.64, -0.2}, {0.64, 0.32})
      .curve_to({0.64, 0.7}, {0.35, 0.96}, {0, 0.96})
      .curve_to({-0.35, 0.96}, {-0.64, 0.7}, {-0.64, 0.32})
      .curve_to({-0.64, -0.2}, {-0.22, -0.55}, {0, -1})
      .close();
  return p;
}

void draw_drop(const Brush& b, const Tones& t, Rng& rng) {
  const bool is_pop = rng.chance(0.2);
  const Color base = is_pop ? t.pop : t.main;
  b.fill(drop_path(), Paint::linear({-0.5, -0.9}, {0.5, 0.9}, mix(base, t.light, 0.35f), mix(base, t.deep, 0.12f)));
  b.stroke(Path::arc({0, 0.32}, 0.42, 100, 172), with_opacity(t.light, 0.75f), 0.09);
  b.fill(Path::ellipse({-0.2, -0.18}, 0.07, 0.12), with_opacity(t.light, 0.7f));
}

void draw_ripple(const Brush& b, const Tones& t, Rng& rng) {
  const double y = 0.45;
  const int rings = 3 + rng.below(2);
  for (int i = rings; i >= 1; --i) {
    const double share = static_cast<double>(i) / rings;
    b.fill(Path::ellipse({0, y}, 0.98 * share, 0.42 * share),
           with_opacity(t.main, static_cast<float>(0.16 + 0.22 * (1 - share))));
    b.stroke(Path::ellipse({0, y}, 0.98 * share, 0.42 * share),
             with_opacity(t.deep, static_cast<float>(0.75 - 0.45 * share)), 0.025);
  }
  const Brush drop = b.at({0, -0.42}, 0.42);
  drop.fill(drop_path(), Paint::linear({0, -1}, {0, 1}, mix(t.pop, t.light, 0.3f), t.pop));
  drop.stroke(Path::arc({0, 0.32}, 0.42, 100, 172), with_opacity(t.light, 0.8f), 0.1);
}

/// From (0, 1) up to (0, -1), `width` at its widest.
Path leaf_path(double width, double share = 1) {
  Path p;
  p.move_to({0, 1}).curve_to({width, 0.45}, {width, -0.4}, {0, -1});
  p.curve_to({-width * share, -0.4}, {-width * share, 0.45}, {0, 1}).close();
  return p;
}

void draw_leaf(const Brush& b, const Tones& t, Color color) {
  b.fill(leaf_path(0.78), color);
  b.fill(leaf_path(0.78, 0), with_opacity(t.deep, 0.22f));
  b.stroke(Path::line({0, 0.9}, {0, -0.7}), with_opacity(t.light, 0.55f), 0.035);
  for (int i = 0; i < 4; ++i) {
    const double y = 0.55 - 0.34 * i, reach = 0.36 - 0.05 * i;
    b.stroke(Path::line({0, y}, {reach, y - 0.28}), with_opacity(t.light, 0.35f), 0.025);
    b.stroke(Path::line({0, y}, {-reach, y - 0.28}), with_opacity(t.light, 0.35f), 0.025);
  }
}

void draw_sprig(const Brush& b, const Tones& t, Rng& rng) {
  const double lean = rng.between(-0.18, 0.18);
  const std::array<Point, 4> stem = {{{-lean, 1}, {0, 0.35}, {lean * 0.6, -0.3}, {lean * 1.6, -0.8}}};
  b.stroke(Path::smooth(stem), t.deep, 0.045);
  const int pairs = 3;
  for (int i = 0; i < pairs; ++i) {
    const double share = (i + 0.6) / pairs;
    const Point foot{-lean + share * 2.2 * lean, 0.85 - 1.45 * share};
    const double size = 0.44 - 0.09 * i;
    for (const double side : {-1.0, 1.0}) {
      const double angle = side * (58 - 6 * i);
      const Point tip = polar(foot, size, angle - 90);
      draw_leaf(b.at(tip, size, angle), t, side > 0 ? t.main : mix(t.main, t.deep, 0.25f));
    }
  }
  draw_leaf(b.at({lean * 1.7, -0.8}, 0.3, lean * 40), t, mix(t.main, t.light, 0.2f));
}

void draw_big_leaf(const Brush& b, const Tones& t, Rng& rng) {
  draw_leaf(b.at({0, 0}, 0.98, rng.between(-24, 24)), t, rng.chance(0.7) ? t.main : mix(t.main, t.pop, 0.3f));
}

void draw_clover(const Brush& b, const Tones& t, Rng&) {
  // Round leaves with a notch, as those of centella.
  const std::array<Point, 3> stem = {{{0, 1}, {0.06, 0.5}, {0, 0.05}}};
  b.stroke(Path::smooth(stem), t.deep, 0.05);
  for (int i = 0; i < 3; ++i) {
    const double angle = -90 + (i - 1) * 105;
    const Brush leaf = b.at(polar({0, -0.12}, i == 1 ? 0.46 : 0.48, angle), 0.44, angle + 90);
    Path p;
    p.move_to({0, 0.95})
        .curve_to({-1.2, 0.6}, {-1.25, -0.9}, {-0.3, -0.92})
        .curve_to({-0.1, -0.92}, {0, -0.8}, {0, -0.66});
    p.curve_to({0, -0.8}, {0.1, -0.92}, {0.3, -0.92}).curve_to({1.25, -0.9}, {1.2, 0.6}, {0, 0.95}).close();
    leaf.fill(p,
              Paint::linear({0, 1}, {0, -1}, mix(t.main, t.deep, 0.3f), i == 1 ? mix(t.main, t.light, 0.15f) : t.main));
    for (const double x : {-0.55, 0.0, 0.55})
      leaf.stroke(Path::line({0, 0.7}, {x, -0.35}), with_opacity(t.light, 0.4f), 0.04);
  }
}

void draw_flower(const Brush& b, const Tones& t, Rng& rng) {
  const int petals = 5 + rng.below(4);
  const bool is_round = rng.chance(0.5);
  const Color color = rng.chance(0.35) ? mix(t.pop, t.light, 0.15f) : t.main;
  for (int i = 0; i < petals; ++i) {
    const double angle = 360.0 * i / petals;
    const Brush petal = b.at(polar({0, 0}, 0.56, angle - 90), 0.44, angle);
    const double width = std::min(1.0, (is_round ? 5.4 : 4.4) / petals);
    petal.fill(is_round ? Path::ellipse({0, 0}, width, 1) : leaf_path(width * 1.3),
               Paint::linear({0, 1}, {0, -1}, mix(color, t.deep, 0.28f), mix(color, t.light, 0.18f)));
  }
  b.fill(Path::circle({0, 0}, 0.23), is_round ? t.deep : t.pop);
  for (int i = 0; i < 7; ++i)
    b.fill(Path::circle(polar({0, 0}, 0.13, 360.0 / 7 * i), 0.028), with_opacity(t.light, 0.8f));
}

void draw_feather(const Brush& b0, const Tones& t, Rng& rng) {
  const Brush b = b0.at({0, 0}, 1, rng.between(18, 40));
  Path p;
  p.move_to({0, 0.86})
      .curve_to({0.62, 0.5}, {0.5, -0.5}, {0.06, -1})
      .curve_to({-0.52, -0.62}, {-0.54, 0.4}, {0, 0.86})
      .close();
  b.fill(p, Paint::linear({0, 0.9}, {0, -1}, mix(t.main, t.light, 0.55f), t.main));
  for (int i = 0; i < 9; ++i) {
    const double y = 0.62 - 0.17 * i;
    b.stroke(Path::line({0, y}, {0.36 - 0.02 * i, y - 0.3}), with_opacity(t.deep, 0.28f), 0.022);
    b.stroke(Path::line({0, y}, {-0.36 + 0.02 * i, y - 0.3}), with_opacity(t.light, 0.6f), 0.022);
  }
  const std::array<Point, 3> spine = {{{-0.04, 1}, {0, 0.3}, {0.05, -0.9}}};
  b.stroke(Path::smooth(spine), t.deep, 0.04);
}

void draw_sun(const Brush& b, const Tones& t, Rng& rng) {
  const int rays = 10 + 2 * rng.below(4);
  for (int i = 0; i < rays; ++i) {
    const double angle = 360.0 * i / rays;
    b.stroke(Path::line(polar({0, 0}, 0.68, angle), polar({0, 0}, i % 2 == 0 ? 0.96 : 0.84, angle)), t.pop, 0.06);
  }
  b.fill(Path::circle({0, 0}, 0.52), Paint::linear({-0.4, -0.4}, {0.4, 0.5}, mix(t.pop, t.light, 0.45f), t.pop));
  b.fill(Path::circle({0, 0}, 0.52),
         Paint::radial({-0.15, -0.2}, 0.6, with_opacity(t.light, 0.5f), with_opacity(t.light, 0)));
}

void draw_glow(const Brush& b, const Tones& t, Rng& rng) {
  const int rings = 4;
  for (int i = rings; i >= 1; --i)
    b.fill(Path::circle({0, 0}, 0.98 * i / rings),
           with_opacity(i % 2 == 0 ? t.main : t.pop, 0.2f + 0.06f * static_cast<float>(rings - i)));
  b.fill(Path::circle({0, 0}, 0.3), Paint::radial({-0.08, -0.1}, 0.42, t.light, mix(t.pop, t.light, 0.3f)));
  const double turn = rng.between(0, 60);
  for (int i = 0; i < 3; ++i) b.fill(Path::circle(polar({0, 0}, 0.74, turn + 120 * i), 0.06), t.deep);
}

void draw_moon(const Brush& b, const Tones& t, Rng& rng) {
  Path p = Path::arc({0, 0}, 0.82, -60, 200);
  p.curve_to({-0.35, 0.42}, {0.55, 0.2}, polar({0, 0}, 0.82, -60)).close();
  b.fill(p, Paint::linear({-0.6, 0.6}, {0.7, -0.5}, t.main, mix(t.pop, t.light, 0.3f)));
  for (int i = 0; i < 3; ++i) {
    const Point at{-0.35 + 0.32 * i + rng.between(-0.06, 0.06), -0.3 - 0.26 * (i % 2) + rng.between(-0.06, 0.06)};
    b.fill(Path::circle(at, i == 1 ? 0.07 : 0.045), t.deep);
  }
}

void draw_flame(const Brush& b, const Tones& t, Rng&) {
  Path p;
  p.move_to({0.02, -1})
      .curve_to({0.5, -0.6}, {0.78, -0.1}, {0.68, 0.38})
      .curve_to({0.58, 0.78}, {0.3, 0.96}, {0, 0.96});
  p.curve_to({-0.42, 0.96}, {-0.7, 0.66}, {-0.68, 0.24}).curve_to({-0.66, -0.06}, {-0.42, -0.22}, {-0.36, -0.5});
  p.curve_to({-0.2, -0.4}, {-0.14, -0.3}, {-0.12, -0.16}).curve_to({0.02, -0.4}, {0.08, -0.7}, {0.02, -1}).close();
  b.fill(p, Paint::linear({0, -1}, {0, 1}, t.pop, mix(t.main, t.pop, 0.35f)));
  b.at({0.02, 0.42}, 0.5).fill(drop_path(), mix(t.pop, t.light, 0.62f));
}

void draw_wind(const Brush& b, const Tones& t, Rng& rng) {
  const std::array<Color, 3> colors = {t.main, t.deep, t.pop};
  for (int i = 0; i < 3; ++i) {
    const double y = -0.42 + 0.44 * i, x0 = -0.92 + 0.16 * (i % 2),
                 x1 = 0.34 - 0.16 * (i == 2) + rng.between(-0.05, 0.05);
    const double r = 0.2 + 0.04 * (1 - i % 2), up = i == 2 ? 1 : -1;
    Path p = Path::line({x0, y}, {x1, y});
    const Path curl = Path::arc({x1, y + up * r}, r, -90 * up, up * 150);
    Path whole;
    whole.add(p);
    for (std::size_t k = 0, n = 1; k < curl.verbs().size(); ++k) {
      if (curl.verbs()[k] == Path::Verb::kCurve) {
        whole.curve_to(curl.points()[n], curl.points()[n + 1], curl.points()[n + 2]);
        n += 3;
      }
    }
    b.stroke(whole, colors[static_cast<std::size_t>(i)], 0.1);
  }
}

void draw_cloud(const Brush& b, const Tones& t, Rng& rng) {
  Path p = Path::round_rect({-0.92, 0, 1.84, 0.56}, 0.28);
  p.add(Path::circle({-0.36, 0.02}, 0.4)).add(Path::circle({0.24, -0.1}, 0.52)).add(Path::circle({0.6, 0.16}, 0.3));
  const Color top = rng.chance(0.4) ? mix(t.pop, t.light, 0.5f) : mix(t.main, t.light, 0.6f);
  b.fill(p, Paint::linear({0, -0.6}, {0, 0.6}, top, t.main));
  b.stroke(Path::arc({0.24, -0.1}, 0.36, 200, 290), with_opacity(t.light, 0.75f), 0.06);
}

void draw_orange(const Brush& b, const Tones& t, Rng& rng) {
  const Color rind = rng.chance(0.5) ? t.pop : t.main;
  b.fill(Path::circle({0, 0}, 0.95), rind);
  b.fill(Path::circle({0, 0}, 0.83), mix(rind, t.light, 0.8f));
  const int parts = 8;
  for (int i = 0; i < parts; ++i) {
    Path p;
    const double a = 360.0 / parts * i;
    p.move_to(polar({0, 0}, 0.1, a))
        .line_to(polar({0, 0}, 0.72, a - 17))
        .quad_to(polar({0, 0}, 0.86, a), polar({0, 0}, 0.72, a + 17))
        .close();
    b.fill(p, mix(rind, t.light, i % 2 == 0 ? 0.12f : 0.28f));
  }
}

void draw_cherry(const Brush& b, const Tones& t, Rng&) {
  const std::array<Point, 3> left = {{{-0.42, 0.3}, {-0.2, -0.35}, {0.2, -0.86}}},
                             right = {{{0.46, 0.44}, {0.42, -0.2}, {0.2, -0.86}}};
  b.stroke(Path::smooth(left), t.deep, 0.055);
  b.stroke(Path::smooth(right), t.deep, 0.055);
  draw_leaf(b.at({-0.14, -0.8}, 0.34, -72), t, t.main);
  for (const Point at : {Point{-0.44, 0.46}, Point{0.48, 0.58}}) {
    b.fill(Path::circle(at, 0.38), Paint::linear(at + Point{-0.3, -0.3}, at + Point{0.3, 0.35},
                                                 mix(t.pop, t.light, 0.2f), mix(t.pop, t.deep, 0.18f)));
    b.stroke(Path::arc(at, 0.25, 190, 250), with_opacity(t.light, 0.8f), 0.06);
  }
}

void draw_cookie(const Brush& b, const Tones& t, Rng& rng) {
  std::vector<Point> rim;
  for (int i = 0; i < 18; ++i) rim.push_back(polar({0, 0}, 0.92 + rng.between(-0.02, 0.02), 20.0 * i));
  b.fill(Path::blob(rim),
         Paint::linear({-0.7, -0.7}, {0.7, 0.8}, mix(t.main, t.light, 0.25f), mix(t.main, t.deep, 0.15f)));
  for (int i = 0; i < 9; ++i) {
    const Point at = polar({0, 0}, i == 0 ? 0.06 : (i % 2 == 0 ? 0.38 : 0.64), i * 41.0 + rng.between(-8, 8));
    b.at(at, rng.between(0.09, 0.14), rng.between(0, 180))
        .fill(Path::round_rect({-1, -0.8, 2, 1.6}, 0.6), i % 4 == 3 ? t.pop : mix(t.main, rgb(0x2A1408), 0.62f));
  }
}

void draw_bowl(const Brush& b, const Tones& t, Rng& rng) {
  for (int i = 0; i < 3; ++i) {
    const double x = -0.34 + 0.34 * i, lift = i == 1 ? -0.12 : 0;
    const std::array<Point, 4> steam = {
        {{x, -0.42 + lift}, {x + 0.08, -0.58 + lift}, {x - 0.06, -0.74 + lift}, {x + 0.02, -0.9 + lift}}};
    b.stroke(Path::smooth(steam), with_opacity(t.deep, 0.45f), 0.05);
  }
  b.fill(Path::ellipse({0, 0.02}, 0.74, 0.32), mix(t.pop, t.light, 0.35f));
  for (int i = 0; i < 5; ++i)
    b.fill(Path::circle({-0.48 + 0.24 * i, -0.1 + 0.09 * ((i + rng.below(2)) % 2)}, 0.15),
           i % 2 == 0 ? t.pop : mix(t.pop, t.light, 0.6f));
  Path p;
  p.move_to({-0.92, 0.02}).line_to({0.92, 0.02}).curve_to({0.9, 0.55}, {0.5, 0.86}, {0.3, 0.86}).line_to({-0.3, 0.86});
  p.curve_to({-0.5, 0.86}, {-0.9, 0.55}, {-0.92, 0.02}).close();
  b.fill(p, Paint::linear({-0.8, 0}, {0.8, 0.9}, mix(t.main, t.light, 0.15f), mix(t.main, t.deep, 0.3f)));
  b.stroke(Path::line({-0.7, 0.26}, {0.7, 0.26}), with_opacity(t.light, 0.5f), 0.05);
}

constexpr std::array<Motif, 17> kMotifs = {{
    {"drop", draw_drop},
    {"ripple", draw_ripple},
    {"sprig", draw_sprig},
    {"leaf", draw_big_leaf, true},
    {"clover", draw_clover},
    {"flower", draw_flower, true},
    {"feather", draw_feather, true},
    {"sun", draw_sun, true},
    {"glow", draw_glow, true},
    {"moon", draw_moon},
    {"flame", draw_flame},
    {"wind", draw_wind},
    {"cloud", draw_cloud},
    {"orange", draw_orange, true},
    {"cherry", draw_cherry},
    {"cookie", draw_cookie, true},
    {"bowl", draw_bowl},
}};

}  // namespace

std::span<const Motif> nature_motifs() { return kMotifs; }

}  // namespace onggi::pictures
