#include "onggi/review/postgres_store.h"

#include <array>
#include <cstdio>

#include "onggi/core/error.h"
#include "onggi/store/postgres.h"

namespace onggi::review {
namespace {

constexpr std::string_view kSchema = "onggi_review";
constexpr const char* kLock = "SELECT pg_try_advisory_lock(1332630134, hashtext(current_database()))";

// Statements end with an empty line. Released steps stay as they are; what is new is one more.
constexpr std::array<std::string_view, 1> kSteps = {
    R"sql(CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL)

CREATE TABLE items (
  number BIGINT PRIMARY KEY,
  key TEXT NOT NULL UNIQUE,
  id TEXT NOT NULL UNIQUE,
  priority DOUBLE PRECISION NOT NULL,
  wanted BIGINT NOT NULL,
  is_gold BIGINT NOT NULL,
  alike TEXT NOT NULL,
  labels TEXT NOT NULL,
  row TEXT NOT NULL,
  source_hash TEXT NOT NULL,
  shown TEXT NOT NULL,
  gold TEXT NOT NULL
)

CREATE TABLE events (
  seq BIGINT PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  kind BIGINT NOT NULL CHECK (kind BETWEEN 0 AND 2),
  item BIGINT NOT NULL REFERENCES items (number),
  person TEXT NOT NULL,
  at_ms BIGINT NOT NULL,
  action BIGINT NOT NULL CHECK (action BETWEEN 0 AND 3),
  answer TEXT NOT NULL,
  reason BIGINT NOT NULL,
  note TEXT NOT NULL,
  guideline TEXT NOT NULL,
  faults TEXT NOT NULL,
  target TEXT NOT NULL,
  spent_ms BIGINT NOT NULL
)

CREATE FUNCTION events_stay() RETURNS trigger LANGUAGE plpgsql
  AS $$ BEGIN RAISE EXCEPTION 'events are only ever added'; END $$

CREATE TRIGGER events_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON events EXECUTE FUNCTION events_stay()

CREATE TABLE leases (item BIGINT, person TEXT, until_ms BIGINT NOT NULL, PRIMARY KEY (item, person))

CREATE TABLE documents (hash TEXT PRIMARY KEY, kind TEXT NOT NULL, text TEXT NOT NULL, at_ms BIGINT NOT NULL)
)sql"};

std::string number_text(std::int64_t number) { return std::to_string(number); }

std::string real_text(double number) {
  std::array<char, 40> text{};
  std::snprintf(text.data(), text.size(), "%.17g", number);
  return text.data();
}

class PostgresStore : public ReviewStore {
 public:
  explicit PostgresStore(const std::string& uri) : database_(uri, {kSchema, kSteps}) {}

  void lock() override {
    wants_lock_ = true;
    take_lock();
  }

  std::map<std::string, std::string> settings() override {
    std::map<std::string, std::string> all;
    for (const auto& row : run("SELECT name, value FROM settings")) all[row[0]] = row[1];
    return all;
  }

  void set(const std::map<std::string, std::string>& settings) override {
    take_lock();
    store::PostgresTransaction transaction(database_);
    for (const auto& [name, value] : settings) {
      run("INSERT INTO settings VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
          {name, value});
    }
    transaction.commit();
  }

  std::vector<ItemHead> heads(std::int64_t after) override {
    std::vector<ItemHead> all;
    for (const auto& row : run("SELECT number, key, priority, wanted, is_gold, alike, labels FROM items WHERE number > "
                               "$1::bigint ORDER BY number",
                               {number_text(after)})) {
      all.push_back({.number = std::stoll(row[0]),
                     .key = row[1],
                     .priority = std::stod(row[2]),
                     .wanted = std::stoi(row[3]),
                     .is_gold = row[4] != "0",
                     .set = row[5],
                     .labels = row[6]});
    }
    return all;
  }

  ItemContent content(std::int64_t number) override {
    const auto rows =
        run("SELECT id, row, source_hash, shown, gold FROM items WHERE number = $1::bigint", {number_text(number)});
    require(
        !rows.empty(), [&] { return "there is no item " + std::to_string(number); }, ErrorCode::kNotFound,
        database_.place());
    return {rows[0][0], rows[0][1], rows[0][2], rows[0][3], rows[0][4]};
  }

  std::map<std::string, std::int64_t, std::less<>> numbers_by_id() override {
    std::map<std::string, std::int64_t, std::less<>> all;
    for (const auto& row : run("SELECT id, number FROM items")) all.emplace(row[0], std::stoll(row[1]));
    return all;
  }

