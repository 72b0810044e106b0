#include <array>
#include <cmath>
#include <vector>

#include "onggi/pictures/arrangement.h"

namespace onggi::pictures {
namespace {

double unit_of(const ArtArea& a) { return std::sqrt(a.area.w * a.area.h) / 100; }

void draw_dots(const ArtArea& a) {
  const double step = unit_of(a) * a.rng.between(7, 10), r = step * a.rng.between(0.16, 0.3);
  int row = 0;
  for (double y = a.area.y + step / 2; y < a.area.bottom() + r; y += step * 0.87, ++row) {
    for (double x = a.area.x + (row % 2) * step / 2; x < a.area.right() + r; x += step)
      a.scene.fill(Path::circle({x, y}, r), row % 4 == 3 ? a.tones.pop : a.tones.main);
  }
}

void draw_waves(const ArtArea& a) {
  const double step = unit_of(a) * a.rng.between(7, 10), length = step * 2.6;
  int row = 0;
  for (double y = a.area.y - step; y < a.area.bottom() + step; y += step, ++row) {
    Path p;
    p.move_to({a.area.x - length, y});
    int k = 0;
    for (double x = a.area.x - length; x < a.area.right() + length; x += length / 2, ++k) {
      const double bend = (k % 2 == 0 ? 1 : -1) * step * 0.55;
      p.curve_to({x + length / 6, y + bend}, {x + length / 3, y + bend}, {x + length / 2, y});
    }
    a.scene.stroke(p, row % 3 == 0 ? a.tones.main : row % 3 == 1 ? a.tones.soft : a.tones.pop, step * 0.26);
  }
}

void draw_scallops(const ArtArea& a) {
  const double r = unit_of(a) * a.rng.between(7, 9.5);
  int row = 0;
  for (double y = a.area.y - r; y < a.area.bottom() + 2 * r; y += r * 0.5, ++row) {
    for (double x = a.area.x - r + (row % 2) * r; x < a.area.right() + 2 * r; x += 2 * r) {
      a.scene.fill(Path::circle({x, y + r}, r), row % 4 < 2 ? a.tones.ground : a.tones.soft);
      a.scene.stroke(Path::circle({x, y + r}, r * 0.94), a.tones.main, r * 0.06);
      a.scene.fill(Path::circle({x, y + r}, r * 0.55),
                   (row + static_cast<int>(x / r)) % 5 == 0 ? a.tones.pop : a.tones.main);
    }
  }
}

void draw_stripes(const ArtArea& a) {
  const double step = unit_of(a) * a.rng.between(6, 11);
  const double slope = a.rng.chance(0.5) ? 1 : 0;
  int i = 0;
  for (double x = a.area.x - slope * a.area.h; x < a.area.right(); x += step, ++i) {
    if (i % 2 == 1) continue;
    Path p;
    p.move_to({x, a.area.bottom()})
        .line_to({x + step, a.area.bottom()})
        .line_to({x + step + slope * a.area.h, a.area.y})
        .line_to({x + slope * a.area.h, a.area.y})
        .close();
    a.scene.fill(p, i % 6 == 4 ? a.tones.pop : i % 4 == 2 ? a.tones.soft : a.tones.main);
  }
}

void draw_checks(const ArtArea& a) {
  const double step = unit_of(a) * a.rng.between(8, 13);
  int row = 0;
  for (double y = a.area.y; y < a.area.bottom(); y += step, ++row) {
    int i = 0;
    for (double x = a.area.x; x < a.area.right(); x += step, ++i) {
      if (row % 2 == 0) a.scene.fill(Path::rect({x, y, step, step}), with_opacity(a.tones.main, 0.45f));
      if (i % 2 == 0) a.scene.fill(Path::rect({x, y, step, step}), with_opacity(a.tones.main, 0.45f));
    }
  }
}

void draw_terrazzo(const ArtArea& a) {
  const double u = unit_of(a);
  const std::array<Color, 4> colors = {a.tones.main, a.tones.soft, a.tones.pop, a.tones.deep};
  const double step = u * 9;
  for (double y = a.area.y; y < a.area.bottom() + step; y += step) {
    for (double x = a.area.x; x < a.area.right() + step; x += step) {
      const Point at{x + a.rng.between(-0.3, 0.3) * step, y + a.rng.between(-0.3, 0.3) * step};
      std::vector<Point> rim;
      const int corners = 4 + a.rng.below(3);
      const double r = step * a.rng.between(0.16, 0.42), turn = a.rng.between(0, 90);
      for (int i = 0; i < corners; ++i)
        rim.push_back(polar(at, r * a.rng.between(0.7, 1.2), turn + 360.0 / corners * i));
      a.scene.fill(a.rng.chance(0.5) ? Path::polygon(rim) : Path::blob(rim),
                   colors[static_cast<std::size_t>(a.rng.below(8)) % 4 == 3 && !a.rng.chance(0.4)
                              ? 0
                              : static_cast<std::size_t>(a.rng.below(4))]);
    }
  }
}

void draw_rays(const ArtArea& a) {
  const Point c{a.area.x + a.area.w * a.rng.between(0.3, 0.7), a.area.y + a.area.h * a.rng.between(0.35, 0.65)};
  const double far = a.area.w + a.area.h;
  const int count = 22 + 2 * a.rng.below(6);
  for (int i = 0; i < count; i += 2) {
    Path p;
    p.move_to(c).line_to(polar(c, far, 360.0 / count * i)).line_to(polar(c, far, 360.0 / count * (i + 1))).close();
    a.scene.fill(p, i % 6 == 0 ? a.tones.main : a.tones.soft);
  }
}

void draw_motifs(const ArtArea& a) {
  const double step = unit_of(a) * a.rng.between(16, 21);
  int row = 0;
  for (double y = a.area.y; y < a.area.bottom() + step / 2; y += step * 0.86, ++row) {
    for (double x = a.area.x + (row % 2) * step / 2; x < a.area.right() + step / 2; x += step)
      a.motif.draw(Brush(a.scene, {x, y}, step * 0.3, a.motif.turns ? a.rng.between(-20, 20) : 0), a.tones, a.rng);
  }
}

void draw_rings(const ArtArea& a) {
  const Point c{a.area.x + a.area.w * (a.rng.chance(0.5) ? 0.05 : 0.95),
                a.area.y + a.area.h * (a.rng.chance(0.5) ? 0.05 : 0.95)};
  const double step = unit_of(a) * 7;
  const int count = static_cast<int>(std::ceil(std::hypot(a.area.w, a.area.h) / step)) + 1;
  for (int i = count; i >= 1; --i)
    a.scene.fill(Path::circle(c, step * i), i % 5 == 2 ? a.tones.pop : i % 2 == 0 ? a.tones.main : a.tones.soft);
}

void draw_tartan(const ArtArea& a) {
  const double step = unit_of(a) * 19;
  for (const bool down : {false, true}) {
    const double end = down ? a.area.h : a.area.w;
    for (double at = -step / 3; at < end; at += step) {
      const auto band = [&](double from, double width, Color color) {
        a.scene.fill(down ? Path::rect({a.area.x, a.area.y + at + from, a.area.w, width})
                          : Path::rect({a.area.x + at + from, a.area.y, width, a.area.h}),
                     color);
      };
      band(0, step * 0.42, with_opacity(a.tones.main, 0.5f));
      band(step * 0.5, step * 0.05, with_opacity(a.tones.deep, 0.6f));
      band(step * 0.66, step * 0.1, with_opacity(a.tones.pop, 0.55f));
    }
  }
}

constexpr std::array<Pattern, 10> kPatterns = {{
    {"dots", draw_dots},
    {"waves", draw_waves},
    {"scallops", draw_scallops},
    {"stripes", draw_stripes},
    {"checks", draw_checks},
    {"terrazzo", draw_terrazzo},
    {"rays", draw_rays},
    {"motifs", draw_motifs},
    {"rings", draw_rings},
    {"tartan", draw_tartan},
}};

}  // namespace

std::span<const Pattern> patterns() { return kPatterns; }

}  // namespace onggi::pictures
