#include "onggi/server/batch/batch_input.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>

#include <fcntl.h>
#include <unistd.h>

#include "onggi/core/error.h"
#include "onggi/core/hash.h"
#include "onggi/text/utf8.h"

namespace onggi::server {
namespace {

constexpr std::size_t kPieceBytes = 256 << 10;
constexpr std::size_t kMaxFaults = 100;
constexpr std::size_t kMaxIdBytes = 512;
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

std::string shown(std::string_view text) {
  constexpr std::size_t kMost = 80;
  const Json json = std::string(text.substr(0, kMost));
  return json.dump(-1, ' ', true, Json::error_handler_t::replace) + (text.size() > kMost ? "..." : "");
}

std::array<std::uint64_t, 2> hash_of(std::string_view text) {
  const std::string hex = sha256_hex(text);
  std::array<std::uint64_t, 2> hash{};
  std::from_chars(hex.data(), hex.data() + 16, hash[0], 16);
  std::from_chars(hex.data() + 16, hex.data() + 32, hash[1], 16);
  return hash;
}

}  // namespace

LineReader::LineReader(const std::filesystem::path& path, std::int64_t offset, std::int64_t max_line_bytes)
    : path_(path.string()),
      max_line_bytes_(static_cast<std::size_t>(max_line_bytes)),
      fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)),
      offset_(offset) {
  if (fd_ >= 0 && ::lseek(fd_, offset, SEEK_SET) == offset) return;
  const ErrorCode code = errno == ENOENT ? ErrorCode::kNotFound : ErrorCode::kUnavailable;
  const std::string reason = std::strerror(errno);
  if (fd_ >= 0) ::close(fd_);
  throw Error(code, "can't read: " + reason, path_);
}

LineReader::~LineReader() { ::close(fd_); }

