#include "onggi/server/batch/batch_run.h"

#include <algorithm>

#include "onggi/core/error.h"
#include "onggi/core/hash.h"

namespace onggi::server {
namespace {

namespace fs = std::filesystem;

/// Looked at before others have their turn.
constexpr int kLinesAtOnce = 500;
/// What answers may wait for an earlier line.
constexpr std::size_t kMaxWaitingLines = 4096;
constexpr std::int64_t kMaxWaitingBytes = 64 << 20;

/// A file that holds at least what was saved of it.
std::unique_ptr<AppendFile> reopened(const fs::path& path, std::int64_t saved_bytes) {
  std::error_code error;
  const auto size = fs::exists(path, error) ? static_cast<std::int64_t>(fs::file_size(path, error)) : 0;
  require(
      size >= saved_bytes,
      [&] {
        return "expected at least the " + std::to_string(saved_bytes) + " bytes that were saved, found " +
               std::to_string(size);
      },
      ErrorCode::kCorrupt, path.string());
  return std::make_unique<AppendFile>(path, static_cast<std::ptrdiff_t>(saved_bytes));
}

}  // namespace

BatchRun::BatchRun(BatchStore& store, const BatchFolder& folder, BatchRecord batch, BatchLimits limits)
    : store_(store), folder_(folder), limits_(limits), batch_(std::move(batch)) {
  const auto input = store_.find_file(batch_.input_file_id);
  require(
      input.has_value(), [&] { return "the input file " + batch_.input_file_id + " is not there any more"; },
      ErrorCode::kNotFound, batch_.id);
  input_ = *input;
  const fs::path path = folder_.file(input_.id);
  std::error_code error;
  const auto size = fs::file_size(path, error);
  require(!error, "can't read the size: " + error.message(), ErrorCode::kNotFound, path.string());
  require(static_cast<std::int64_t>(size) == input_.bytes, "the input file has another size than when it came",
          ErrorCode::kCorrupt, path.string());
  if (is_validating()) {
    check_ = std::make_unique<InputCheck>(path, batch_.endpoint, limits_);
  } else {
    open_files();
  }
}

void BatchRun::open_files() {
  // A process that was killed while it published has moved the files and not told the store.
  for (const auto& [id, path] : {std::pair{output_id(batch_.id, "output"), folder_.output(batch_.id)},
                                 std::pair{output_id(batch_.id, "errors"), folder_.errors(batch_.id)}}) {
    std::error_code error;
    if (!fs::exists(path, error) && fs::exists(folder_.file(id), error)) BatchFolder::move(folder_.file(id), path);
  }
  output_ = reopened(folder_.output(batch_.id), batch_.output_bytes);
  errors_ = reopened(folder_.errors(batch_.id), batch_.error_bytes);
  reader_ = std::make_unique<LineReader>(folder_.file(input_.id), batch_.next_offset, limits_.max_line_bytes);
  read_line_ = batch_.next_line;
  for (auto& answer : store_.answers_ahead(batch_.id)) old_.emplace(answer.line, std::move(answer));
}

void BatchRun::advance(std::string_view status, std::int64_t now, std::span<const FileRecord> files) {
  const std::string from = batch_.status;
  BatchRecord next = batch_;
  next.move_to(status, now);
  if (store_.advance(next, from, files)) {
    batch_ = std::move(next);
  } else {
    refresh();
  }
}

void BatchRun::refresh() {
  const auto stored = store_.find_batch(batch_.id);
  require(stored.has_value(), "the batch is not in the store any more", ErrorCode::kNotFound, batch_.id);
  batch_.status = stored->status;
  batch_.cancelling_at = stored->cancelling_at;
}

void BatchRun::validate_some(const std::string& base_hash, std::int64_t now) {
  if (!check_->check_some(kLinesAtOnce)) return;
  if (!check_->faults().empty()) {
    batch_.errors = Json::array();
    for (const auto& fault : check_->faults()) batch_.errors.push_back(fault_json(fault));
    advance(batch_status::kFailed, now);
    return;
  }
  batch_.total = check_->num_lines();
  batch_.base_hash = base_hash;
  check_.reset();
  advance(batch_status::kInProgress, now);
  if (is_running()) open_files();
}

std::optional<OpenLine> BatchRun::read_line() {
  while (auto line = reader_->next()) {
    const std::int64_t number = read_line_++;
    if (is_blank(line->text)) continue;
    OpenLine open{.number = number};
    const auto fault = read_batch_line(line->text, batch_.endpoint, open.content);
    require(
        !fault && !line->is_too_long,
        [&] { return "line " + std::to_string(number + 1) + " is not what it was when the batch was made"; },
        ErrorCode::kCorrupt, folder_.file(input_.id).string());
    slots_[number] = {.end_offset = reader_->offset()};
    ++num_open_;
    return open;
  }
  is_input_read_ = true;
  return std::nullopt;
}

std::optional<OpenLine> BatchRun::next_line() {
  while (!is_input_read_) {
    if (slots_.size() >= kMaxWaitingLines || waiting_bytes_ >= kMaxWaitingBytes) return std::nullopt;
    auto line = read_line();
    if (!line) return std::nullopt;
    const auto answered = old_.find(line->number);
    if (answered == old_.end()) return line;
    Slot& slot = slots_.at(line->number);
    waiting_bytes_ += static_cast<std::int64_t>(answered->second.text.size());
    slot.answer = std::move(answered->second);
    slot.is_kept = true;
    --num_open_;
    old_.erase(answered);
    write_ready();
  }
  return std::nullopt;
}

void BatchRun::put(LineAnswer answer) {
  Slot& slot = slots_.at(answer.line);
  ++(answer.is_error ? batch_.failed : batch_.completed);
  waiting_bytes_ += static_cast<std::int64_t>(answer.text.size());
  slot.answer = std::move(answer);
  --num_open_;
  has_unsaved_ = true;
  write_ready();
}

void BatchRun::write(const Slot& slot) {
  constexpr std::size_t kPieceBytes = 1 << 20;
  const LineAnswer& answer = *slot.answer;
  std::string& text = answer.is_error ? error_text_ : output_text_;
  text.append(answer.text).append("\n");
  (answer.is_error ? batch_.error_bytes : batch_.output_bytes) += static_cast<std::int64_t>(answer.text.size()) + 1;
  waiting_bytes_ -= static_cast<std::int64_t>(answer.text.size());
  has_unsaved_ = true;
  if (text.size() < kPieceBytes) return;
  (answer.is_error ? *errors_ : *output_).append(text);
  text.clear();
}

void BatchRun::write_ready() {
  while (!slots_.empty() && slots_.begin()->second.answer) {
    const auto first = slots_.begin();
    write(first->second);
    batch_.next_line = first->first + 1;
    batch_.next_offset = first->second.end_offset;
    slots_.erase(first);
  }
}

void BatchRun::save() {
  if (!has_unsaved_) return;
  for (const auto& [file, text] : {std::pair{output_.get(), &output_text_}, std::pair{errors_.get(), &error_text_}}) {
    file->append(*text);
    text->clear();
    file->sync();
  }
  std::vector<LineAnswer> ahead;
  for (auto& [number, slot] : slots_) {
    if (!slot.answer || slot.is_kept) continue;
    ahead.push_back(*slot.answer);
    slot.is_kept = true;
  }
  store_.save_progress(batch_, ahead);
  has_unsaved_ = false;
}

std::string BatchRun::output_id(const std::string& batch_id, std::string_view kind) {
  return "file-" + sha256_hex(batch_id + "/" + std::string(kind)).substr(0, 24);
}

FileRecord BatchRun::output_record(const std::string& id, const char* suffix, std::int64_t bytes,
                                   std::int64_t now) const {
  FileRecord file{.id = id,
                  .bytes = bytes,
                  .created_at = now,
                  .filename = batch_.id + suffix,
                  .purpose = "batch_output",
                  .sha256 = sha256_file(folder_.file(id)),
                  .owner = batch_.owner};
  if (batch_.output_expires_after) file.expires_at = now + *batch_.output_expires_after;
  return file;
}

void BatchRun::publish(std::string_view status, std::int64_t now) {
  save();
  output_.reset();
  errors_.reset();
  std::vector<FileRecord> files;
  const auto publish_one = [&](const fs::path& path, std::string id, const char* suffix, std::int64_t bytes) {
    if (bytes == 0) {
      std::error_code error;
      fs::remove(path, error);
      return std::string();
    }
    BatchFolder::move(path, folder_.file(id));
    files.push_back(output_record(id, suffix, bytes, now));
    return id;
  };
  batch_.output_file_id =
      publish_one(folder_.output(batch_.id), output_id(batch_.id, "output"), "_output.jsonl", batch_.output_bytes);
  batch_.error_file_id =
      publish_one(folder_.errors(batch_.id), output_id(batch_.id, "errors"), "_error.jsonl", batch_.error_bytes);
  const std::string from = batch_.status;
  advance(status, now, files);
  require(
      batch_.status == status, [&] { return "the batch was changed from " + from + " to " + batch_.status; },
      ErrorCode::kUnavailable, batch_.id);
}

void BatchRun::complete(std::int64_t now) {
  save();
  if (is_running()) advance(batch_status::kFinalizing, now);
  if (batch_.status == batch_status::kFinalizing) publish(batch_status::kCompleted, now);
}

void BatchRun::cancel(std::int64_t now) {
  if (check_) return advance(batch_status::kCancelled, now);  // Nothing of it was answered.
  for (const auto& [number, slot] : slots_) {
    if (slot.answer) write(slot);
  }
  slots_.clear();
  for (auto& [number, answer] : old_) write({.answer = answer});
  old_.clear();
  // From here to the end of publish the files hold more than the store says, and a crash would cut them to what it
  // says: the answers behind the gap are still in the store then, and come here again.
  for (const auto& [file, text] : {std::pair{output_.get(), &output_text_}, std::pair{errors_.get(), &error_text_}}) {
    file->append(*text);
    text->clear();
    file->sync();
  }
  has_unsaved_ = false;
  publish(batch_status::kCancelled, now);
}

void BatchRun::expire_some(std::int64_t now, const std::function<std::string(const OpenLine&)>& late) {
  for (int i = 0; i < kLinesAtOnce; ++i) {
    const auto line = next_line();
    if (!line) break;
    put({line->number, true, late(*line)});
  }
  save();
  if (is_answered()) publish(batch_status::kExpired, now);
}

}  // namespace onggi::server
