#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "onggi/core/json.h"

namespace onggi::datasets {

/// One record of a data file, with its place for messages.
struct Row {
  std::string id;     ///< The id column's text; "<line>" where the file has none.
  Json fields;        ///< Object. After the column map; CSV cells are strings.
  std::string file;   ///< As given by the caller.
  std::int64_t line;  ///< From 1.
};

struct RowsOptions {
  std::string columns;        ///< "review=text,product=title": our column = the file's; others keep their names.
  std::string id = "id";      ///< Column with the row's id.
  std::string format;         ///< "jsonl" or "csv"; empty goes by the file's ending (.csv, else JSON Lines).
  std::int64_t max_rows = 0;  ///< Stop after this many; 0 reads all.
  std::int64_t max_line_bytes = 1 << 20;

  template <class Visitor>
  void visit(Visitor&& field) {
    field("columns", columns, "Column map: ours=theirs, comma between, as in review=text,product=title.");
    field("id", id, "Column with the id of a row.");
    field("format", format, "jsonl or csv; by the file's ending if not given.");
    field("max_rows", max_rows, "Read at most this many rows; 0 reads all.");
    field("max_line_bytes", max_line_bytes, "Longest line (or CSV record) accepted.");
  }
};

/// "a=b,c=d" as pairs (ours, theirs). Throws kInvalidArgument on an empty or repeated name.
std::vector<std::pair<std::string, std::string>> parse_column_map(std::string_view text);

/// Reads a JSON Lines or CSV file. Rows keep the file's order; blank lines are skipped; half of a surrogate pair, written
/// as an escape, becomes U+FFFD. Throws kNotFound for the file,
/// kCorrupt with file and line for bytes that are not UTF-8, a line that is not a JSON object, a CSV record whose cells
/// do not match the header, a line over the limit; kInvalidArgument where the column map names a column that is not
/// there, with the columns found.
std::vector<Row> read_rows(const std::filesystem::path& path, const RowsOptions& options = {});
/// The same on text at hand; `file` is for messages, `options.format` must be given for CSV.
std::vector<Row> read_rows_text(std::string_view text, std::string_view file, const RowsOptions& options = {});

/// What to say where `fields` lacks a column: its name, the nearest one there is, and all columns found.
std::string missing_column_message(std::string_view column, const Json& fields);

/// "file:line".
std::string place_of(const Row& row);
/// The row's value in a column. Throws kInvalidArgument naming file, line, column and the columns found.
const Json& column_of(const Row& row, std::string_view column);
/// A column as text: strings as they are, numbers and truth values as JSON prints them. Throws as `column_of`, and on
/// null, list or object.
std::string text_of(const Row& row, std::string_view column);

/// JSON Lines of the rows' fields, one a line.
std::string to_jsonl(std::span<const Row> rows);

}  // namespace onggi::datasets
