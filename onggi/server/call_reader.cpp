#include "onggi/server/call_reader.h"

#include <algorithm>

namespace onggi::server {
namespace {

/// Bytes at the end of `text` that are the beginning of `whole`.
std::size_t begun(std::string_view text, std::string_view whole) {
  for (std::size_t count = std::min(text.size(), whole.size() - 1); count > 0; --count) {
    if (text.ends_with(whole.substr(0, count))) return count;
  }
  return 0;
}

}  // namespace

std::vector<CallReader::Piece> CallReader::read(std::string_view answer, bool is_end) {
  std::vector<Piece> pieces;
  while (num_read_ < answer.size()) {
    const std::string_view rest = answer.substr(num_read_);
    std::size_t count = 0;
    switch (state_) {
      case State::kText: count = read_text(rest, is_end, pieces); break;
      case State::kPlain:
        pieces.push_back({Piece::Kind::kText, 0, std::string(rest)});
        count = rest.size();
        break;
      case State::kName: count = read_name(rest, pieces); break;
      case State::kArguments: count = read_arguments(rest, pieces); break;
      case State::kAfter: count = read_after(rest); break;
    }
    num_read_ += count;
    if (count == 0) break;
  }
  return pieces;
}

std::size_t CallReader::read_text(std::string_view rest, bool is_end, std::vector<Piece>& pieces) {
  const bool is_start = num_read_ == 0;
  const auto mark = form_.has_text_before || is_start ? rest.find(form_.mark) : std::string_view::npos;
  const bool has_call = mark != std::string_view::npos && (form_.has_text_before || mark == 0);
  if (!has_call && !form_.has_text_before) {
    if (!is_end && std::string_view(form_.mark).starts_with(rest)) return 0;
    if (!may_be_text_) return rest.size();
    state_ = State::kPlain;
    return rest.empty() ? 0 : (pieces.push_back({Piece::Kind::kText, 0, std::string(rest)}), rest.size());
  }
  std::size_t end = has_call ? mark : rest.size() - (is_end ? 0 : begun(rest, form_.mark));
  // White space before a call belongs to neither.
  if (has_call || !is_end) {
    while (end > 0 && (rest[end - 1] == '\n' || rest[end - 1] == ' ')) --end;
  }
  if (end > 0 && may_be_text_) pieces.push_back({Piece::Kind::kText, 0, std::string(rest.substr(0, end))});
  if (!has_call) return end;
  if (rest.size() < mark + form_.opening.size()) return is_end ? rest.size() : end;
  state_ = State::kName;
  return mark + form_.opening.size();
}

std::size_t CallReader::read_name(std::string_view rest, std::vector<Piece>& pieces) {
  const auto end = rest.find(form_.middle[0]);
  if (end == std::string_view::npos || rest.size() < end + form_.middle.size()) return 0;
  pieces.push_back({Piece::Kind::kName, num_calls_++, std::string(rest.substr(0, end))});
  state_ = State::kArguments;
  return end + form_.middle.size();
}

std::size_t CallReader::read_arguments(std::string_view rest, std::vector<Piece>& pieces) {
  std::size_t end = 0;
  for (bool is_done = false; end < rest.size() && !is_done; ++end) {
    const char c = rest[end];
    if (is_in_string_) {
      is_in_string_ = is_escaped_ || c != '"';
      is_escaped_ = !is_escaped_ && c == '\\';
    } else if (c == '"') {
      is_in_string_ = true;
    } else if (c == '{' || c == '[') {
      ++depth_;
    } else if (c == '}' || c == ']') {
      is_done = --depth_ == 0;
    }
    if (is_done) state_ = State::kAfter;
  }
  pieces.push_back({Piece::Kind::kArguments, num_calls_ - 1, std::string(rest.substr(0, end))});
  return end;
}

std::size_t CallReader::read_after(std::string_view rest) {
  const std::size_t between = form_.closing.size() + form_.separator.size() + form_.opening.size();
  if (rest.size() < between) return 0;
  state_ = State::kName;
  return between;
}

}  // namespace onggi::server
