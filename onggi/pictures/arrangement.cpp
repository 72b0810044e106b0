#include "onggi/pictures/arrangement.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

namespace onggi::pictures {
namespace {

double small_side(const Rect& r) { return std::min(r.w, r.h); }

double turn_of(const ArtArea& a, double most) {
  return a.motif.turns ? a.rng.between(-most, most) : a.rng.between(-6, 6);
}

void put(const ArtArea& a, Point at, double radius, double degrees = 0) {
  a.motif.draw(Brush(a.scene, at, radius, degrees), a.tones, a.rng);
}

Point inside(const Rect& r, double x, double y) { return {r.x + r.w * x, r.y + r.h * y}; }

/// A soft disc or blob for one figure to stand on.
void draw_backdrop(const ArtArea& a, Point at, double radius) {
  const Color soft = with_opacity(a.tones.soft, 0.9f);
  switch (a.rng.below(4)) {
    case 0: a.scene.fill(Path::circle(at, radius), soft); break;
    case 1: {
      std::vector<Point> rim;
      for (int i = 0; i < 7; ++i) rim.push_back(polar(at, radius * a.rng.between(0.86, 1.12), 360.0 / 7 * i));
      a.scene.fill(Path::blob(rim), soft);
      break;
    }
    case 2:
      a.scene.fill(Path::circle(at, radius * 0.98), with_opacity(a.tones.soft, 0.55f));
      a.scene.fill(Path::circle(at, radius * 0.76), soft);
      break;
    default:
      a.scene.fill(Path::circle(at, radius * 0.92), soft);
      a.scene.stroke(Path::circle(at, radius * 1.04), with_opacity(a.tones.deep, 0.35f), radius * 0.012);
  }
}

void draw_single(const ArtArea& a) {
  const double r = small_side(a.area) * 0.33;
  const Point at = a.area.center();
  draw_backdrop(a, at, r * 1.36);
  put(a, at, r, turn_of(a, 20));
}

void draw_trio(const ArtArea& a) {
  const double r = small_side(a.area) * 0.27;
  const double side = a.rng.sign();
  const Point c = a.area.center();
  draw_backdrop(a, c + Point{side * r * 0.1, 0}, r * 1.62);
  put(a, c + Point{side * r * 1.22, r * 0.72}, r * 0.62, turn_of(a, 30));
  put(a, c + Point{side * r * 1.02, -r * 0.98}, r * 0.42, turn_of(a, 40));
  put(a, c + Point{-side * r * 0.42, 0}, r * 1.02, turn_of(a, 14));
}

void draw_scatter(const ArtArea& a) {
  // Darts thrown until no more find room (Poisson disc by rejection).
  std::vector<std::pair<Point, double>> taken;
  const double unit = std::sqrt(a.area.w * a.area.h);
  for (int i = 0; i < 260 && taken.size() < 15; ++i) {
    const double r = unit * (taken.size() < 3 ? a.rng.between(0.15, 0.19) : a.rng.between(0.045, 0.1));
    const Point at = inside(a.area, a.rng.between(-0.02, 1.02), a.rng.between(-0.02, 1.02));
    const bool is_free = std::all_of(taken.begin(), taken.end(), [&](const auto& other) {
      return std::hypot(at.x - other.first.x, at.y - other.first.y) > (r + other.second) * 1.12;
    });
    if (!is_free) continue;
    taken.emplace_back(at, r);
    put(a, at, r, turn_of(a, 50));
  }
}

void draw_grid(const ArtArea& a) {
  const int columns = a.area.w > 1.3 * a.area.h ? 5 : 3 + a.rng.below(2);
  const double step = a.area.w / columns;
  const int rows = std::max(1, static_cast<int>(std::ceil(a.area.h / step)));
  const double lift = (a.area.h - step * rows) / 2;
  for (int row = 0; row < rows; ++row) {
    for (int i = 0; i < columns; ++i) {
      const Point at{a.area.x + step * (i + 0.5), a.area.y + lift + step * (row + 0.5)};
      if ((row + i) % 2 == 0) {
        a.scene.fill(Path::circle(at, step * 0.42), with_opacity(a.tones.soft, 0.9f));
        put(a, at, step * 0.27, turn_of(a, 12));
      } else {
        put(a, at, step * 0.34, turn_of(a, 12));
      }
    }
  }
}

void draw_ring(const ArtArea& a) {
  const double r = small_side(a.area) * 0.26;
  const Point c = a.area.center();
  draw_backdrop(a, c, r * 1.28);
  put(a, c, r, turn_of(a, 14));
  const int count = 7 + a.rng.below(3);
  for (int i = 0; i < count; ++i) {
    const double angle = 360.0 / count * i + 12;
    const Point at = polar(c, r * 1.76, angle);
    if (i % 3 == 2) {
      a.scene.fill(Path::circle(at, r * 0.08), a.tones.pop);
    } else {
      put(a, at, r * 0.27, a.motif.turns ? angle + 90 : 0);
    }
  }
}

void draw_bleed(const ArtArea& a) {
  const double r = small_side(a.area) * 0.62;
  const double side = a.rng.sign();
  const Point c = inside(a.area, side > 0 ? 0.68 : 0.32, 0.66);
  a.scene.fill(Path::circle(c, r * 1.18), with_opacity(a.tones.soft, 0.7f));
  put(a, c, r, turn_of(a, 16));
  const Point other = inside(a.area, side > 0 ? 0.16 : 0.84, 0.3);
  put(a, other, r * 0.24, turn_of(a, 40));
  a.scene.fill(Path::circle(other + Point{side * r * 0.5, -r * 0.14}, r * 0.05), a.tones.pop);
}

void draw_rain(const ArtArea& a) {
  const int columns = a.area.w > 1.3 * a.area.h ? 7 : 5;
  const double step = a.area.w / columns;
  for (int i = 0; i < columns; ++i) {
    const double x = a.area.x + step * (i + 0.5);
    double y = a.area.y - step * 0.2 + step * 0.75 * (i % 2) + a.rng.between(0, 0.3) * step;
    for (int k = 0; y < a.area.bottom() + step * 0.4; ++k) {
      const double r = step * ((i + k) % 3 == 0 ? 0.42 : 0.27);
      put(a, {x, y}, r, turn_of(a, 10));
      y += step * 1.32;
    }
  }
}

void draw_podium(const ArtArea& a) {
  // A stage as in a shop's window: floor, two blocks, an arch behind.
  const Tones& t = a.tones;
  const double u = small_side(a.area) / 100;
  const Point c = a.area.center();
  const double floor = a.area.bottom() - a.area.h * 0.2;
  a.scene.fill(Path::rect({a.area.x, floor, a.area.w, a.area.bottom() - floor}),
               Paint::linear({0, floor}, {0, a.area.bottom()}, mix(t.soft, t.deep, 0.1f), t.soft));
  if (a.rng.chance(0.6)) {
    Path arch = Path::arc({c.x, c.y - 4 * u}, 36 * u, 180, 360);
    arch.line_to({c.x + 36 * u, floor}).line_to({c.x - 36 * u, floor}).close();
    a.scene.fill(arch, Paint::linear({c.x, c.y - 40 * u}, {c.x, floor}, t.soft, mix(t.soft, t.main, 0.4f)));
  } else {
    a.scene.fill(Path::circle({c.x, c.y - 8 * u}, 36 * u),
                 Paint::linear({c.x, c.y - 44 * u}, {c.x, c.y + 30 * u}, t.soft, mix(t.soft, t.main, 0.45f)));
  }
  const auto block = [&](double x, double top, double half, Color color) {
    const double bottom = floor + 6 * u;
    a.scene.fill(Path::ellipse({x, bottom + 0.8 * u}, half * 1.16, half * 0.2), with_opacity(t.deep, 0.16f));
    Path side = Path::line({x - half, top}, {x - half, bottom});
    side.curve_to({x - half, bottom + half * 0.22}, {x + half, bottom + half * 0.22}, {x + half, bottom})
        .line_to({x + half, top})
        .close();
    a.scene.fill(side,
                 Paint::linear({x - half, 0}, {x + half, 0}, mix(color, t.light, 0.28f), mix(color, t.deep, 0.22f)));
    a.scene.fill(Path::ellipse({x, top}, half, half * 0.17), mix(color, t.light, 0.5f));
  };
  const double side = a.rng.sign();
  const double top = floor - 9 * u;
  block(c.x + side * 27 * u, floor - 1 * u, 12 * u, mix(t.pop, t.light, 0.25f));
  block(c.x - side * 4 * u, top, 23 * u, mix(t.main, t.light, 0.35f));
  put(a, {c.x - side * 4 * u, top - 23 * u}, 24 * u);
  put(a, {c.x + side * 27 * u, floor - 11.5 * u}, 10 * u);
}

void draw_arc(const ArtArea& a) {
  // Along a rainbow, small to large.
  const int count = 5;
  const Point c{a.area.center().x, a.area.bottom() + a.area.h * 0.1};
  const double radius = std::min(a.area.w * 0.46, a.area.h * 0.86);
  for (int i = 3; i >= 1; --i)
    a.scene.stroke(Path::arc(c, radius * (0.42 + 0.1 * i), 180, 360),
                   i % 2 == 0 ? a.tones.soft : with_opacity(a.tones.main, 0.5f), radius * 0.085);
  for (int i = 0; i < count; ++i) {
    const double angle = 180 + 180.0 * (i + 0.5) / count;
    put(a, polar(c, radius, angle), radius * (i == 2 ? 0.25 : 0.16), a.motif.turns ? angle - 270 : 0);
  }
}

constexpr std::array<Arrangement, 9> kArrangements = {{
    {"single", draw_single},
    {"trio", draw_trio},
    {"scatter", draw_scatter},
    {"grid", draw_grid},
    {"ring", draw_ring},
    {"bleed", draw_bleed},
    {"rain", draw_rain},
    {"podium", draw_podium},
    {"arc", draw_arc},
}};

}  // namespace

std::span<const Arrangement> arrangements() { return kArrangements; }

}  // namespace onggi::pictures
