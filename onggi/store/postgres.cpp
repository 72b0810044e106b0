#include "onggi/store/postgres.h"

#include <algorithm>

#include <postgresql/libpq-fe.h>

#include "onggi/core/error.h"

namespace onggi::store {
namespace {

struct Clear {
  void operator()(PGresult* result) const { PQclear(result); }
};
using Result = std::unique_ptr<PGresult, Clear>;

std::string first_line(const char* text) {
  const std::string all = text == nullptr ? "" : text;
  return all.substr(0, all.find('\n'));
}

std::string quoted(std::string_view name) { return "\"" + std::string(name) + "\""; }

}  // namespace

void Postgres::Close::operator()(pg_conn* connection) const { PQfinish(connection); }

Postgres::Postgres(const std::string& uri, const Schema& schema) : uri_(uri), schema_(schema.name) {
  connect();
  if (!schema.name.empty()) migrate(schema);
}

Postgres::~Postgres() = default;

void Postgres::connect() {
  connection_.reset();
  connection_.reset(PQconnectdb(uri_.c_str()));
  const auto text = [](const char* value) { return std::string(value == nullptr ? "" : value); };
  place_ = "PostgreSQL, host " + text(PQhost(connection_.get())) + ", database " + text(PQdb(connection_.get()));
  if (PQstatus(connection_.get()) != CONNECTION_OK) {
    const std::string reason = first_line(PQerrorMessage(connection_.get()));
    connection_.reset();
    throw Error(ErrorCode::kUnavailable, "can't connect: " + reason, place_);
  }
  ++num_connections_;
  // What we write is UTF-8, and notices are nobody's errors.
  PQsetNoticeProcessor(
      connection_.get(), [](void*, const char*) {}, nullptr);
  PQsetClientEncoding(connection_.get(), "UTF8");
  if (!schema_.empty()) run("SET search_path TO " + quoted(schema_));
}

void Postgres::ensure_connected() {
  if (!connection_) connect();
}

std::vector<Postgres::Row> Postgres::run(const std::string& sql, std::span<const std::string> parameters) {
  ensure_connected();
  std::vector<const char*> values;
  for (const auto& parameter : parameters) {
    require(parameter.find('\0') == std::string::npos, "a text has a NUL byte, which PostgreSQL can't hold",
            ErrorCode::kInvalidArgument, place_);
    values.push_back(parameter.c_str());
  }
  const Result result(PQexecParams(connection_.get(), sql.c_str(), static_cast<int>(values.size()), nullptr,
                                   values.data(), nullptr, nullptr, 0));
  const auto status = PQresultStatus(result.get());
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
    const std::string reason = first_line(PQerrorMessage(connection_.get()));
    const char* state = PQresultErrorField(result.get(), PG_DIAG_SQLSTATE);
    // Class 53: resources, 57: somebody stopped the server, 40: to be tried again; none: nobody answered.
    const std::string_view kind = state == nullptr ? "" : std::string_view(state).substr(0, 2);
    const bool is_lost = PQstatus(connection_.get()) != CONNECTION_OK || kind.empty() || kind == "57";
    const bool may_pass = is_lost || kind == "53" || kind == "40";
    if (is_lost) connection_.reset();
    throw Error(may_pass ? ErrorCode::kUnavailable : ErrorCode::kInternal, "the database says: " + reason, place_);
  }
  std::vector<Row> rows;
  for (int r = 0; r < PQntuples(result.get()); ++r) {
    Row row;
    for (int c = 0; c < PQnfields(result.get()); ++c)
      row.emplace_back(PQgetvalue(result.get(), r, c), static_cast<std::size_t>(PQgetlength(result.get(), r, c)));
    rows.push_back(std::move(row));
  }
  return rows;
}

void Postgres::migrate(const Schema& schema) {
  PostgresTransaction transaction(*this);
  // Two that begin at once: the second waits for the first.
  run("SELECT pg_advisory_xact_lock(hashtext('" + schema_ + "'))");
  run("CREATE SCHEMA IF NOT EXISTS " + quoted(schema_));
  run("CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL)");
  const auto known = run("SELECT max(version) FROM schema_version");
  const std::int64_t version = known[0][0].empty() ? 0 : std::stoll(known[0][0]);
  const auto num_steps = static_cast<std::int64_t>(schema.steps.size());
  require(
      version <= num_steps,
      [&] {
        return "the tables are of version " + std::to_string(version) + ", this program knows up to " +
               std::to_string(num_steps) + "; use the newer program";
      },
      ErrorCode::kCorrupt, place_);
  for (auto i = version; i < num_steps; ++i) {
    std::string_view step = schema.steps[static_cast<std::size_t>(i)];
    // A statement with parameters is one alone: so are these, ended by an empty line.
    while (!step.empty()) {
      const auto end = std::min(step.find("\n\n"), step.size());
      run(std::string(step.substr(0, end)));
      step.remove_prefix(std::min(end + 2, step.size()));
    }
    run("INSERT INTO schema_version VALUES (" + std::to_string(i + 1) + ")");
  }
  transaction.commit();
}

PostgresTransaction::~PostgresTransaction() {
  if (!is_open_) return;
  try {
    database_.run("ROLLBACK");
  } catch (const Error&) {  // The connection is gone, and the transaction with it.
  }
}

void PostgresTransaction::commit() {
  database_.run("COMMIT");
  is_open_ = false;
}

bool has_postgres_schema(const std::string& uri, std::string_view name) {
  Postgres database(uri, {});
  const std::string parameter(name);
  return !database.run("SELECT 1 FROM pg_namespace WHERE nspname = $1", {&parameter, 1}).empty();
}

}  // namespace onggi::store
