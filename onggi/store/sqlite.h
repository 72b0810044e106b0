#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace onggi::store {

class Sqlite;

/// A prepared statement, to be bound, stepped through and used again. Confined to one thread at a time, as its
/// database.
class Statement {
 public:
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement&&) = delete;
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;
  ~Statement();

  /// The next parameter's value, from the first. A text is copied.
  Statement& bind(std::int64_t value);
  Statement& bind(std::string_view value);
  Statement& bind_real(double value);
  Statement& bind(const std::optional<std::int64_t>& value);
  /// Moves to the next row; false after the last, and then it may be bound anew. Throws as Sqlite.
  bool step();
  /// Runs a statement that has no rows to its end.
  void run();
  /// Forgets bindings and position.
  void reset();

  /// Of the row that `step` reached; columns count from 0. A null is 0 or empty.
  std::int64_t integer(int column) const;
  double real(int column) const;
  std::string text(int column) const;
  std::optional<std::int64_t> optional_integer(int column) const;

 private:
  friend class Sqlite;
  Statement(Sqlite& database, sqlite3_stmt* statement) : database_(&database), statement_(statement) {}

  Sqlite* database_;
  sqlite3_stmt* statement_;
  int num_bound_ = 0;
};

/// A database file. What is committed survives a kill and a loss of power. Not thread-safe.
///
/// Errors: kUnavailable for what may pass or lies outside (disk full, a folder that can't be written, a file in use),
/// kCorrupt for a file that is damaged or not ours, kInternal for the rest; each names the file.
class Sqlite {
 public:
  struct Schema {
    std::int32_t application_id = 0;          ///< Of the files that this program writes.
    std::span<const std::string_view> steps;  ///< SQL; the first makes the tables, the others bring older files up.
  };

  /// Opens or creates the file and runs the steps that it has not seen. Throws kCorrupt for another program's file and
  /// for one of a newer version, both left as they are.
  Sqlite(const std::filesystem::path& path, const Schema& schema);
  ~Sqlite();
  Sqlite(const Sqlite&) = delete;
  Sqlite& operator=(const Sqlite&) = delete;

  Statement prepare(std::string_view sql);
  /// One or more statements without parameters or rows.
  void run(const std::string& sql);
  /// Rows changed by the last statement that changed any.
  std::int64_t num_changed() const;
  const std::string& path() const { return path_; }

  /// Throws what the last failed call says.
  [[noreturn]] void fail(int code, std::string_view what) const;

 private:
  void migrate(const Schema& schema);

  std::string path_;
  struct Close {
    void operator()(sqlite3* database) const;
  };
  std::unique_ptr<sqlite3, Close> database_;
};

/// Everything between its making and `commit` happens, or nothing of it.
class Transaction {
 public:
  explicit Transaction(Sqlite& database) : database_(database) { database_.run("BEGIN IMMEDIATE"); }
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void commit();

 private:
  Sqlite& database_;
  bool is_open_ = true;
};

}  // namespace onggi::store