  void add_items(std::span<const Item> items) override {
    take_lock();
    store::PostgresTransaction transaction(database_);
    for (const auto& [head, content] : items) {
      run("INSERT INTO items VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
          {number_text(head.number), head.key, content.id, real_text(head.priority), number_text(head.wanted),
           number_text(head.is_gold ? 1 : 0), head.set, head.labels, content.row, content.source_hash, content.shown,
           content.gold});
    }
    transaction.commit();
  }

  std::vector<Event> events(std::int64_t after) override {
    std::vector<Event> all;
    for (const auto& row :
         run("SELECT seq, id, kind, item, person, at_ms, action, answer, reason, note, guideline, faults, "
             "target, spent_ms FROM events WHERE seq > $1::bigint ORDER BY seq",
             {number_text(after)})) {
      all.push_back({.seq = std::stoll(row[0]),
                     .id = row[1],
                     .kind = static_cast<EventKind>(std::stoi(row[2])),
                     .item = std::stoll(row[3]),
                     .person = row[4],
                     .at_ms = std::stoll(row[5]),
                     .action = static_cast<Action>(std::stoi(row[6])),
                     .answer = row[7],
                     .reason = std::stoi(row[8]),
                     .note = row[9],
                     .guideline = row[10],
                     .faults = row[11],
                     .target = row[12],
                     .spent_ms = std::stoll(row[13])});
    }
    return all;
  }

  void append(std::span<const Event> events) override {
    take_lock();
    store::PostgresTransaction transaction(database_);
    const auto last = std::stoll(run("SELECT coalesce(max(seq), 0) FROM events")[0][0]);
    require_next(events, last, database_.place());
    for (const Event& e : events) {
      run("INSERT INTO events VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
          {number_text(e.seq), e.id, number_text(static_cast<int>(e.kind)), number_text(e.item), e.person,
           number_text(e.at_ms), number_text(static_cast<int>(e.action)), e.answer, number_text(e.reason), e.note,
           e.guideline, e.faults, e.target, number_text(e.spent_ms)});
    }
    transaction.commit();
  }

  std::vector<Lease> leases() override {
    std::vector<Lease> all;
    for (const auto& row : run("SELECT item, person, until_ms FROM leases ORDER BY item, person COLLATE \"C\""))
      all.push_back({std::stoll(row[0]), row[1], std::stoll(row[2])});
    return all;
  }

  void keep_leases(std::span<const Lease> leases, std::int64_t now_ms) override {
    take_lock();
    store::PostgresTransaction transaction(database_);
    run("DELETE FROM leases WHERE until_ms < $1::bigint", {number_text(now_ms)});
    for (const Lease& lease : leases) {
      run("INSERT INTO leases VALUES ($1, $2, $3) ON CONFLICT (item, person) DO UPDATE SET until_ms = "
          "excluded.until_ms",
          {number_text(lease.item), lease.person, number_text(lease.until_ms)});
    }
    transaction.commit();
  }

  std::vector<Document> documents() override {
    std::vector<Document> all;
    for (const auto& row : run("SELECT kind, hash, text, at_ms FROM documents ORDER BY at_ms, hash COLLATE \"C\""))
      all.push_back({row[0], row[1], row[2], std::stoll(row[3])});
    return all;
  }

  void add_document(const Document& document) override {
    run("INSERT INTO documents (kind, hash, text, at_ms) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
        {document.kind, document.hash, document.text, number_text(document.at_ms)});
  }

 private:
  std::vector<store::Postgres::Row> run(const std::string& sql, const std::vector<std::string>& parameters = {}) {
    return database_.run(sql, parameters);
  }

  /// The lock belongs to the connection: a new one has to take it anew.
  void take_lock() {
    if (!wants_lock_) return;
    database_.ensure_connected();
    if (locked_at_ == database_.num_connections()) return;
    require(run(kLock)[0][0] == "t", "another onggi review has the store open; stop it or choose another store",
            ErrorCode::kUnavailable, database_.place());
    locked_at_ = database_.num_connections();
  }

  store::Postgres database_;
  bool wants_lock_ = false;
  std::int64_t locked_at_ = 0;
};

}  // namespace

std::unique_ptr<ReviewStore> open_postgres_store(const std::string& uri) {
  return std::make_unique<PostgresStore>(uri);
}

bool has_postgres_store(const std::string& uri) { return store::has_postgres_schema(uri, kSchema); }

bool is_postgres_uri(const std::string& where) {
  return where.starts_with("postgresql://") || where.starts_with("postgres://");
}

}  // namespace onggi::review
