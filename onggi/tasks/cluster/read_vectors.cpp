#include "onggi/tasks/cluster/read_vectors.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "onggi/core/error.h"
#include "onggi/formats/npy.h"

namespace onggi::tasks {
namespace {

void require_same_count(std::int64_t found, std::size_t rows, std::string_view what, const std::string& where) {
  require(
      found == static_cast<std::int64_t>(rows),
      [&] {
        return std::to_string(found) + " " + std::string(what) + ", and " + std::to_string(rows) +
               " rows: they must be of the same file";
      },
      ErrorCode::kInvalidArgument, where);
}

/// Lines of a file that embed wrote: they may be longer than a row of data.
std::vector<datasets::Row> read_lines(const std::filesystem::path& path) {
  return datasets::read_rows(path, {.format = "jsonl", .max_line_bytes = std::int64_t{1} << 24});
}

void require_id(const datasets::Row& line, const datasets::Row& row) {
  require(
      line.id == row.id,
      [&] {
        return "the id is \"" + line.id + "\", expected \"" + row.id + "\", the id of " + datasets::place_of(row) +
               ": give the rows, and the flags that choose them, as they were embedded";
      },
      ErrorCode::kInvalidArgument, datasets::place_of(line));
}

void append_embedding(const datasets::Row& line, cluster::Vectors& out) {
  const auto where = datasets::place_of(line);
  const Json& values = datasets::column_of(line, "embedding");
  require(
      values.is_array() && !values.empty() && std::ranges::all_of(values, [](const Json& v) { return v.is_number(); }),
      "\"embedding\" must be a list of numbers", ErrorCode::kCorrupt, where);
  if (out.num_rows == 0) out.dimensions = static_cast<std::int64_t>(values.size());
  require(
      static_cast<std::int64_t>(values.size()) == out.dimensions,
      [&] {
        return "\"embedding\" has " + std::to_string(values.size()) + " values, those before it " +
               std::to_string(out.dimensions);
      },
      ErrorCode::kCorrupt, where);
  for (const auto& value : values) out.values.push_back(value.get<float>());
  ++out.num_rows;
}

RowVectors from_lines(const std::filesystem::path& path, std::span<const datasets::Row> rows) {
  const auto lines = read_lines(path);
  require_same_count(static_cast<std::int64_t>(lines.size()), rows.size(), "lines", path.string());
  RowVectors result;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    require_id(lines[i], rows[i]);
    if (lines[i].fields.contains("failure")) continue;
    append_embedding(lines[i], result.vectors);
    result.rows.push_back(static_cast<std::int32_t>(i));
  }
  return result;
}

RowVectors from_npy(const std::filesystem::path& path, std::span<const datasets::Row> rows) {
  auto matrix = formats::read_npy(path);
  require_same_count(matrix.rows, rows.size(), "vectors", path.string());
  require(matrix.columns > 0 || matrix.rows == 0, "vectors of no values", ErrorCode::kCorrupt, path.string());
  const std::filesystem::path ids = path.string() + ".ids.jsonl";
  if (std::filesystem::exists(ids)) {
    const auto lines = read_lines(ids);
    require_same_count(static_cast<std::int64_t>(lines.size()), rows.size(), "ids", ids.string());
    for (std::size_t i = 0; i < lines.size(); ++i) require_id(lines[i], rows[i]);
  }
  RowVectors result;
  result.vectors.dimensions = matrix.columns;
  for (std::int64_t i = 0; i < matrix.rows; ++i) {
    const auto row =
        std::span(matrix.values)
            .subspan(static_cast<std::size_t>(i * matrix.columns), static_cast<std::size_t>(matrix.columns));
    if (std::ranges::all_of(row, [](float v) { return std::isnan(v); })) continue;
    require(
        std::ranges::all_of(row, [](float v) { return std::isfinite(v); }),
        [&] { return "vector " + std::to_string(i) + " (from 0) has a value that is not finite"; }, ErrorCode::kCorrupt,
        path.string());
    result.vectors.values.insert(result.vectors.values.end(), row.begin(), row.end());
    result.rows.push_back(static_cast<std::int32_t>(i));
  }
  result.vectors.num_rows = static_cast<std::int64_t>(result.rows.size());
  return result;
}

}  // namespace

RowVectors read_row_vectors(const std::filesystem::path& path, std::span<const datasets::Row> rows) {
  const std::string name = path.string();
  require(name.ends_with(".npy") || name.ends_with(".jsonl"),
          "the name of a file of vectors must end in .npy or .jsonl, as onggi embed writes them",
          ErrorCode::kInvalidArgument, name);
  return name.ends_with(".npy") ? from_npy(path, rows) : from_lines(path, rows);
}

}  // namespace onggi::tasks
