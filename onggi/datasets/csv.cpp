#include "onggi/datasets/csv.h"

#include "onggi/core/error.h"

namespace onggi::datasets {
namespace {

class CsvReader {
 public:
  CsvReader(std::string_view text, std::string_view file, const CsvLimits& limits)
      : text_(text), file_(file), limits_(limits) {}

  bool at_end() const { return position_ >= text_.size(); }

  CsvRecord read_record() {
    CsvRecord record{.line = line_};
    record_start_ = position_;
    do {
      if (record.cells.size() == limits_.max_cells) {
        fail("more than " + std::to_string(limits_.max_cells) + " cells in a record");
      }
      record.cells.push_back(position_ < text_.size() && text_[position_] == '"' ? quoted_cell() : plain_cell());
    } while (take_comma());
    take_line_break();
    return record;
  }

 private:
  std::string quoted_cell() {
    std::string cell;
    const std::int64_t open_line = line_;
    ++position_;
    for (;; ++position_) {
      check_size();
      if (at_end()) fail("quote opened on line " + std::to_string(open_line) + " is never closed");
      const char c = text_[position_];
      if (c == '"') {
        if (position_ + 1 >= text_.size() || text_[position_ + 1] != '"') break;
        ++position_;
      }
      if (c == '\n') ++line_, line_start_ = position_ + 1;
      cell.push_back(c);
    }
    ++position_;
    if (!at_end() && text_[position_] != ',' && !at_line_break()) fail("text after the closing quote of a cell");
    return cell;
  }

  std::string plain_cell() {
    const std::size_t start = position_;
    for (; !at_end() && text_[position_] != ',' && !at_line_break(); ++position_) {
      check_size();
      if (text_[position_] == '"') fail("quote inside a cell that does not begin with one");
    }
    return std::string(text_.substr(start, position_ - start));
  }

  bool at_line_break() const { return text_[position_] == '\n' || text_.substr(position_, 2) == "\r\n"; }

  bool take_comma() {
    if (at_end() || text_[position_] != ',') return false;
    ++position_;
    return true;
  }

  void take_line_break() {
    if (at_end()) return;
    position_ += text_[position_] == '\n' ? 1 : 2;
    ++line_;
    line_start_ = position_;
  }

  void check_size() const {
    if (position_ - record_start_ <= limits_.max_record_bytes) return;
    fail("record longer than " + std::to_string(limits_.max_record_bytes) + " bytes");
  }

  [[noreturn]] void fail(const std::string& what) const {
    throw Error(ErrorCode::kCorrupt, "CSV: " + what,
                std::string(file_) + ":" + std::to_string(line_) + ":" + std::to_string(position_ - line_start_ + 1));
  }

  std::string_view text_, file_;
  CsvLimits limits_;
  std::size_t position_ = 0, record_start_ = 0, line_start_ = 0;
  std::int64_t line_ = 1;
};

}  // namespace

std::vector<CsvRecord> parse_csv(std::string_view text, std::string_view file, const CsvLimits& limits) {
  std::vector<CsvRecord> records;
  CsvReader reader(text, file, limits);
  while (!reader.at_end()) {
    CsvRecord record = reader.read_record();
    if (record.cells.size() > 1 || !record.cells[0].empty()) records.push_back(std::move(record));
  }
  return records;
}

}  // namespace onggi::datasets
