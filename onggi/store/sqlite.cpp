#include "onggi/store/sqlite.h"

#include <utility>

#include <sqlite3.h>

#include "onggi/core/error.h"

namespace onggi::store {
namespace {

/// A lock that another connection holds (a backup, someone's shell) is waited for this long.
constexpr int kBusyMs = 5000;

std::int64_t read_number(Sqlite& database, std::string_view sql) {
  Statement statement = database.prepare(sql);
  return statement.step() ? statement.integer(0) : 0;
}

}  // namespace

void Sqlite::Close::operator()(sqlite3* database) const { sqlite3_close_v2(database); }

Sqlite::Sqlite(const std::filesystem::path& path, const Schema& schema) : path_(path.string()) {
  sqlite3* database = nullptr;
  const int code = sqlite3_open_v2(path_.c_str(), &database,
                                   SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
  database_.reset(database);
  if (code != SQLITE_OK) fail(code, "can't open the database");
  sqlite3_extended_result_codes(database, 1);
  sqlite3_busy_timeout(database, kBusyMs);
  migrate(schema);
  // A commit is one fsync; the log is folded into the file before it takes much of a small disk.
  run("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 250");
}

Sqlite::~Sqlite() = default;

void Sqlite::migrate(const Schema& schema) {
  const auto id = read_number(*this, "PRAGMA application_id");
  const auto version = read_number(*this, "PRAGMA user_version");
  const bool is_new = id == 0 && version == 0 && read_number(*this, "SELECT count(*) FROM sqlite_schema") == 0;
  require(is_new || id == schema.application_id, "the database is another program's; choose another folder",
          ErrorCode::kCorrupt, path_);
  const auto num_steps = static_cast<std::int64_t>(schema.steps.size());
  require(
      version <= num_steps,
      [&] {
        return "the database is of version " + std::to_string(version) + ", this program knows up to " +
               std::to_string(num_steps) + "; use the newer program";
      },
      ErrorCode::kCorrupt, path_);
  if (version == num_steps) return;
  Transaction transaction(*this);
  for (auto i = version; i < num_steps; ++i) run(std::string(schema.steps[static_cast<std::size_t>(i)]));
  run("PRAGMA application_id = " + std::to_string(schema.application_id));
  run("PRAGMA user_version = " + std::to_string(num_steps));
  transaction.commit();
}

Statement Sqlite::prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v2(database_.get(), sql.data(), static_cast<int>(sql.size()), &statement, nullptr);
  if (code != SQLITE_OK) fail(code, "can't read or write the database");
  return {*this, statement};
}

void Sqlite::run(const std::string& sql) {
  const int code = sqlite3_exec(database_.get(), sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) fail(code, "can't read or write the database");
}

std::int64_t Sqlite::num_changed() const { return sqlite3_changes(database_.get()); }

void Sqlite::fail(int code, std::string_view what) const {
  const std::string reason =
      std::string(what) + ": " + (database_ ? sqlite3_errmsg(database_.get()) : sqlite3_errstr(code));
  switch (code & 0xff) {
    case SQLITE_FULL:
      throw Error(ErrorCode::kUnavailable, reason + "; free some space or choose another folder", path_);
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
      throw Error(ErrorCode::kUnavailable, reason + "; choose a folder that is there and can be written", path_);
    case SQLITE_BUSY:
    case SQLITE_LOCKED: throw Error(ErrorCode::kUnavailable, reason + "; another program has it open", path_);
    case SQLITE_IOERR: throw Error(ErrorCode::kUnavailable, reason + "; is the disk full or failing?", path_);
    case SQLITE_NOMEM: throw Error(ErrorCode::kUnavailable, reason, path_);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      throw Error(ErrorCode::kCorrupt, reason + "; restore it from a copy or choose another folder", path_);
    default: throw Error(ErrorCode::kInternal, reason, path_);
  }
}

Statement::Statement(Statement&& other) noexcept
    : database_(other.database_), statement_(std::exchange(other.statement_, nullptr)), num_bound_(other.num_bound_) {}

Statement::~Statement() { sqlite3_finalize(statement_); }

Statement& Statement::bind(std::int64_t value) {
  const int code = sqlite3_bind_int64(statement_, ++num_bound_, value);
  if (code != SQLITE_OK) database_->fail(code, "can't bind a number");
  return *this;
}

Statement& Statement::bind_real(double value) {
  const int code = sqlite3_bind_double(statement_, ++num_bound_, value);
  if (code != SQLITE_OK) database_->fail(code, "can't bind a number");
  return *this;
}

Statement& Statement::bind(std::string_view value) {
  // Of no pointer SQLite makes a null.
  const char* bytes = value.data() == nullptr ? "" : value.data();
  const int code = sqlite3_bind_text64(statement_, ++num_bound_, bytes, value.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  if (code != SQLITE_OK) database_->fail(code, "can't bind a text");
  return *this;
}

Statement& Statement::bind(const std::optional<std::int64_t>& value) {
  if (value) return bind(*value);
  const int code = sqlite3_bind_null(statement_, ++num_bound_);
  if (code != SQLITE_OK) database_->fail(code, "can't bind a null");
  return *this;
}

bool Statement::step() {
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) {
    reset();
    return false;
  }
  num_bound_ = 0;
  sqlite3_reset(statement_);
  database_->fail(code, "can't read or write the database");
}

void Statement::run() {
  while (step()) {
  }
}

void Statement::reset() {
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
  num_bound_ = 0;
}

std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(statement_, column); }

double Statement::real(int column) const { return sqlite3_column_double(statement_, column); }

std::string Statement::text(int column) const {
  const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  return bytes == nullptr ? std::string()
                          : std::string(bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column)));
}

std::optional<std::int64_t> Statement::optional_integer(int column) const {
  if (sqlite3_column_type(statement_, column) == SQLITE_NULL) return std::nullopt;
  return integer(column);
}

Transaction::~Transaction() {
  if (!is_open_) return;
  try {
    database_.run("ROLLBACK");
  } catch (const Error&) {  // SQLite has rolled back by itself.
  }
}

void Transaction::commit() {
  database_.run("COMMIT");
  is_open_ = false;
}

}  // namespace onggi::store