/// False at the file's end.
bool LineReader::fill() {
  if (is_at_end_) return false;
  buffer_.erase(0, begin_);
  begin_ = 0;
  const std::size_t size = buffer_.size();
  buffer_.resize(size + kPieceBytes);
  ssize_t count = 0;
  do {
    count = ::read(fd_, buffer_.data() + size, kPieceBytes);
  } while (count < 0 && errno == EINTR);
  const int problem = errno;
  buffer_.resize(size + static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
  require(
      count >= 0, [&] { return "can't read: " + std::string(std::strerror(problem)); }, ErrorCode::kUnavailable, path_);
  is_at_end_ = count == 0;
  return !is_at_end_;
}

std::optional<LineReader::Line> LineReader::next() {
  Line line{.offset = offset_};
  std::size_t seen = 0;  // Of what lies in the buffer, searched already.
  while (true) {
    const auto end = buffer_.find('\n', begin_ + seen);
    if (end != std::string::npos || (is_at_end_ && begin_ < buffer_.size())) {
      const std::size_t size = std::min(end, buffer_.size()) - begin_;
      if (!line.is_too_long) line.text.assign(buffer_, begin_, std::min(size, max_line_bytes_));
      line.is_too_long = line.is_too_long || size > max_line_bytes_;
      const std::size_t taken = size + (end == std::string::npos ? 0 : 1);
      begin_ += taken;
      offset_ += static_cast<std::int64_t>(taken);
      return line;
    }
    if (is_at_end_) {
      if (line.is_too_long) return line;
      return std::nullopt;
    }
    seen = buffer_.size() - begin_;
    if (seen > max_line_bytes_) {  // The rest of it is passed over.
      if (!line.is_too_long) line.text.assign(buffer_, begin_, max_line_bytes_);
      line.is_too_long = true;
      begin_ += seen;
      offset_ += static_cast<std::int64_t>(seen);
      seen = 0;
    }
    fill();
  }
}

Json fault_json(const InputFault& fault) {
  return {{"code", fault.code},
          {"line", fault.line > 0 ? Json(fault.line) : Json(nullptr)},
          {"message", fault.message},
          {"param", fault.param.empty() ? Json(nullptr) : Json(fault.param)}};
}

bool is_blank(std::string_view line) { return line.find_first_not_of(" \t\r") == std::string_view::npos; }

std::optional<InputFault> read_batch_line(std::string_view text, std::string_view endpoint, BatchLine& line) {
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  const auto fault = [](std::string code, const std::string& message, std::string param = {}) {
    return InputFault{std::move(code), text::repair_utf8(message), std::move(param)};
  };
  Json json;
  try {
    json = parse_json(text, "");
  } catch (const Error& e) {
    return fault("invalid_json_line", "is no JSON: " + e.message());
  }
  if (!json.is_object()) return fault("invalid_json_line", "is no JSON object");
  const auto text_of = [&](const char* name) -> std::optional<std::string> {
    const auto it = json.find(name);
    if (it == json.end() || !it->is_string()) return std::nullopt;
    return it->get<std::string>();
  };
  const auto custom_id = text_of("custom_id");
  if (!custom_id || custom_id->empty() || custom_id->size() > kMaxIdBytes) {
    return fault("missing_required_parameter",
                 "expected a text of 1 to " + std::to_string(kMaxIdBytes) + " bytes as \"custom_id\"", "custom_id");
  }
  const auto method = text_of("method");
  if (method != "POST") return fault("invalid_method", "expected \"POST\" as \"method\"", "method");
  const auto url = text_of("url");
  if (url != endpoint) {
    return fault(
        "mismatched_endpoint",
        "expected " + shown(endpoint) + ", the batch's endpoint, as \"url\", found " + (url ? shown(*url) : "none"),
        "url");
  }
  const auto body = json.find("body");
  if (body == json.end() || !body->is_object())
    return fault("missing_required_parameter", "expected an object as \"body\"", "body");
  line.custom_id = *custom_id;
  line.body = body->dump(-1, ' ', false, Json::error_handler_t::replace);
  return std::nullopt;
}

InputCheck::InputCheck(const std::filesystem::path& path, std::string endpoint, BatchLimits limits)
    : reader_(path, 0, limits.max_line_bytes), endpoint_(std::move(endpoint)), limits_(limits) {}

bool InputCheck::is_full() const { return faults_.size() >= kMaxFaults; }

bool InputCheck::check_some(int count) {
  for (int i = 0; i < count && !is_full(); ++i) {
    const auto line = reader_.next();
    if (!line) {
      if (keys_.empty() && faults_.empty()) faults_.push_back({"empty_file", "the file has no line", "", 0});
      find_duplicates();
      return true;
    }
    ++line_;
    if (is_blank(line->text) && !line->is_too_long) continue;
    BatchLine read;
    std::optional<InputFault> fault;
    if (line->is_too_long) {
      fault = InputFault{"line_too_long", "is longer than " + std::to_string(limits_.max_line_bytes) + " bytes", "", 0};
    } else {
      fault = read_batch_line(line->text, endpoint_, read);
    }
    if (fault) {
      fault->line = line_;
      fault->message = "line " + std::to_string(line_) + ": " + fault->message;
      faults_.push_back(std::move(*fault));
      continue;
    }
    keys_.push_back({hash_of(read.custom_id), line_});
    if (num_lines() > limits_.max_lines) {
      faults_.push_back(
          {"too_many_lines", "the file has more than " + std::to_string(limits_.max_lines) + " lines", "", line_});
      return true;
    }
  }
  return is_full();
}

void InputCheck::find_duplicates() {
  std::ranges::sort(keys_, {}, [](const Key& key) { return std::tie(key.hash, key.line); });
  for (std::size_t i = 1, first = 0; i < keys_.size(); ++i) {
    if (keys_[i].hash != keys_[first].hash) {
      first = i;
      continue;
    }
    const std::string line = std::to_string(keys_[i].line);
    faults_.push_back(
        {"duplicate_custom_id",
         "line " + line + ": its custom_id is that of line " + std::to_string(keys_[first].line) + " already",
         "custom_id", keys_[i].line});
  }
  std::ranges::stable_sort(faults_, {}, &InputFault::line);
  if (is_full()) faults_.resize(kMaxFaults);
}

}  // namespace onggi::server
