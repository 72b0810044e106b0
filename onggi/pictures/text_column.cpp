#include "onggi/pictures/text_column.h"

#include <algorithm>
#include <array>

namespace onggi::pictures {
namespace {

/// Room of a chip around its text, in ems.
constexpr double kChipSide = 0.72, kChipTop = 0.34;
constexpr double kDotRoom = 0.85;
constexpr double kRuleRoom = 1.9;

bool is_box(Chip chip) { return chip == Chip::kFilled || chip == Chip::kOutlined; }

std::optional<ColumnPlan> plan_at(std::span<const ColumnItem> items, double width, double height, double scale) {
  ColumnPlan plan;
  double y = 0;
  for (const ColumnItem& item : items) {
    const bool has_box = is_box(item.chip);
    const double lead = item.chip == Chip::kDot ? kDotRoom : item.chip == Chip::kRule ? kRuleRoom : 0;
    const double max_size = std::max(item.min_size, item.max_size * scale);
    const double side = (has_box ? 2 * kChipSide : lead) * max_size;
    const TextLimits limits{.max_width = width - side,
                            .max_height = height,
                            .min_size = item.min_size,
                            .max_size = max_size,
                            .max_lines = item.max_lines,
                            .leading = item.leading};
    const auto fit = fit_text(*item.text, limits);
    if (!fit) return std::nullopt;
    ColumnPlan::Row row{item, *fit, 0, 0, 0};
    const double pad = has_box ? kChipTop * fit->size : 0;
    if (!plan.rows.empty()) y += item.gap * std::max(scale, 0.7);
    row.top = y + pad;
    row.inset = (has_box ? kChipSide : lead) * fit->size;
    row.height = fit->height + 2 * pad;
    y += row.height;
    plan.width = std::max(plan.width, fit->width + (has_box ? 2 : 1) * row.inset);
    plan.rows.push_back(row);
  }
  plan.height = y;
  if (y > height) return std::nullopt;
  return plan;
}

void draw_chip(Scene& scene, const ColumnPlan::Row& row, Point at, double width) {
  const double size = row.fit.size;
  const Rect box{at.x, at.y, width, row.height};
  const Color color = row.item.chip_color;
  const double middle = at.y + kTextAscent * size * 0.56;
  switch (row.item.chip) {
    case Chip::kNone: break;
    case Chip::kFilled: scene.fill(Path::round_rect(box, box.h / 2), color); break;
    case Chip::kOutlined: scene.stroke(Path::round_rect(box.inset(size * 0.04), box.h / 2), color, size * 0.08); break;
    case Chip::kRule:
      scene.stroke(Path::line({at.x + size * 0.05, middle}, {at.x + size * 1.5, middle}), color, size * 0.1);
      break;
    case Chip::kDot: scene.fill(Path::circle({at.x + size * 0.26, middle}, size * 0.24), color); break;
  }
}

}  // namespace

std::string_view role_name(Role role) {
  static constexpr std::array<std::string_view, 5> kNames = {"aspect", "expression", "entity", "headline", "product"};
  return kNames[static_cast<std::size_t>(role)];
}

std::optional<ColumnPlan> plan_column(std::span<const ColumnItem> items, double width, double height) {
  for (const double scale : {1.0, 0.92, 0.84, 0.76, 0.69, 0.62, 0.56, 0.5, 0.44, 0.38}) {
    if (auto plan = plan_at(items, width, height, scale)) return plan;
  }
  return std::nullopt;
}

void draw_column(Scene& scene, const ColumnPlan& plan, Point at, Align align, std::vector<PlacedText>& texts) {
  for (const auto& row : plan.rows) {
    const double size = row.fit.size;
    const bool has_box = is_box(row.item.chip);
    const double outer = row.fit.width + (has_box ? 2 : 1) * row.inset;
    const double left = align == Align::kLeft ? at.x : at.x - outer / 2;
    const double chip_top = at.y + row.top - (has_box ? kChipTop * size : 0);
    draw_chip(scene, row, {left, chip_top}, outer);
    PlacedText placed{row.item.role, row.item.text->text(), {}, size, row.item.is_bold, row.item.color, {}, {}};
    double foot = at.y + row.top + kTextAscent * size;
    for (const auto& line : row.item.text->lines(row.fit.num_lines)) {
      const double x =
          align == Align::kLeft ? left + row.inset : left + row.inset + (row.fit.width - line.outline.width * size) / 2;
      placed.outline.add(line.outline.path, Matrix::scaling(size, size).then(Matrix::translation({x, foot})));
      placed.lines.push_back(line.text);
      foot += row.item.leading * size;
    }
    placed.box = placed.outline.bounds();
    texts.push_back(std::move(placed));
  }
}

}  // namespace onggi::pictures
