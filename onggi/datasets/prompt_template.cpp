#include "onggi/datasets/prompt_template.h"

#include <algorithm>

#include "onggi/core/error.h"
#include "onggi/core/files.h"
#include "onggi/core/hash.h"
#include "onggi/core/options.h"
#include "onggi/datasets/answers.h"
#include "onggi/datasets/encoding.h"

namespace onggi::datasets {
namespace {

constexpr std::string_view kOpen = "{{", kClose = "}}", kAnswerMark = "---answer---";
constexpr std::size_t kMaxTemplateBytes = 1 << 20;

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

/// Takes the first line, without its line break.
std::string_view take_line(std::string_view& source) {
  const std::size_t end = source.find('\n');
  const std::string_view line = source.substr(0, end);
  source.remove_prefix(end == std::string_view::npos ? source.size() : end + 1);
  return line;
}

/// Offset of the line that is the answer mark, or npos.
std::size_t find_answer_mark(std::string_view source) {
  for (std::size_t start = 0; start < source.size();) {
    const std::size_t end = std::min(source.find('\n', start), source.size());
    if (trimmed(source.substr(start, end - start)) == kAnswerMark) return start;
    start = end + 1;
  }
  return std::string_view::npos;
}

void drop_last_line_break(std::string_view& text) {
  if (text.ends_with('\n')) text.remove_suffix(1);
}

}  // namespace

PromptTemplate PromptTemplate::load(const std::filesystem::path& path) {
  return parse(read_file(path, kMaxTemplateBytes), path.string());
}

PromptTemplate PromptTemplate::parse(std::string_view source, std::string_view where) {
  PromptTemplate result;
  result.where_ = where;
  result.name_ = std::filesystem::path(where).stem().string();
  result.content_hash_ = sha256_hex(source);
  std::string text(require_utf8(source, where));
  std::erase(text, '\r');  // the same prompt from a file that went through Windows
  std::string_view rest = text;
  int line = 1;
  result.parse_front_section(rest, line);
  const std::size_t mark = find_answer_mark(rest);
  std::string_view prompt = rest.substr(0, mark);
  drop_last_line_break(prompt);
  result.prompt_ = result.parse_pieces(prompt, line);
  if (mark != std::string_view::npos) {
    line += static_cast<int>(std::ranges::count(rest.substr(0, mark), '\n')) + 1;
    rest.remove_prefix(mark);
    take_line(rest);
    drop_last_line_break(rest);
    result.answer_ = result.parse_pieces(rest, line);
    result.has_answer_ = !result.answer_.empty();
    require(result.has_answer_, "template: nothing after ---answer---", ErrorCode::kInvalidArgument, where);
  }
  require(!result.prompt_.empty(), "template: the prompt is empty", ErrorCode::kInvalidArgument, where);
  if (!result.prompt_[0].is_slot) result.shared_prefix_ = result.prompt_[0].text;
  return result;
}

void PromptTemplate::parse_front_section(std::string_view& source, int& line) {
  std::string_view rest = source;
  if (trimmed(take_line(rest)) != "---") return;
  for (;;) {
    require(!rest.empty(), "template: the front section that opens with --- is never closed",
            ErrorCode::kInvalidArgument, where_ + ":1");
    const std::string_view entry = trimmed(take_line(rest));
    ++line;
    if (entry == "---") break;
    if (entry.empty()) continue;
    const std::string where = where_ + ":" + std::to_string(line);
    const std::size_t colon = entry.find(':');
    const std::string key(trimmed(entry.substr(0, colon)));
    const std::string value(colon == std::string_view::npos ? "" : trimmed(entry.substr(colon + 1)));
    require(key == "name" || key == "format", "template: expected `name: ...` or `format: ...`, found \"" +
            std::string(entry) + "\"", ErrorCode::kInvalidArgument, where);
    require(!value.empty(), "template: \"" + key + "\" has no value", ErrorCode::kInvalidArgument, where);
    if (key == "format") find_converter(value, where);
    (key == "name" ? name_ : answer_format_) = value;
  }
  ++line;
  source = rest;
}

std::vector<PromptTemplate::Piece> PromptTemplate::parse_pieces(std::string_view text, int first_line) const {
  std::vector<Piece> pieces;
  const auto append_text = [&](std::string_view more) {
    if (more.empty()) return;
    if (pieces.empty() || pieces.back().is_slot) pieces.push_back({});
    pieces.back().text += more;
  };
  for (std::size_t position = 0; position < text.size();) {
    const std::size_t open = text.find(kOpen, position);
    append_text(text.substr(position, open == std::string_view::npos ? open : open - position));
    if (open == std::string_view::npos) break;
    position = open + kOpen.size();
    if (open > 0 && text[open - 1] == '\\') {
      pieces.back().text.back() = '{';  // over the backslash
      append_text("{");
      continue;
    }
    const std::string where =
        where_ + ":" + std::to_string(first_line + std::ranges::count(text.substr(0, open), '\n'));
    const std::size_t close = text.find(kClose, position);
    require(close != std::string_view::npos, "template: {{ is never closed (write \\{{ for the characters)",
            ErrorCode::kInvalidArgument, where);
    const std::string_view slot = trimmed(text.substr(position, close - position));
    const std::size_t bar = slot.rfind('|');
    Piece piece{.text = std::string(trimmed(slot.substr(0, bar))), .is_slot = true, .converter = "text"};
    if (bar != std::string_view::npos) piece.converter = trimmed(slot.substr(bar + 1));
    require(!piece.text.empty() && slot.find('\n') == std::string_view::npos,
            "template: expected a column's name between {{ and }}", ErrorCode::kInvalidArgument, where);
    find_converter(piece.converter, where);
    pieces.push_back(std::move(piece));
    position = close + kClose.size();
  }
  return pieces;
}

std::string PromptTemplate::piece_text(const Piece& piece, const Row& row) const {
  const std::string where = place_of(row) + ", slot {{" + piece.text + "}} of " + where_;
  require(row.fields.contains(piece.text), [&] { return missing_column_message(piece.text, row.fields); },
          ErrorCode::kInvalidArgument, where);
  return find_converter(piece.converter, where)(row.fields[piece.text], where);
}

std::vector<Segment> PromptTemplate::render(const Row& row) const {
  std::vector<Segment> segments;
  for (const Piece& piece : prompt_) {
    segments.push_back(piece.is_slot ? Segment{piece_text(piece, row), true, piece.text} : Segment{piece.text});
  }
  return segments;
}

std::string PromptTemplate::render_answer(const Row& row) const {
  require(has_answer_, "template has no ---answer--- part, so there is nothing to train on",
          ErrorCode::kInvalidArgument, where_);
  std::string answer;
  for (const Piece& piece : answer_) answer += piece.is_slot ? piece_text(piece, row) : piece.text;
  return answer;
}

std::vector<std::string> PromptTemplate::slots() const {
  std::vector<std::string> names;
  for (const Piece& piece : prompt_) {
    if (piece.is_slot && std::ranges::find(names, piece.text) == names.end()) names.push_back(piece.text);
  }
  return names;
}

std::vector<std::pair<std::string, std::string>> PromptTemplate::slot_values(const Row& row) const {
  std::vector<std::pair<std::string, std::string>> values;
  for (const Piece& piece : prompt_) {
    const bool is_new = std::ranges::none_of(values, [&](const auto& value) { return value.first == piece.text; });
    if (piece.is_slot && is_new) values.emplace_back(piece.text, piece_text(piece, row));
  }
  return values;
}

std::size_t PromptTemplate::num_static_characters() const {
  std::size_t count = 0;
  for (const Piece& piece : prompt_) {
    if (piece.is_slot) continue;
    count += static_cast<std::size_t>(
        std::ranges::count_if(piece.text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
  }
  return count;
}

std::string joined_text(std::span<const Segment> segments) {
  std::string text;
  for (const auto& segment : segments) text += segment.text;
  return text;
}

}  // namespace onggi::datasets
