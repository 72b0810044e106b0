#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "onggi/core/files.h"
#include "onggi/store/sqlite.h"
#include "onggi/tasks/label/money.h"

namespace onggi::tasks {

/// What a teacher has answered, so that nothing is paid twice: an answer is durable here before it is used, and looked
/// up before it is asked for. What is asked is noted before it is sent, so that a process killed at any point leaves
/// the worst that it may have spent. One process at a time; confined to one thread.
class Journal {
 public:
  struct Call {
    std::string key;
    MicroDollars most = 0;  ///< It can't cost more.
  };
  struct Answer {
    std::string key, row;
    int sample = 0;
    std::string body;  ///< As received.
    std::int64_t prompt_tokens = 0, completion_tokens = 0;
    MicroDollars cost = 0;
  };
  /// How calls without an answer ended.
  enum class End {
    kFree,     ///< The teacher refused: nothing is paid.
    kUnknown,  ///< No answer came: it may have been paid.
  };
  struct Totals {
    std::int64_t num_answers = 0, prompt_tokens = 0, completion_tokens = 0;
    MicroDollars spent = 0;
    std::int64_t num_lost = 0;  ///< Calls that ended without our knowing: killed or timed out under way.
    MicroDollars lost = 0;      ///< The most that they may have cost.
  };

  /// Opens or creates the file. Calls that are still noted as under way count as lost. Throws kUnavailable where
  /// another process has it, else as store::Sqlite.
  explicit Journal(const std::filesystem::path& path);

  std::optional<std::string> find(const std::string& key);
  /// Durable before it returns, as are the next two.
  void note_asked(std::span<const Call> calls);
  void keep(std::span<const Answer> answers);
  void note_ended(std::span<const std::string> keys, End end);
  Totals totals();

 private:
  AppendFile lock_;
  store::Sqlite database_;
  store::Statement find_, ask_, keep_, settle_, lose_;
};

}  // namespace onggi::tasks
