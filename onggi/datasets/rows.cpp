#include "onggi/datasets/rows.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "onggi/core/error.h"
#include "onggi/core/files.h"
#include "onggi/core/options.h"
#include "onggi/datasets/csv.h"
#include "onggi/datasets/encoding.h"

namespace onggi::datasets {
namespace {

std::string place(std::string_view file, std::int64_t line) { return std::string(file) + ":" + std::to_string(line); }

std::vector<std::string> column_names(const Json& fields) {
  std::vector<std::string> names;
  for (const auto& item : fields.items()) names.push_back(item.key());
  return names;
}

std::string joined(std::span<const std::string> names) {
  std::string text;
  for (const auto& name : names) text += (text.empty() ? "" : ", ") + name;
  return text.empty() ? "none" : text;
}

[[noreturn]] void missing_column(std::string_view column, const Json& fields, std::string_view where) {
  throw Error(ErrorCode::kInvalidArgument, missing_column_message(column, fields), std::string(where));
}

/// The four hexadecimal digits after "\\u" at `at`; -1 where there is no such escape.
int escaped_unit(std::string_view text, std::size_t at) {
  if (at + 6 > text.size() || text.substr(at, 2) != "\\u") return -1;
  int unit = 0;
  const auto [end, code] = std::from_chars(text.data() + at + 2, text.data() + at + 6, unit, 16);
  return code == std::errc() && end == text.data() + at + 6 ? unit : -1;
}

/// A JSON line in which every half of a surrogate pair is U+FFFD: what software leaves that cuts UTF-16 text, as in
/// "\ud83d". One such review must not keep the others from being read.
std::string mend_surrogates(std::string_view record) {
  std::string mended;
  for (std::size_t at = 0; at < record.size();) {
    if (record[at] != '\\') {
      mended += record[at++];
      continue;
    }
    const int unit = escaped_unit(record, at);
    const int next = escaped_unit(record, at + 6);
    const bool is_half = unit >= 0xD800 && unit < 0xE000;
    const bool is_pair = is_half && unit < 0xDC00 && next >= 0xDC00 && next < 0xE000;
    const std::size_t length = is_pair ? 12 : unit >= 0 ? 6 : 2;
    mended += is_half && !is_pair ? "\\ufffd" : record.substr(at, length);
    at += length;
  }
  return mended;
}

/// Renames the mapped columns in place of theirs, so the order of columns stays the file's.
Json mapped(const Json& fields, const std::vector<std::pair<std::string, std::string>>& map, std::string_view where) {
  for (const auto& [ours, theirs] : map) {
    if (!fields.contains(theirs)) missing_column(theirs, fields, where);
  }
  Json result = Json::object();
  for (const auto& item : fields.items()) {
    using Entry = std::pair<std::string, std::string>;
    const auto entry = std::ranges::find(map, item.key(), &Entry::second);
    const bool is_shadowed = entry == map.end() && std::ranges::find(map, item.key(), &Entry::first) != map.end();
    if (!is_shadowed) result[entry == map.end() ? item.key() : entry->first] = item.value();
  }
  return result;
}

class RowReader {
 public:
  RowReader(std::string_view file, const RowsOptions& options)
      : file_(file), options_(options), map_(parse_column_map(options.columns)) {}

  bool is_full() const { return options_.max_rows > 0 && static_cast<std::int64_t>(rows_.size()) >= options_.max_rows; }

  void add(const Json& fields, std::int64_t line) {
    Row row{.fields = map_.empty() ? fields : mapped(fields, map_, place(file_, line)), .file = file_, .line = line};
    row.id = row.fields.contains(options_.id) ? text_of(row, options_.id) : std::to_string(line);
    rows_.push_back(std::move(row));
  }

  void read_jsonl(std::string_view text) {
    std::int64_t line = 0;
    while (!text.empty() && !is_full()) {
      const std::size_t end = text.find('\n');
      std::string_view record = text.substr(0, end);
      text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
      ++line;
      if (record.ends_with('\r')) record.remove_suffix(1);
      require(record.size() <= static_cast<std::size_t>(options_.max_line_bytes),
              [&] {
                return "line of " + std::to_string(record.size()) + " bytes; at most " +
                       std::to_string(options_.max_line_bytes) + " are read (max_line_bytes)";
              },
              ErrorCode::kCorrupt, place(file_, line));
      if (record.find_first_not_of(" \t") == std::string_view::npos) continue;
      const bool may_hold_surrogates = record.find("\\ud") != std::string_view::npos || record.find("\\uD") != std::string_view::npos;
      const Json fields = parse_json(may_hold_surrogates ? mend_surrogates(record) : std::string(record), place(file_, line));
      require(fields.is_object(), [&] { return std::string("expected a JSON object a line, found ") + fields.type_name(); },
              ErrorCode::kCorrupt, place(file_, line));
      add(fields, line);
    }
  }

