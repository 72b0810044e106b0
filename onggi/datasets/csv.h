#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace onggi::datasets {

struct CsvRecord {
  std::vector<std::string> cells;
  std::int64_t line = 0;  ///< Where the record begins, from 1; a quoted cell may span lines.
};

struct CsvLimits {
  std::size_t max_record_bytes = std::size_t{1} << 20;
  std::size_t max_cells = 4096;
};

/// Records of RFC 4180 text: comma, quotes doubled inside quotes, line breaks inside quotes, CRLF or LF; a last line
/// without a line break counts, blank lines do not. Throws kCorrupt with file, line and column (a letter after a
/// closing quote, a quote in an unquoted cell, an open quote at the end, a record over the limits).
std::vector<CsvRecord> parse_csv(std::string_view text, std::string_view file, const CsvLimits& limits = {});

}  // namespace onggi::datasets
