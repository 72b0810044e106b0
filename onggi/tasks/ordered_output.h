#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "onggi/core/files.h"
#include "onggi/core/json.h"

namespace onggi::tasks {

/// A binary file beside the lines: a header, then for each line a record of one size.
struct RecordFile {
  std::filesystem::path path;
  std::string header;
  std::size_t record_bytes = 0;
};

/// Where a job of rows writes.
struct OutputFiles {
  std::filesystem::path lines;  ///< JSONL.
  std::optional<RecordFile> records;
  std::filesystem::path manifest;  ///< What made them.
  std::string command;             ///< "onggi generate", for messages.
};

/// A JSONL file that grows in input order while answers arrive in any order, and goes on after a crash where it was:
/// whole lines that have their record are kept, a torn end is cut.
class OrderedOutput {
 public:
  /// Opens or resumes the files. Throws kInvalidArgument if a manifest is there and differs (naming the first key), so
  /// that one file never mixes answers of two settings.
  OrderedOutput(OutputFiles files, const Json& manifest);

  /// Rows already answered: the next line written is row `num_done()`.
  std::int64_t num_done() const { return next_; }
  /// Takes row `index`'s line (without newline), and its record; writes what has become contiguous.
  void add(std::int64_t index, std::string line, std::string record = {});
  /// Makes everything written so far durable.
  void sync();

 private:
  struct Entry {
    std::string line, record;
  };
  std::ptrdiff_t count_kept(const OutputFiles& files);

  std::unique_ptr<AppendFile> lines_, records_;
  std::int64_t next_ = 0;
  std::int64_t unsynced_ = 0;
  std::map<std::int64_t, Entry> waiting_;
};

}  // namespace onggi::tasks
