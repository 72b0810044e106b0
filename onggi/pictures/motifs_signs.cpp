// Signs and abstract figures.

#include <array>
#include <vector>

#include "onggi/pictures/motif.h"

namespace onggi::pictures {
namespace {

Path star_path(double waist) {
  Path p;
  p.move_to({0, -1});
  for (int i = 0; i < 4; ++i) {
    const Point tip = polar({0, 0}, 1, -90 + 90 * (i + 1));
    const Point inner = polar({0, 0}, waist, -45 + 90 * i);
    p.curve_to(inner * 0.6 + polar({0, 0}, 0.1, -90 + 90 * i), inner * 0.6 + polar({0, 0}, 0.1, 90.0 * i), tip);
  }
  p.close();
  return p;
}

void draw_sparkle(const Brush& b, const Tones& t, Rng& rng) {
  const bool is_pop = rng.chance(0.5);
  b.at({-0.14, 0.14}, 0.8)
      .fill(star_path(0.2), Paint::linear({-0.5, -0.8}, {0.5, 0.8}, mix(t.main, t.light, 0.3f), t.main));
  b.at({0.62, -0.58}, 0.36).fill(star_path(0.2), is_pop ? t.pop : t.deep);
  b.at({0.66, 0.66}, 0.22).fill(star_path(0.2), is_pop ? t.deep : t.pop);
}

void draw_clock(const Brush& b, const Tones& t, Rng& rng) {
  b.fill(Path::circle({0, 0}, 0.95),
         Paint::linear({-0.7, -0.7}, {0.7, 0.7}, mix(t.main, t.light, 0.2f), mix(t.main, t.deep, 0.12f)));
  b.fill(Path::circle({0, 0}, 0.76), mix(t.main, t.light, 0.85f));
  for (int i = 0; i < 12; ++i)
    b.stroke(Path::line(polar({0, 0}, i % 3 == 0 ? 0.58 : 0.63, 30.0 * i), polar({0, 0}, 0.67, 30.0 * i)),
             mix(t.deep, t.ground, 0.1f), i % 3 == 0 ? 0.05 : 0.03);
  const double hour = 30.0 * rng.below(12);
  b.stroke(Path::arc({0, 0}, 0.46, -90, -90 + 200 + rng.between(0, 90)), with_opacity(t.pop, 0.9f), 0.12);
  const Color hand = luminance(t.deep) < 0.4f ? t.deep : t.ground;
  b.stroke(Path::line({0, 0}, polar({0, 0}, 0.32, hour)), hand, 0.07);
  b.stroke(Path::line({0, 0}, polar({0, 0}, 0.54, hour + 130)), hand, 0.045);
  b.fill(Path::circle({0, 0}, 0.07), hand);
}

void draw_molecule(const Brush& whole, const Tones& t, Rng& rng) {
  const Brush b = whole.at({0, 0}, 0.84);
  const std::array<Point, 2> centers = {{{-0.32, 0.2}, {0.4, -0.22}}};
  const double turn = rng.between(-8, 8);
  std::vector<Point> nodes;
  for (const Point c : centers) {
    for (int i = 0; i < 6; ++i) {
      const Point a = polar(c, 0.42, 30 + 60 * i + turn), d = polar(c, 0.42, 90 + 60 * i + turn);
      b.stroke(Path::line(a, d), t.deep, 0.055);
      nodes.push_back(a);
    }
  }
  const Point end = polar(centers[1], 0.78, -30 + turn), far = polar(centers[0], 0.72, 150 + turn);
  b.stroke(Path::line(polar(centers[1], 0.42, -30 + turn), end), t.deep, 0.055);
  b.stroke(Path::line(polar(centers[0], 0.42, 150 + turn), far), t.deep, 0.055);
  for (std::size_t i = 0; i < nodes.size(); ++i)
    b.fill(Path::circle(nodes[i], i % 3 == 0 ? 0.13 : 0.09), i % 3 == 0 ? t.pop : t.main);
  b.fill(Path::circle(end, 0.16), t.main);
  b.fill(Path::circle(far, 0.13), t.pop);
}

void draw_shield(const Brush& b, const Tones& t, Rng&) {
  Path p;
  p.move_to({0, -0.96})
      .curve_to({0.3, -0.76}, {0.56, -0.7}, {0.78, -0.68})
      .curve_to({0.82, 0.1}, {0.6, 0.66}, {0, 0.96});
  p.curve_to({-0.6, 0.66}, {-0.82, 0.1}, {-0.78, -0.68}).curve_to({-0.56, -0.7}, {-0.3, -0.76}, {0, -0.96}).close();
  b.fill(p, Paint::linear({-0.7, -0.8}, {0.7, 0.8}, mix(t.main, t.light, 0.25f), mix(t.main, t.deep, 0.15f)));
  Path half;
  half.move_to({0, -0.96})
      .curve_to({0.3, -0.76}, {0.56, -0.7}, {0.78, -0.68})
      .curve_to({0.82, 0.1}, {0.6, 0.66}, {0, 0.96})
      .close();
  b.fill(half, with_opacity(t.deep, 0.12f));
  Path check;
  check.move_to({-0.32, 0.0}).line_to({-0.08, 0.26}).line_to({0.36, -0.28});
  b.stroke(check, mix(t.light, t.pop, 0.15f), 0.14);
}

void draw_gauge(const Brush& b, const Tones& t, Rng& rng) {
  const int parts = 5;
  for (int i = 0; i < parts; ++i)
    b.stroke(Path::arc({0, 0.3}, 0.8, 180 + 36 * i + 5, 180 + 36 * (i + 1) - 5),
             i == parts - 1 ? t.pop : mix(mix(t.main, t.light, 0.55f), t.main, 0.25f * static_cast<float>(i)), 0.2);
  const double angle = rng.between(-60, -25);
  b.stroke(Path::line({0, 0.3}, polar({0, 0.3}, 0.52, angle)), t.deep, 0.08);
  b.fill(Path::circle({0, 0.3}, 0.14), t.deep);
  b.fill(Path::circle({0, 0.3}, 0.05), t.light);
  b.stroke(Path::line({-0.5, 0.68}, {0.5, 0.68}), with_opacity(t.deep, 0.35f), 0.06);
}

void draw_dial(const Brush& b, const Tones& t, Rng& rng) {
  for (int i = 0; i < 11; ++i) {
    const double angle = 150 + 24.0 * i;
    b.stroke(Path::line(polar({0, 0}, 0.82, angle), polar({0, 0}, 0.94, angle)),
             i < 7 ? t.pop : with_opacity(t.deep, 0.5f), 0.05);
  }
  b.fill(Path::circle({0, 0}, 0.66),
         Paint::linear({-0.5, -0.6}, {0.5, 0.6}, mix(t.main, t.light, 0.45f), mix(t.main, t.deep, 0.2f)));
  b.fill(Path::circle({0, 0}, 0.52),
         Paint::linear({-0.4, -0.5}, {0.4, 0.5}, mix(t.main, t.light, 0.15f), mix(t.main, t.light, 0.4f)));
  const double angle = rng.between(280, 320);
  b.stroke(Path::line(polar({0, 0}, 0.24, angle), polar({0, 0}, 0.42, angle)), t.deep, 0.09);
}

void draw_sliders(const Brush& b, const Tones& t, Rng& rng) {
  for (int i = 0; i < 3; ++i) {
    const double y = -0.54 + 0.54 * i, at = rng.between(-0.5, 0.5);
    b.stroke(Path::line({-0.84, y}, {0.84, y}), with_opacity(t.deep, 0.3f), 0.13);
    b.stroke(Path::line({-0.84, y}, {at, y}), i == 1 ? t.pop : t.main, 0.13);
    b.fill(Path::circle({at, y}, 0.19), t.light);
    b.stroke(Path::circle({at, y}, 0.19), t.deep, 0.05);
  }
}

void draw_quiet(const Brush& b, const Tones& t, Rng& rng) {
  const std::array<double, 11> heights = {0.1, 0.24, 0.48, 0.8, 0.52, 0.34, 0.2, 0.13, 0.08, 0.06, 0.05};
  const bool is_reversed = rng.chance(0.5);
  for (std::size_t i = 0; i < heights.size(); ++i) {
    const double x = (is_reversed ? -1 : 1) * (-0.9 + 0.18 * static_cast<double>(i)), h = heights[i];
    b.stroke(Path::line({x, -h}, {x, h}), i == 3 ? t.pop : (i > 6 ? with_opacity(t.deep, 0.55f) : t.main), 0.095);
  }
}

void draw_ruler(const Brush& b0, const Tones& t, Rng& rng) {
  const Brush b = b0.at({0, 0}, 1, rng.between(-38, -24));
  b.fill(Path::round_rect({-0.98, -0.3, 1.96, 0.6}, 0.08),
         Paint::linear({0, -0.3}, {0, 0.3}, mix(t.main, t.light, 0.3f), t.main));
  for (int i = 0; i < 13; ++i) {
    const double x = -0.86 + 0.143 * i;
    b.stroke(Path::line({x, -0.29}, {x, i % 4 == 0 ? 0.06 : -0.1}), t.deep, 0.03);
  }
  b.fill(Path::circle({0.8, 0.16}, 0.07), t.ground);
  b.fill(Path::circle({-0.29, 0.16}, 0.06), t.pop);
}

void draw_bauhaus(const Brush& b, const Tones& t, Rng& rng) {
  const std::array<Color, 4> colors = {t.main, t.pop, t.deep, mix(t.main, t.light, 0.5f)};
  const int shift = rng.below(4);
  for (int i = 0; i < 4; ++i) {
    const Point corner{i % 2 == 0 ? -0.94 : 0.02, i < 2 ? -0.94 : 0.02};
    const Color c = colors[static_cast<std::size_t>((i + shift) % 4)],
                d = colors[static_cast<std::size_t>((i + shift + 2) % 4)];
    const Brush cell = b.at(corner + Point{0.46, 0.46}, 0.46, 90.0 * rng.below(4));
    switch ((i + shift) % 4) {
      case 0: {
        Path quarter = Path::arc({-1, -1}, 2, 0, 90);
        quarter.line_to({-1, -1}).close();
        cell.fill(quarter, c);
        break;
      }
      case 1:
        cell.fill(Path::circle({0, 0}, 1), c);
        cell.fill(Path::circle({0, 0}, 0.45), d);
        break;
      case 2: cell.fill(Path::polygon(std::array<Point, 3>{{{-1, 1}, {1, 1}, {1, -1}}}), c); break;
      default:
        for (int k = 0; k < 4; ++k) cell.fill(Path::rect({-1 + 0.52 * k, -1, 0.3, 2}), c);
    }
  }
}

void draw_heart(const Brush& b, const Tones& t, Rng&) {
  Path p;
  p.move_to({0, 0.88})
      .curve_to({-0.5, 0.5}, {-0.96, 0.1}, {-0.94, -0.32})
      .curve_to({-0.92, -0.74}, {-0.36, -0.96}, {0, -0.46});
  p.curve_to({0.36, -0.96}, {0.92, -0.74}, {0.94, -0.32}).curve_to({0.96, 0.1}, {0.5, 0.5}, {0, 0.88}).close();
  b.fill(p, Paint::linear({-0.7, -0.7}, {0.6, 0.8}, mix(t.pop, t.light, 0.2f), mix(t.pop, t.main, 0.4f)));
  b.stroke(Path::arc({-0.46, -0.3}, 0.28, 170, 250), with_opacity(t.light, 0.75f), 0.08);
}

void draw_arches(const Brush& b, const Tones& t, Rng& rng) {
  const std::array<Color, 4> colors = {t.deep, t.main, t.pop, mix(t.main, t.light, 0.55f)};
  const int shift = rng.below(4);
  for (int i = 0; i < 4; ++i)
    b.stroke(Path::arc({0, 0.62}, 0.86 - 0.21 * i, 180, 360), colors[static_cast<std::size_t>((i + shift) % 4)], 0.17);
}

void draw_orbit(const Brush& b, const Tones& t, Rng& rng) {
  const double tilt = rng.between(-30, 30);
  const Brush ring = b.at({0, 0}, 1, tilt);
  ring.stroke(Path::ellipse({0, 0}, 0.95, 0.36), t.deep, 0.045);
  b.fill(Path::circle({0, 0}, 0.5), Paint::radial({-0.16, -0.18}, 0.75, mix(t.main, t.light, 0.5f), t.main));
  b.at({0, 0}, 1, tilt).fill(Path::circle({0.78, 0.2}, 0.14), t.pop);
  b.at({0, 0}, 1, tilt).fill(Path::circle({-0.62, -0.28}, 0.08), t.deep);
}

constexpr std::array<Motif, 13> kMotifs = {{
    {"sparkle", draw_sparkle, true},
    {"clock", draw_clock},
    {"molecule", draw_molecule, true},
    {"shield", draw_shield},
    {"gauge", draw_gauge},
    {"dial", draw_dial},
    {"sliders", draw_sliders},
    {"quiet", draw_quiet},
    {"ruler", draw_ruler, true},
    {"bauhaus", draw_bauhaus},
    {"heart", draw_heart},
    {"arches", draw_arches},
    {"orbit", draw_orbit, true},
}};

}  // namespace

std::span<const Motif> sign_motifs() { return kMotifs; }

}  // namespace onggi::pictures
