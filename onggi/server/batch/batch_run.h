#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "onggi/core/files.h"
#include "onggi/server/batch/batch_folder.h"
#include "onggi/server/batch/batch_input.h"
#include "onggi/server/batch/batch_store.h"

namespace onggi::server {

/// A line to be answered.
struct OpenLine {
  std::int64_t number = 0;
  BatchLine content;
};

/// One batch on its way from its input to its output, from wherever the last process left it. Lines are handed out in
/// order and answered in any; they are written in order. What `save` has seen is never asked again, and what it has not
/// seen leaves no trace after a crash. Confined to one thread.
///
/// Every method may throw kUnavailable (disk full ...): then nothing but a new BatchRun, later, goes on from the last
/// save. kNotFound and kCorrupt mean that the input or the output is not what it was.
class BatchRun {
 public:
  /// `batch` is active.
  BatchRun(BatchStore& store, const BatchFolder& folder, BatchRecord batch, BatchLimits limits);

  const BatchRecord& batch() const { return batch_; }
  const std::string& input_hash() const { return input_.sha256; }
  bool is_validating() const { return batch_.status == batch_status::kValidating; }
  bool is_running() const { return batch_.status == batch_status::kInProgress; }
  bool is_done() const { return !batch_.is_active(); }

  /// Looks at some more of the input; at its end the batch is in progress, or failed.
  void validate_some(const std::string& base_hash, std::int64_t now);
  /// The next line without an answer. None: after the last, or while too many answers wait for an earlier line.
  std::optional<OpenLine> next_line();
  void put(LineAnswer answer);
  /// Every line of the input has its answer.
  bool is_answered() const { return is_input_read_ && num_open_ == 0; }
  bool has_unsaved() const { return has_unsaved_; }
  void save();

  /// Ends a batch whose lines are all answered.
  void complete(std::int64_t now);
  /// Ends a batch that shall not go on; answers that wait for an earlier line are kept all the same.
  void cancel(std::int64_t now);
  /// Answers some lines more with `late`, which makes the error line of one; after the last the batch has ended. Of a
  /// run that has handed out no line.
  void expire_some(std::int64_t now, const std::function<std::string(const OpenLine&)>& late);
  /// The file that a batch leaves: kind is "output" or "errors".
  static std::string output_id(const std::string& batch_id, std::string_view kind);
  /// Takes over what a client has done to the batch meanwhile.
  void refresh();

 private:
  struct Slot {
    std::int64_t end_offset = 0;  ///< Of the input, after the line.
    std::optional<LineAnswer> answer;
    bool is_kept = false;  ///< By the store, as an answer that waits.
  };
  void open_files();
  std::optional<OpenLine> read_line();
  void write(const Slot& slot);
  void write_ready();
  void advance(std::string_view status, std::int64_t now, std::span<const FileRecord> files = {});
  void publish(std::string_view status, std::int64_t now);
  FileRecord output_record(const std::string& id, const char* suffix, std::int64_t bytes, std::int64_t now) const;

  BatchStore& store_;
  const BatchFolder& folder_;
  const BatchLimits limits_;
  BatchRecord batch_;
  FileRecord input_;
  std::unique_ptr<InputCheck> check_;
  std::unique_ptr<LineReader> reader_;
  std::unique_ptr<AppendFile> output_, errors_;
  std::int64_t read_line_ = 0;              ///< Number of the line that the reader comes to.
  std::map<std::int64_t, Slot> slots_;      ///< Lines read and not yet written.
  std::map<std::int64_t, LineAnswer> old_;  ///< Answers of an earlier process to lines not yet read.
  std::int64_t num_open_ = 0;               ///< Slots without an answer.
  std::int64_t waiting_bytes_ = 0;
  bool is_input_read_ = false, has_unsaved_ = false;
  std::string output_text_, error_text_;  ///< Not yet in the files.
};

}  // namespace onggi::server
