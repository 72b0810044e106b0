#include "onggi/review/sqlite_store.h"

#include <array>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <unistd.h>

#include "onggi/core/error.h"
#include "onggi/core/files.h"
#include "onggi/store/sqlite.h"

namespace onggi::review {
namespace {

constexpr std::int32_t kApplicationId = 0x4f6e5276;  // "OnRv"

// Released steps stay as they are; what is new is one more.
constexpr std::array<std::string_view, 1> kSteps = {R"sql(
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE items (
  number INTEGER PRIMARY KEY,
  key TEXT NOT NULL UNIQUE,
  id TEXT NOT NULL UNIQUE,
  priority REAL NOT NULL,
  wanted INTEGER NOT NULL,
  is_gold INTEGER NOT NULL,
  alike TEXT NOT NULL,
  labels TEXT NOT NULL,
  row TEXT NOT NULL,
  source_hash TEXT NOT NULL,
  shown TEXT NOT NULL,
  gold TEXT NOT NULL
) STRICT;
CREATE TABLE events (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  kind INTEGER NOT NULL,
  item INTEGER NOT NULL REFERENCES items (number),
  person TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  action INTEGER NOT NULL,
  answer TEXT NOT NULL,
  reason INTEGER NOT NULL,
  note TEXT NOT NULL,
  guideline TEXT NOT NULL,
  faults TEXT NOT NULL,
  target TEXT NOT NULL,
  spent_ms INTEGER NOT NULL
) STRICT;
CREATE TRIGGER events_stay BEFORE UPDATE ON events BEGIN SELECT raise(ABORT, 'events are only ever added'); END;
CREATE TRIGGER events_are_kept BEFORE DELETE ON events BEGIN SELECT raise(ABORT, 'events are only ever added'); END;
CREATE TABLE leases (
  item INTEGER NOT NULL,
  person TEXT NOT NULL,
  until_ms INTEGER NOT NULL,
  PRIMARY KEY (item, person)
) STRICT, WITHOUT ROWID;
CREATE TABLE documents (hash TEXT PRIMARY KEY, kind TEXT NOT NULL, text TEXT NOT NULL, at_ms INTEGER NOT NULL) STRICT;
)sql"};

template <class Enum>
Enum enum_of(std::int64_t value, std::int64_t count, const std::string& path) {
  require(
      value >= 0 && value < count, [&] { return "an event has kind or action " + std::to_string(value); },
      ErrorCode::kCorrupt, path);
  return static_cast<Enum>(value);
}

class SqliteStore : public ReviewStore {
 public:
  explicit SqliteStore(const std::filesystem::path& path)
      : path_(path.string()), database_(path, {kApplicationId, kSteps}) {
    database_.run("PRAGMA foreign_keys = ON");
  }
  ~SqliteStore() override {
    if (lock_fd_ >= 0) ::close(lock_fd_);
  }

  void lock() override {
    if (lock_fd_ >= 0) return;
    const std::string path = path_ + "-lock";
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    require(
        fd >= 0, [&] { return std::string("can't write beside the store: ") + std::strerror(errno); },
        ErrorCode::kUnavailable, path);
    if (!lock_file(fd)) {
      ::close(fd);
      throw Error(ErrorCode::kUnavailable, "another onggi review has the store open; stop it or choose another store",
                  path_);
    }
    lock_fd_ = fd;
  }

  std::map<std::string, std::string> settings() override {
    std::map<std::string, std::string> all;
    auto select = database_.prepare("SELECT name, value FROM settings");
    while (select.step()) all[select.text(0)] = select.text(1);
    return all;
  }

  void set(const std::map<std::string, std::string>& settings) override {
    store::Transaction transaction(database_);
    auto insert =
        database_.prepare("INSERT INTO settings VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value");
    for (const auto& [name, value] : settings) insert.bind(std::string_view(name)).bind(std::string_view(value)).run();
    transaction.commit();
  }

  std::vector<ItemHead> heads(std::int64_t after) override {
    std::vector<ItemHead> all;
    auto select = database_.prepare(
        "SELECT number, key, priority, wanted, is_gold, alike, labels FROM items WHERE number > ? ORDER BY number");
    select.bind(after);
    while (select.step()) {
      all.push_back({.number = select.integer(0),
                     .key = select.text(1),
                     .priority = select.real(2),
                     .wanted = static_cast<int>(select.integer(3)),
                     .is_gold = select.integer(4) != 0,
                     .set = select.text(5),
                     .labels = select.text(6)});
    }
    return all;
  }

