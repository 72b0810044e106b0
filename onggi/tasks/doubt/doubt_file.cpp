#include "onggi/tasks/doubt/doubt_file.h"

#include <cmath>
#include <utility>

#include "onggi/core/error.h"
#include "onggi/core/json.h"

namespace onggi::tasks {
namespace {

std::optional<double> share_of(const Json& origin, const char* name) {
  const auto found = origin.find(name);
  if (found == origin.end() || !found->is_number()) return std::nullopt;
  const double value = found->get<double>();
  return value >= 0 && value <= 1 ? std::optional(value) : std::nullopt;
}

double rounded(double value) { return std::round(value * 1e4) / 1e4; }

}  // namespace

std::vector<DoubtRow> doubt_rows(std::span<const datasets::Row> rows, const std::string& group,
                                 std::vector<std::size_t>& kept) {
  std::vector<DoubtRow> doubted;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto origin = rows[i].fields.find("teacher");
    const bool has_origin = origin != rows[i].fields.end() && origin->is_object();
    if (has_origin && origin->contains("failure")) continue;
    DoubtRow row{.row = eval::theme_rows(rows.subspan(i, 1)).front(), .group = datasets::text_of(rows[i], group)};
    if (has_origin) {
      row.confidence = share_of(*origin, "confidence");
      row.disagreement = share_of(*origin, "disagreement");
    }
    doubted.push_back(std::move(row));
    kept.push_back(i);
  }
  require(!doubted.empty(), "there is no labelled row");
  return doubted;
}

std::string queue_lines(std::span<const datasets::Row> rows, std::span<const std::size_t> kept,
                        std::span<const Ranked> ranked) {
  std::string lines;
  std::int64_t place = 0;
  for (const auto& ranked_row : ranked) {
    const auto& row = rows[kept[ranked_row.row]];
    Json reasons = Json::array();
    for (const auto& reason : ranked_row.reasons)
      reasons.push_back({{"signal", reason.signal}, {"value", rounded(reason.value)}, {"about", reason.about}});
    Json line = {{"id", row.id}};
    for (const auto& [name, value] : row.fields.items()) line[name] = value;
    line["doubt"] = {{"place", ++place},
                     {"suspicion", rounded(ranked_row.suspicion)},
                     {"reasons", std::move(reasons)},
                     {"unlikely", ranked_row.doubts.unlikely},
                     {"missing", ranked_row.doubts.missing}};
    lines += dump_json(line) + "\n";
  }
  return lines;
}

}  // namespace onggi::tasks
