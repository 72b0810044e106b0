#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "onggi/core/files.h"
#include "onggi/core/json.h"

namespace onggi::tasks {

/// A JSONL file that grows in input order while answers arrive in any order, and goes on after a crash where it was:
/// whole lines are kept, a torn last line is cut. `FILE.manifest.json` beside it says what made it.
class OrderedOutput {
 public:
  /// Opens or resumes `path`. Throws kInvalidArgument if a manifest is there and differs (naming the first key), so that
  /// one file never mixes answers of two settings.
  OrderedOutput(const std::filesystem::path& path, const Json& manifest);

  /// Rows already answered: the next line written is row `num_done()`.
  std::int64_t num_done() const { return next_; }
  /// Takes row `index`'s line (without newline); writes what has become contiguous.
  void add(std::int64_t index, std::string line);
  /// Makes everything written so far durable.
  void sync();

 private:
  std::unique_ptr<AppendFile> file_;
  std::int64_t next_ = 0;
  std::int64_t unsynced_ = 0;
  std::map<std::int64_t, std::string> waiting_;
};

}  // namespace onggi::tasks
