#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

struct pg_conn;

namespace onggi::store {

/// A connection to a PostgreSQL database (libpq). What is committed survives a kill. Not thread-safe.
///
/// Errors: kUnavailable for what may pass (no server, a connection that was lost), kInvalidArgument for a text with a
/// NUL byte, which PostgreSQL can't hold, kCorrupt for tables of a newer version, kInternal for the rest; each names
/// host and database, never a password.
class Postgres {
 public:
  struct Schema {
    std::string_view name;                    ///< Of the database's schema that holds the tables.
    std::span<const std::string_view> steps;  ///< SQL; the first makes the tables, the others bring older ones up.
  };
  using Row = std::vector<std::string>;  ///< Texts of the columns; a null is empty.

  /// Connects; `uri` is postgresql://... Makes the schema and runs the steps that it has not seen.
  Postgres(const std::string& uri, const Schema& schema);
  ~Postgres();
  Postgres(const Postgres&) = delete;
  Postgres& operator=(const Postgres&) = delete;

  /// Connects anew where the connection was lost.
  void ensure_connected();
  /// One statement with its parameters $1, $2 ..., as texts. After a loss of the connection the next statement connects
  /// anew, which is what `num_connections` counts: locks that the session had are gone then.
  std::vector<Row> run(const std::string& sql, std::span<const std::string> parameters = {});
  std::int64_t num_connections() const { return num_connections_; }
  const std::string& place() const { return place_; }

 private:
  void connect();
  void migrate(const Schema& schema);

  const std::string uri_, schema_;
  std::string place_;
  struct Close {
    void operator()(pg_conn* connection) const;
  };
  std::unique_ptr<pg_conn, Close> connection_;
  std::int64_t num_connections_ = 0;
};

/// Everything between its making and `commit` happens, or nothing of it.
class PostgresTransaction {
 public:
  explicit PostgresTransaction(Postgres& database) : database_(database) { database_.run("BEGIN"); }
  ~PostgresTransaction();
  PostgresTransaction(const PostgresTransaction&) = delete;
  PostgresTransaction& operator=(const PostgresTransaction&) = delete;
  void commit();

 private:
  Postgres& database_;
  bool is_open_ = true;
};

/// Whether the database has the schema. Throws as Postgres.
bool has_postgres_schema(const std::string& uri, std::string_view name);

}  // namespace onggi::store