  void read_csv(std::string_view text) {
    const auto records =
        parse_csv(text, file_, {.max_record_bytes = static_cast<std::size_t>(options_.max_line_bytes)});
    if (records.empty()) return;
    const auto& header = records[0].cells;
    require(std::set<std::string>(header.begin(), header.end()).size() == header.size(),
            "CSV header names a column twice: " + joined(header), ErrorCode::kCorrupt, place(file_, records[0].line));
    for (std::size_t i = 1; i < records.size() && !is_full(); ++i) {
      const auto& cells = records[i].cells;
      require(cells.size() == header.size(),
              [&] {
                return "CSV record has " + std::to_string(cells.size()) + " cells, header has " +
                       std::to_string(header.size()) + " (" + joined(header) + ")";
              },
              ErrorCode::kCorrupt, place(file_, records[i].line));
      Json fields = Json::object();
      for (std::size_t c = 0; c < cells.size(); ++c) fields[header[c]] = cells[c];
      add(fields, records[i].line);
    }
  }

  std::vector<Row> take() { return std::move(rows_); }

 private:
  std::string file_;
  const RowsOptions& options_;
  std::vector<std::pair<std::string, std::string>> map_;
  std::vector<Row> rows_;
};

}  // namespace

std::vector<std::pair<std::string, std::string>> parse_column_map(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> map;
  std::set<std::string, std::less<>> seen;
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    const std::string_view entry = text.substr(0, comma);
    text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
    const std::size_t equals = entry.find('=');
    require(equals != std::string_view::npos && equals > 0 && equals + 1 < entry.size(),
            "column map: expected ours=theirs, found \"" + std::string(entry) + "\"");
    map.emplace_back(entry.substr(0, equals), entry.substr(equals + 1));
    require(seen.insert("ours " + map.back().first).second && seen.insert("theirs " + map.back().second).second,
            "column map: a name appears twice in \"" + std::string(entry) + "\"");
  }
  return map;
}

std::vector<Row> read_rows_text(std::string_view text, std::string_view file, const RowsOptions& options) {
  require(options.max_line_bytes > 0, "max_line_bytes must be above 0");
  require(options.max_rows >= 0, "max_rows must be 0 or more");
  const std::string& format = options.format;
  require(format.empty() || format == "jsonl" || format == "csv",
          "format: expected jsonl or csv, found \"" + format + "\"");
  text = require_utf8(text, file);
  RowReader reader(file, options);
  if (format == "csv") {
    reader.read_csv(text);
  } else {
    reader.read_jsonl(text);
  }
  return reader.take();
}

std::vector<Row> read_rows(const std::filesystem::path& path, const RowsOptions& options) {
  RowsOptions resolved = options;
  if (resolved.format.empty() && path.extension() == ".csv") resolved.format = "csv";
  return read_rows_text(read_file(path), path.string(), resolved);
}

std::string missing_column_message(std::string_view column, const Json& fields) {
  const auto names = column_names(fields);
  const auto nearest = nearest_name(column, names);
  return "column \"" + std::string(column) + "\" is missing" +
         (nearest.empty() ? "" : " (did you mean \"" + nearest + "\"?)") + "; columns found: " + joined(names);
}

std::string place_of(const Row& row) { return place(row.file, row.line); }

const Json& column_of(const Row& row, std::string_view column) {
  const auto found = row.fields.find(column);
  if (found == row.fields.end()) missing_column(column, row.fields, place_of(row));
  return *found;
}

std::string text_of(const Row& row, std::string_view column) {
  const Json& value = column_of(row, column);
  if (value.is_string()) return value.get<std::string>();
  require(value.is_number() || value.is_boolean(),
          [&] {
            return "column \"" + std::string(column) + "\": expected text, found " + std::string(value.type_name());
          },
          ErrorCode::kInvalidArgument, place_of(row));
  return dump_json(value);
}

std::string to_jsonl(std::span<const Row> rows) {
  std::string text;
  for (const auto& row : rows) text += dump_json(row.fields) + "\n";
  return text;
}

}  // namespace onggi::datasets
