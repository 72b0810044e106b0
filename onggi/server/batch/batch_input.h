#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "onggi/core/json.h"

namespace onggi::server {

struct BatchLimits {
  std::int64_t max_line_bytes = 8 << 20;
  std::int64_t max_lines = 1'000'000;
};

/// The lines of a file, read in pieces. Confined to one thread.
class LineReader {
 public:
  struct Line {
    std::int64_t offset = 0;
    std::string text;          ///< Without its line break.
    bool is_too_long = false;  ///< Longer than the limit: the text is its beginning.
  };

  /// From a line's first byte. Throws kNotFound or kUnavailable naming the file.
  LineReader(const std::filesystem::path& path, std::int64_t offset, std::int64_t max_line_bytes);
  ~LineReader();
  LineReader(const LineReader&) = delete;
  LineReader& operator=(const LineReader&) = delete;

  /// Nothing after the last.
  std::optional<Line> next();
  /// Of the line that comes next.
  std::int64_t offset() const { return offset_; }

 private:
  bool fill();

  const std::string path_;
  const std::size_t max_line_bytes_;
  int fd_ = -1;
  std::int64_t offset_;  ///< Of buffer_[begin_].
  std::string buffer_;
  std::size_t begin_ = 0;
  bool is_at_end_ = false;
};

/// One request of a batch.
struct BatchLine {
  std::string custom_id;
  std::string body;  ///< JSON text.
};

/// What is wrong with an input, in OpenAI's words. `line` counts from 1; 0: of the file as a whole.
struct InputFault {
  std::string code, message, param;
  std::int64_t line = 0;
};

/// As an item of a batch's errors.
Json fault_json(const InputFault& fault);
/// True for a line of white space, which is passed over.
bool is_blank(std::string_view line);
/// Reads a line that must ask for `endpoint`; a fault that names its member otherwise.
std::optional<InputFault> read_batch_line(std::string_view text, std::string_view endpoint, BatchLine& line);

/// Goes through a whole input before anything of it is answered: every line well-formed, for the batch's endpoint, and
/// with a custom_id of its own. Keeps 24 bytes a line. Confined to one thread.
class InputCheck {
 public:
  InputCheck(const std::filesystem::path& path, std::string endpoint, BatchLimits limits);

  /// Looks at some more lines; true when there is nothing left to look at.
  bool check_some(int num_lines);
  std::int64_t num_lines() const { return static_cast<std::int64_t>(keys_.size()); }
  /// At most 100, by line.
  const std::vector<InputFault>& faults() const { return faults_; }

 private:
  struct Key {
    std::array<std::uint64_t, 2> hash;  ///< Of the custom_id.
    std::int64_t line;
  };
  bool is_full() const;
  void find_duplicates();

  LineReader reader_;
  const std::string endpoint_;
  const BatchLimits limits_;
  std::int64_t line_ = 0;
  std::vector<Key> keys_;
  std::vector<InputFault> faults_;
};

}  // namespace onggi::server
