#pragma once

#include <cstdint>
#include <filesystem>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "onggi/server/batch/records.h"
#include "onggi/store/sqlite.h"

namespace onggi::server {

/// Files, batches and answers that wait for their turn, in one database. What a call did is durable when it returns.
/// Thread-safe. Throws as store::Sqlite.
class BatchStore {
 public:
  struct PageQuery {
    std::string after;    ///< An id; empty: from the first.
    std::string purpose;  ///< Of files; empty: any.
    std::int64_t limit = 20;
    bool is_ascending = false;  ///< Oldest first.
    Asker asker;                ///< What is not for its eyes is not there.
  };
  template <class T>
  struct Page {
    std::vector<T> items;
    bool has_more = false;
  };
  enum class Removal { kRemoved, kUnknown, kInUse };

  explicit BatchStore(const std::filesystem::path& path);

  void add_file(const FileRecord& file);
  std::optional<FileRecord> find_file(std::string_view id);  ///< Whoever it belongs to.
  /// Throws kNotFound for an `after` that is not there.
  Page<FileRecord> list_files(const PageQuery& query);
  /// Not while a batch that runs needs it; that batch's id goes to `user`.
  Removal remove_file(std::string_view id, std::string& user);
  /// Those whose time has come and which no batch needs.
  std::vector<FileRecord> expired_files(std::int64_t now);
  std::vector<std::string> file_ids();
  /// Of all files.
  std::int64_t stored_bytes();

  void add_batch(const BatchRecord& batch);
  std::optional<BatchRecord> find_batch(std::string_view id);  ///< Whoever it belongs to.
  Page<BatchRecord> list_batches(const PageQuery& query);
  /// Those that are not done, oldest first.
  std::vector<BatchRecord> active_batches();

  /// Asks for the end of a batch that has not come to it. False for one that can't be cancelled any more.
  bool request_cancel(std::string_view id, std::int64_t now);
  /// Stores everything of the batch, and files that it leaves, if its status is still `from`; else nothing.
  bool advance(const BatchRecord& batch, std::string_view from, std::span<const FileRecord> files = {});
  /// Stores counts and position; forgets answers to lines before it, keeps `ahead`, which are behind it.
  void save_progress(const BatchRecord& batch, std::span<const LineAnswer> ahead);
  /// What save_progress kept, by line.
  std::vector<LineAnswer> answers_ahead(std::string_view batch_id);

 private:
  template <class T, class Read>
  Page<T> list(const PageQuery& query, std::string_view table, std::string_view columns, Read read);
  void insert_file(const FileRecord& file);

  std::mutex mutex_;
  store::Sqlite database_;
};

}  // namespace onggi::server
