// Skin, hair, textures of creams and fabrics.

#include <array>
#include <cmath>
#include <vector>

#include "onggi/pictures/motif.h"

namespace onggi::pictures {
namespace {

void draw_swatch(const Brush& b0, const Tones& t, Rng& rng) {
  const Brush b = b0.at({0, 0}, 1, rng.between(-26, -8));
  const std::array<Point, 5> spine = {{{-0.62, 0.12}, {-0.3, -0.16}, {0, 0.06}, {0.32, -0.14}, {0.6, 0.04}}};
  const Color color = rng.chance(0.35) ? mix(t.pop, t.light, 0.2f) : t.main;
  b.stroke(Path::smooth(spine),
           Paint::linear({-0.8, 0}, {0.8, 0}, mix(color, t.light, 0.35f), mix(color, t.deep, 0.1f)), 0.68);
  for (int i = 0; i < 4; ++i) {
    const double dy = -0.21 + 0.14 * i;
    std::vector<Point> line;
    for (const Point p : spine) line.push_back({p.x * (0.96 - 0.1 * (i % 2)), p.y + dy});
    b.stroke(Path::smooth(line), with_opacity(i % 2 == 0 ? t.light : t.deep, i % 2 == 0 ? 0.5f : 0.14f), 0.04);
  }
}

void draw_cream(const Brush& b, const Tones& t, Rng& rng) {
  // A dab seen from above, turned in with a spatula.
  const Color color = rng.chance(0.4) ? mix(t.pop, t.light, 0.35f) : mix(t.main, t.light, 0.3f);
  std::vector<Point> rim;
  for (int i = 0; i < 9; ++i) rim.push_back(polar({0, 0}, 0.88 + 0.07 * ((i * 5) % 3 - 1), 40.0 * i));
  b.fill(Path::blob(rim), Paint::linear({-0.7, -0.7}, {0.7, 0.8}, mix(color, t.light, 0.5f), mix(color, t.deep, 0.1f)));
  const double turn = rng.between(0, 360);
  for (int arm = 0; arm < 3; ++arm) {
    std::vector<Point> curl;
    for (int i = 0; i <= 12; ++i) curl.push_back(polar({0, 0}, 0.78 - 0.058 * i, turn + 120 * arm + 24.0 * i));
    const Path line = Path::smooth(curl);
    b.stroke(line, with_opacity(t.deep, 0.13f), 0.13);
    b.stroke(line.transformed(Matrix::translation({-0.035, -0.045})), with_opacity(t.light, 0.6f), 0.06);
  }
}

void draw_pebbles(const Brush& b, const Tones& t, Rng& rng) {
  const std::array<Color, 3> colors = {mix(t.main, t.deep, 0.15f), mix(t.main, t.light, 0.4f),
                                       rng.chance(0.6) ? t.pop : t.main};
  for (int i = 0; i < 3; ++i) {
    const double y = 0.58 - 0.52 * i, w = 0.84 - 0.19 * i, x = rng.between(-0.08, 0.08);
    const Color c = colors[static_cast<std::size_t>(i)];
    b.fill(Path::ellipse({x, y}, w, 0.29), Paint::linear({x - w, y - 0.3}, {x + w, y + 0.3}, mix(c, t.light, 0.3f), c));
    b.stroke(Path::arc({x - 0.1, y + 0.28}, w * 0.62, 232, 268), with_opacity(t.light, 0.55f), 0.05);
  }
}

void draw_silk(const Brush& b, const Tones& t, Rng& rng) {
  b.clip(Path::circle({0, 0}, 0.95));
  b.fill(Path::circle({0, 0}, 0.95), mix(t.main, t.light, 0.55f));
  const double phase = rng.between(0, 2);
  for (int i = 0; i < 6; ++i) {
    std::vector<Point> top;
    for (int k = 0; k <= 8; ++k) {
      const double x = -1.1 + 0.275 * k;
      top.push_back({x, -0.75 + 0.34 * i + 0.15 * std::sin(2.6 * x + phase + 0.5 * i)});
    }
    Path p = Path::smooth(top);
    p.line_to({1.1, 1.2}).line_to({-1.1, 1.2}).close();
    const float share = 0.1f + 0.16f * static_cast<float>(i);
    b.fill(p, Paint::linear({-1, 0}, {1, 0.2}, mix(mix(t.main, t.light, 0.5f), i == 3 ? t.pop : t.deep, share * 0.75f),
                            mix(mix(t.main, t.light, 0.15f), t.deep, share * 0.6f)));
  }
  b.unclip();
}

void draw_bounce(const Brush& b, const Tones& t, Rng& rng) {
  double x = -0.95;
  for (int i = 0; i < 3; ++i) {
    const double span = 0.82 - 0.22 * i, height = 1.25 - 0.42 * i;
    Path p;
    p.move_to({x, 0.62}).curve_to({x + span * 0.25, 0.62 - height}, {x + span * 0.75, 0.62 - height}, {x + span, 0.62});
    b.dashed(p, with_opacity(t.deep, 0.7f), 0.045, 0.02, 0.13);
    x += span;
  }
  b.stroke(Path::line({-0.95, 0.8}, {0.95, 0.8}), t.deep, 0.05);
  const Point ball{-0.54 + rng.between(-0.05, 0.05), -0.42};
  b.fill(Path::circle(ball, 0.32), Paint::radial(ball + Point{-0.1, -0.12}, 0.5, mix(t.pop, t.light, 0.5f), t.pop));
  b.fill(Path::ellipse({0.62, 0.6}, 0.24, 0.18), Paint::radial({0.55, 0.52}, 0.36, mix(t.main, t.light, 0.5f), t.main));
}

void draw_layers(const Brush& b, const Tones& t, Rng& rng) {
  const std::array<Color, 3> colors = {t.deep, t.main, rng.chance(0.5) ? t.pop : mix(t.main, t.light, 0.5f)};
  const bool is_round = rng.chance(0.5);
  for (int i = 0; i < 3; ++i) {
    const Point at{-0.32 + 0.32 * i, 0.3 - 0.3 * i};
    const Rect r{at.x - 0.56, at.y - 0.56, 1.12, 1.12};
    b.fill(is_round ? Path::circle(at, 0.58) : Path::round_rect(r, 0.16),
           with_opacity(colors[static_cast<std::size_t>(i)], i == 0 ? 1.0f : 0.82f));
  }
}

void draw_pans(const Brush& b, const Tones& t, Rng& rng) {
  b.fill(Path::round_rect({-0.94, -0.94, 1.88, 1.88}, 0.26), mix(t.deep, t.ground, 0.06f));
  const std::array<Color, 4> colors = {t.main, mix(t.pop, t.light, 0.1f), mix(t.main, t.light, 0.55f),
                                       mix(t.main, t.pop, 0.5f)};
  const int first = rng.below(4);
  for (int i = 0; i < 4; ++i) {
    const Point at{i % 2 == 0 ? -0.42 : 0.42, i < 2 ? -0.42 : 0.42};
    const Color c = colors[static_cast<std::size_t>((i + first) % 4)];
    b.fill(Path::circle(at, 0.35),
           Paint::linear(at + Point{-0.3, -0.3}, at + Point{0.3, 0.3}, mix(c, t.light, 0.2f), mix(c, t.deep, 0.12f)));
    b.stroke(Path::arc(at, 0.24, 170, 260), with_opacity(t.light, 0.5f), 0.04);
  }
}

void draw_lipstick(const Brush& b, const Tones& t, Rng&) {
  Path p;
  p.move_to({-0.27, -0.1})
      .line_to({-0.27, -0.62})
      .curve_to({-0.2, -0.84}, {0.1, -0.98}, {0.27, -0.98})
      .line_to({0.27, -0.1})
      .close();
  b.fill(p, Paint::linear({-0.27, 0}, {0.27, 0}, mix(t.pop, t.light, 0.25f), mix(t.pop, t.deep, 0.15f)));
  b.fill(Path::rect({-0.33, -0.12, 0.66, 0.34}),
         Paint::linear({-0.33, 0}, {0.33, 0}, mix(t.main, t.light, 0.65f), t.main));
  b.fill(Path::round_rect({-0.43, 0.2, 0.86, 0.78}, 0.06),
         Paint::linear({-0.43, 0}, {0.43, 0}, mix(t.deep, t.light, 0.18f), t.deep));
  b.stroke(Path::line({-0.28, 0.34}, {-0.28, 0.84}), with_opacity(t.light, 0.4f), 0.05);
}

void draw_bubbles(const Brush& b, const Tones& t, Rng& rng) {
  const std::array<std::array<double, 3>, 7> places = {{{-0.3, 0.3, 0.52},
                                                        {0.46, 0.1, 0.4},
                                                        {0.02, -0.46, 0.33},
                                                        {0.4, 0.7, 0.2},
                                                        {-0.64, -0.32, 0.2},
                                                        {0.58, -0.54, 0.17},
                                                        {-0.3, -0.86, 0.1}}};
  for (const auto& [x, y, size] : places) {
    const Point at{x + rng.between(-0.05, 0.05), y + rng.between(-0.05, 0.05)};
    const double r = size * rng.between(0.9, 1.05);
    b.fill(Path::circle(at, r),
           Paint::radial(at, r, with_opacity(t.main, 0.12f), with_opacity(size < 0.25 ? t.pop : t.main, 0.75f)));
    b.stroke(Path::arc(at, r * 0.72, 195, 260), with_opacity(t.light, 0.95f), 0.16 * r);
    b.fill(Path::circle(at + Point{r * 0.42, r * 0.42}, r * 0.09), with_opacity(t.light, 0.9f));
  }
}

void draw_comb(const Brush& b0, const Tones& t, Rng& rng) {
  const Brush b = b0.at({0, 0}, 1, rng.between(-30, -12));
  b.fill(Path::round_rect({-0.95, -0.5, 1.9, 0.44}, 0.22),
         Paint::linear({-1, 0}, {1, 0}, mix(t.main, t.light, 0.2f), mix(t.main, t.deep, 0.15f)));
  for (int i = 0; i < 11; ++i) {
    const double x = -0.78 + 0.156 * i;
    b.fill(Path::round_rect({x - 0.045, -0.2, 0.09, 0.76}, 0.045), i % 5 == 2 ? t.pop : t.main);
  }
  b.stroke(Path::line({-0.7, -0.32}, {0.5, -0.32}), with_opacity(t.light, 0.5f), 0.05);
}

void draw_strands(const Brush& b, const Tones& t, Rng& rng) {
  b.clip(Path::circle({0, 0}, 0.95));
  b.fill(Path::circle({0, 0}, 0.95), mix(t.main, t.light, 0.62f));
  const double bend = rng.between(0.25, 0.45) * rng.sign();
  for (int i = 0; i < 15; ++i) {
    const double x = -1.25 + 0.18 * i;
    const std::array<Point, 4> line = {{{x, -1.1}, {x + bend, -0.35}, {x - bend * 0.7, 0.4}, {x + bend * 0.5, 1.1}}};
    const Color c = i % 5 == 0 ? t.pop : mix(t.main, t.deep, 0.12f + 0.11f * static_cast<float>(i % 4));
    b.stroke(Path::smooth(line), c, 0.12);
    if (i % 3 == 1)
      b.stroke(Path::smooth(line).transformed(Matrix::translation({-0.03, 0})), with_opacity(t.light, 0.4f), 0.02);
  }
  b.unclip();
}

void draw_weave(const Brush& b, const Tones& t, Rng& rng) {
  b.clip(rng.chance(0.5) ? Path::circle({0, 0}, 0.95) : Path::round_rect({-0.9, -0.9, 1.8, 1.8}, 0.3));
  b.fill(Path::rect({-1, -1, 2, 2}), mix(t.main, t.deep, 0.4f));
  const int n = 7;
  const double step = 2.0 / n;
  for (int i = 0; i < n; ++i) {
    for (int k = 0; k < n; ++k) {
      const Rect cell{-1 + step * i, -1 + step * k, step, step};
      const bool is_warp = (i + k) % 2 == 0;
      const Color c = is_warp ? mix(t.main, t.light, 0.35f) : (k % 3 == 1 ? t.pop : t.main);
      const Rect thread = is_warp ? Rect{cell.x + step * 0.08, cell.y - step * 0.06, step * 0.84, step * 1.12}
                                  : Rect{cell.x - step * 0.06, cell.y + step * 0.08, step * 1.12, step * 0.84};
      b.fill(Path::round_rect(thread, step * 0.22),
             is_warp ? Paint::linear({thread.x, 0}, {thread.right(), 0}, c, mix(c, t.deep, 0.15f))
                     : Paint::linear({0, thread.y}, {0, thread.bottom()}, c, mix(c, t.deep, 0.15f)));
    }
  }
  b.unclip();
}

void draw_knit(const Brush& b, const Tones& t, Rng&) {
  b.clip(Path::round_rect({-0.92, -0.92, 1.84, 1.84}, 0.34));
  b.fill(Path::rect({-1, -1, 2, 2}), mix(t.main, t.deep, 0.35f));
  for (int row = -1; row < 8; ++row) {
    for (int i = 0; i < 6; ++i) {
      const Point at{-0.8 + 0.32 * i, -0.9 + 0.27 * row};
      const Color c = (row + 8) % 4 == 2 ? mix(t.pop, t.light, 0.1f) : mix(t.main, t.light, 0.22f);
      for (const double side : {-1.0, 1.0})
        b.at(at + Point{side * 0.075, 0}, 0.17, side * -28)
            .fill(Path::ellipse({0, 0}, 0.48, 1.02),
                  Paint::linear({-0.5, 0}, {0.5, 0}, mix(c, t.light, 0.12f), mix(c, t.deep, 0.14f)));
    }
  }
  b.unclip();
}

void draw_skin(const Brush& b, const Tones& t, Rng&) {
  // Layers of skin that drops sink into.
  for (int i = 0; i < 3; ++i) {
    const double y = 0.1 + 0.28 * i;
    Path p;
    p.move_to({-0.92, y}).curve_to({-0.4, y - 0.16}, {0.1, y + 0.16}, {0.92, y - 0.06}).line_to({0.92, y + 0.3});
    p.curve_to({0.1, y + 0.46}, {-0.4, y + 0.14}, {-0.92, y + 0.3}).close();
    b.fill(p, mix(mix(t.pop, t.light, 0.55f), t.main, 0.36f * static_cast<float>(i)));
  }
  for (int i = 0; i < 3; ++i) {
    const double x = -0.5 + 0.5 * i, y = -0.55 + (i == 1 ? 0.22 : 0);
    Path arrow = Path::line({x, y + 0.38}, {x, y + 0.78});
    arrow.move_to({x - 0.1, y + 0.67}).line_to({x, y + 0.79}).line_to({x + 0.1, y + 0.67});
    b.stroke(arrow, with_opacity(t.deep, 0.75f), 0.045);
    b.fill(Path::circle({x, y}, 0.2), Paint::radial({x - 0.06, y - 0.07}, 0.3, mix(t.main, t.light, 0.6f), t.main));
  }
}

constexpr std::array<Motif, 14> kMotifs = {{
    {"swatch", draw_swatch, true},
    {"cream", draw_cream},
    {"pebbles", draw_pebbles},
    {"silk", draw_silk},
    {"bounce", draw_bounce},
    {"layers", draw_layers, true},
    {"pans", draw_pans, true},
    {"lipstick", draw_lipstick},
    {"bubbles", draw_bubbles, true},
    {"comb", draw_comb, true},
    {"strands", draw_strands},
    {"weave", draw_weave, true},
    {"knit", draw_knit},
    {"skin", draw_skin},
}};

}  // namespace

std::span<const Motif> care_motifs() { return kMotifs; }

}  // namespace onggi::pictures
