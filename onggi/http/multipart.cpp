#include "onggi/http/multipart.h"

#include <algorithm>

#include "onggi/core/error.h"

namespace onggi::http {
namespace {

constexpr std::size_t kMaxHeadBytes = 8 << 10;
constexpr int kMaxParts = 32;
constexpr std::size_t kMaxBoundaryBytes = 70;

[[noreturn]] void refuse(const std::string& message, ErrorCode code = ErrorCode::kCorrupt) {
  throw Error(code, message, "multipart/form-data");
}

std::string_view trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

/// The value of a parameter after a field's first word: name=token or name="text", where \" and \\ stand for
/// themselves.
std::string parameter(std::string_view field, std::string_view wanted) {
  std::size_t at = field.find(';');
  while (at < field.size()) {
    const auto sign = field.find('=', at + 1);
    if (sign == std::string_view::npos) return {};
    const std::string name = lower_case(trimmed(field.substr(at + 1, sign - at - 1)));
    std::string value;
    at = field.find_first_not_of(" \t", sign + 1);
    if (at == std::string_view::npos) return {};
    if (field[at] == '"') {
      for (++at; at < field.size() && field[at] != '"'; ++at) {
        // Browsers escape a quote as %22 and leave a backslash alone; others follow RFC 2616.
        const bool is_escape =
            field[at] == '\\' && at + 1 < field.size() && (field[at + 1] == '"' || field[at + 1] == '\\');
        if (is_escape) ++at;
        value += field[at];
      }
      at = field.find(';', std::min(at, field.size()));
    } else {
      const auto end = std::min(field.find(';', at), field.size());
      value = trimmed(field.substr(at, end - at));
      at = end;
    }
    if (name == wanted) return value;
  }
  return {};
}

PartHead read_part_head(std::string_view text) {
  PartHead head;
  bool is_form_data = false;
  while (!text.empty()) {
    const auto end = text.find("\r\n");
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 2);
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) refuse("a part's head has a line without a colon");
    const std::string name = lower_case(trimmed(line.substr(0, colon)));
    const std::string_view value = trimmed(line.substr(colon + 1));
    if (name == "content-type") head.content_type = value;
    if (name != "content-disposition") continue;
    is_form_data = lower_case(trimmed(value.substr(0, value.find(';')))) == "form-data";
    head.name = parameter(value, "name");
    head.filename = parameter(value, "filename");
  }
  if (!is_form_data || head.name.empty()) refuse("a part has no content-disposition: form-data; name=\"...\"");
  return head;
}

}  // namespace

MultipartReader::MultipartReader(std::string_view boundary, Events events)
    : delimiter_("\r\n--" + std::string(boundary)), events_(std::move(events)), pending_("\r\n") {
  // The first delimiter needs no line break before it: the one in `pending_` is for it.
  require(!boundary.empty(), "expected a boundary", ErrorCode::kInvalidArgument, "multipart/form-data");
}

void MultipartReader::read(std::string_view piece) {
  pending_ += piece;
  while (step()) {
  }
}

void MultipartReader::finish() const {
  if (state_ != State::kEnd) refuse("the body ends before the form does");
}

bool MultipartReader::step() {
  switch (state_) {
    case State::kPreamble:
    case State::kBody: return read_body();
    case State::kBoundary: return read_boundary();
    case State::kHead: return read_head();
    case State::kEnd: pending_.clear(); return false;
  }
  return false;
}

/// After a delimiter: "--" ends the form, a line break begins a part.
bool MultipartReader::read_boundary() {
  const auto at = pending_.find_first_not_of(" \t");
  if (at == std::string::npos || pending_.size() < at + 2) {
    if (pending_.size() > kMaxHeadBytes) refuse("a boundary's line does not end");
    return false;
  }
  const std::string_view next = std::string_view(pending_).substr(at, 2);
  if (next == "--" && at == 0) {
    state_ = State::kEnd;
  } else if (next == "\r\n") {
    if (++num_parts_ > kMaxParts)
      refuse("the form has more than " + std::to_string(kMaxParts) + " parts", ErrorCode::kExhausted);
    state_ = State::kHead;
  } else {
    refuse("a boundary is followed by other bytes than a line break");
  }
  if (state_ == State::kHead) pending_.erase(0, at);  // The head begins with the line break: it may have no line.
  return true;
}

bool MultipartReader::read_head() {
  constexpr std::string_view kEnd = "\r\n\r\n";
  const auto end = pending_.find(kEnd);
  if (std::min(end, pending_.size()) > kMaxHeadBytes)
    refuse("a part's head is longer than " + std::to_string(kMaxHeadBytes) + " bytes", ErrorCode::kExhausted);
  if (end == std::string::npos) return false;
  events_.began(read_part_head(end < 2 ? std::string_view() : std::string_view(pending_).substr(2, end - 2)));
  pending_.erase(0, end + kEnd.size());
  state_ = State::kBody;
  return true;
}

/// Up to the next delimiter; what may be the beginning of one is kept.
bool MultipartReader::read_body() {
  const auto found = pending_.find(delimiter_);
  const bool is_whole = found != std::string::npos;
  const std::size_t count = is_whole ? found : pending_.size() - std::min(pending_.size(), delimiter_.size() - 1);
  if (state_ == State::kBody && count > 0) events_.bytes(std::string_view(pending_).substr(0, count));
  pending_.erase(0, is_whole ? count + delimiter_.size() : count);
  if (!is_whole) return false;
  if (state_ == State::kBody) events_.ended();
  state_ = State::kBoundary;
  return true;
}

std::string boundary_of(std::string_view content_type) {
  if (!lower_case(content_type).starts_with("multipart/form-data")) return {};
  std::string boundary = parameter(content_type, "boundary");
  const bool is_good =
      boundary.size() <= kMaxBoundaryBytes && std::ranges::all_of(boundary, [](char c) { return c > ' ' && c < 127; });
  return is_good ? boundary : std::string();
}

}  // namespace onggi::http