  ItemContent content(std::int64_t number) override {
    auto select = database_.prepare("SELECT id, row, source_hash, shown, gold FROM items WHERE number = ?");
    select.bind(number);
    require(
        select.step(), [&] { return "there is no item " + std::to_string(number); }, ErrorCode::kNotFound, path_);
    return {select.text(0), select.text(1), select.text(2), select.text(3), select.text(4)};
  }

  std::map<std::string, std::int64_t, std::less<>> numbers_by_id() override {
    std::map<std::string, std::int64_t, std::less<>> all;
    auto select = database_.prepare("SELECT id, number FROM items");
    while (select.step()) all.emplace(select.text(0), select.integer(1));
    return all;
  }

  void add_items(std::span<const Item> items) override {
    store::Transaction transaction(database_);
    auto insert = database_.prepare("INSERT INTO items VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    for (const auto& [head, content] : items) {
      insert.bind(head.number).bind(std::string_view(head.key)).bind(std::string_view(content.id));
      insert.bind_real(head.priority).bind(std::int64_t{head.wanted}).bind(std::int64_t{head.is_gold});
      for (const auto* text :
           {&head.set, &head.labels, &content.row, &content.source_hash, &content.shown, &content.gold})
        insert.bind(std::string_view(*text));
      insert.run();
    }
    transaction.commit();
  }

  std::vector<Event> events(std::int64_t after) override {
    std::vector<Event> all;
    auto select = database_.prepare("SELECT * FROM events WHERE seq > ? ORDER BY seq");
    select.bind(after);
    while (select.step()) {
      all.push_back({.seq = select.integer(0),
                     .id = select.text(1),
                     .kind = enum_of<EventKind>(select.integer(2), 3, path_),
                     .item = select.integer(3),
                     .person = select.text(4),
                     .at_ms = select.integer(5),
                     .action = enum_of<Action>(select.integer(6), 4, path_),
                     .answer = select.text(7),
                     .reason = static_cast<int>(select.integer(8)),
                     .note = select.text(9),
                     .guideline = select.text(10),
                     .faults = select.text(11),
                     .target = select.text(12),
                     .spent_ms = select.integer(13)});
    }
    return all;
  }

  void append(std::span<const Event> events) override {
    store::Transaction transaction(database_);
    auto insert = database_.prepare("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    auto last = database_.prepare("SELECT coalesce(max(seq), 0) FROM events");
    last.step();
    require_next(events, last.integer(0), path_);
    last.reset();
    for (const Event& e : events) {
      insert.bind(e.seq).bind(std::string_view(e.id)).bind(static_cast<std::int64_t>(e.kind)).bind(e.item);
      insert.bind(std::string_view(e.person)).bind(e.at_ms).bind(static_cast<std::int64_t>(e.action));
      insert.bind(std::string_view(e.answer)).bind(std::int64_t{e.reason});
      for (const auto* text : {&e.note, &e.guideline, &e.faults, &e.target}) insert.bind(std::string_view(*text));
      insert.bind(e.spent_ms).run();
    }
    transaction.commit();
  }

  std::vector<Lease> leases() override {
    std::vector<Lease> all;
    auto select = database_.prepare("SELECT item, person, until_ms FROM leases ORDER BY item, person");
    while (select.step()) all.push_back({select.integer(0), select.text(1), select.integer(2)});
    return all;
  }

  void keep_leases(std::span<const Lease> leases, std::int64_t now_ms) override {
    store::Transaction transaction(database_);
    database_.prepare("DELETE FROM leases WHERE until_ms < ?").bind(now_ms).run();
    auto insert = database_.prepare("INSERT OR REPLACE INTO leases VALUES (?, ?, ?)");
    for (const Lease& lease : leases)
      insert.bind(lease.item).bind(std::string_view(lease.person)).bind(lease.until_ms).run();
    transaction.commit();
  }

  std::vector<Document> documents() override {
    std::vector<Document> all;
    auto select = database_.prepare("SELECT kind, hash, text, at_ms FROM documents ORDER BY at_ms, hash");
    while (select.step()) all.push_back({select.text(0), select.text(1), select.text(2), select.integer(3)});
    return all;
  }

  void add_document(const Document& document) override {
    auto insert = database_.prepare("INSERT OR IGNORE INTO documents (kind, hash, text, at_ms) VALUES (?, ?, ?, ?)");
    insert.bind(std::string_view(document.kind)).bind(std::string_view(document.hash));
    insert.bind(std::string_view(document.text)).bind(document.at_ms).run();
  }

 private:
  const std::string path_;
  store::Sqlite database_;
  int lock_fd_ = -1;
};

}  // namespace

std::unique_ptr<ReviewStore> open_sqlite_store(const std::filesystem::path& path) {
  return std::make_unique<SqliteStore>(path);
}

}  // namespace onggi::review
