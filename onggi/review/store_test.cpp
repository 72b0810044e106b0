// One suite of what every store does, over SQLite and, where Debian's PostgreSQL is installed, over a real server.

#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <functional>

#include <unistd.h>

#include "onggi/core/error.h"
#include "onggi/core/random.h"
#include "onggi/review/export.h"
#include "onggi/review/test_support.h"

namespace onggi::review {
namespace {

namespace fs = std::filesystem;

using Open = std::function<std::unique_ptr<ReviewStore>()>;

Item item(std::int64_t number) {
  const std::string name = std::to_string(number);
  return {.head = {.number = number,
                   .key = "key" + name,
                   .priority = 0.1 * static_cast<double>(number),
                   .wanted = 2,
                   .is_gold = number == 2,
                   .set = "s",
                   .labels = "[]"},
          .content = {.id = "id" + name,
                      .row = "{\"text\":\"\\u0000 'quoted' \\\\ " + name + "\"}",
                      .source_hash = "hash",
                      .shown = "[]",
                      .gold = ""}};
}

Event event(std::int64_t seq, std::int64_t number, const std::string& id) {
  return {.seq = seq,
          .id = id,
          .kind = EventKind::kDecide,
          .item = number,
          .person = "p'; DROP TABLE events; --",
          .at_ms = 1'764'300'000'123,
          .action = Action::kReject,
          .answer = "",
          .reason = 9,
          .note = "a\nb",
          .guideline = "g",
          .faults = "[]",
          .target = "t",
          .spent_ms = 77};
}

template <class Run>
ErrorCode code_of(Run run) {
  try {
    run();
  } catch (const Error& e) {
    return e.code();
  }
  return ErrorCode::kCancelled;
}

void keeps_what_it_is_given(const Open& open) {
  {
    const auto store = open();
    store->set({{"a", "1"}, {"b", ""}});
    store->set({{"a", "2"}});
    store->add_items(std::vector<Item>{item(1), item(2), item(3)});
    store->append(std::vector<Event>{event(1, 1, "first"), event(2, 3, "second")});
    store->add_document({.kind = "guidelines", .hash = "h", .text = "text", .at_ms = 5});
    store->add_document({.kind = "guidelines", .hash = "h", .text = "other", .at_ms = 6});
    store->keep_leases(std::vector<Lease>{{1, "a", 100}, {2, "a", 300}}, 0);
    store->keep_leases(std::vector<Lease>{{2, "a", 400}, {2, "b", 200}}, 150);
  }
  const auto store = open();
  EXPECT_EQ(store->settings(), (std::map<std::string, std::string>{{"a", "2"}, {"b", ""}}));
  ASSERT_EQ(store->heads(0).size(), 3U);
  const auto head = store->heads(1)[0];
  EXPECT_EQ(head.key, "key2");
  EXPECT_EQ(head.priority, 0.1 * 2);
  EXPECT_TRUE(head.is_gold);
  EXPECT_EQ(store->content(3).row, item(3).content.row);
  EXPECT_EQ(code_of([&] { store->content(9); }), ErrorCode::kNotFound);
  EXPECT_EQ(store->numbers_by_id().at("id3"), 3);
  const auto events = store->events(1);
  ASSERT_EQ(events.size(), 1U);
  const Event wanted = event(2, 3, "second");
  EXPECT_EQ(
      std::tie(events[0].id, events[0].person, events[0].at_ms, events[0].note, events[0].spent_ms, events[0].target),
      std::tie(wanted.id, wanted.person, wanted.at_ms, wanted.note, wanted.spent_ms, wanted.target));
  EXPECT_EQ(events[0].action, Action::kReject);
  EXPECT_EQ(store->documents()[0].text, "text");
  const auto leases = store->leases();
  ASSERT_EQ(leases.size(), 2U);
  EXPECT_EQ(leases[0].until_ms, 400);
}

void takes_all_or_nothing(const Open& open) {
  const auto store = open();
  store->add_items(std::vector<Item>{item(1), item(2)});
  Item twice = item(4);
  twice.content.id = "id1";
  EXPECT_NE(code_of([&] { store->add_items(std::vector<Item>{item(3), twice}); }), ErrorCode::kCancelled);
  EXPECT_EQ(store->heads(0).size(), 2U);
  store->append(std::vector<Event>{event(1, 1, "first")});
  EXPECT_EQ(code_of([&] {
              store->append(std::vector<Event>{event(2, 1, "second"), event(3, 1, "first")});
            }),
            ErrorCode::kInternal);
  EXPECT_EQ(code_of([&] { store->append(std::vector<Event>{event(5, 1, "fifth")}); }), ErrorCode::kUnavailable);
  EXPECT_EQ(code_of([&] { store->append(std::vector<Event>{event(2, 7, "nowhere")}); }), ErrorCode::kInternal);
  EXPECT_EQ(store->events(0).size(), 1U);
}

void has_one_writer_and_many_readers(const Open& open) {
  const auto first = open(), second = open();
  first->lock();
  first->lock();
  EXPECT_EQ(code_of([&] { second->lock(); }), ErrorCode::kUnavailable);
  first->add_items(std::vector<Item>{item(1)});
  EXPECT_EQ(second->heads(0).size(), 1U);
}

/// People at random over it: the state of the desk, of a fold and of the other store's fold are one.
std::string works_under_a_desk(const Open& open, const testing::Workplace& workplace) {
  std::vector<Json> rows;
  for (int i = 0; i < 20; ++i) rows.push_back(testing::theme_row("r" + std::to_string(i)));
  ImportOptions options;
  options.input = {workplace.write("rows.jsonl", testing::jsonl(rows))};
  options.overlap = 0.5;
  const auto store = open();
  import_rows(*store, options, Json::parse(testing::kGuide));
  store->set({{"store_id", "the same for both"}});
  Desk desk(*store, Json::parse(testing::kGuide), {.now_ms = [] { return std::int64_t{1000}; }});
  for (std::uint64_t i = 0; i < 60; ++i) {
    const auto& state = desk.state();
    const auto& chosen = state.items()[uniform_int(3, 0, i, 20)];
    const Person person{.name = std::string(1, static_cast<char>('a' + uniform_int(3, 1, i, 2)))};
    const auto* known = chosen.decision_of(person.name);
    Json body = {{"id", "event-" + std::to_string(100 + i)},
                 {"kind", "decide"},
                 {"item", chosen.head.key},
                 {"action", i % 3 == 0 ? "reject" : "accept"}};
    if (known != nullptr && i % 4 == 0) body = {{"id", body["id"]}, {"kind", "undo"}, {"target", known->id}};
    EXPECT_EQ(desk.submit(person, parse_client_events({{"events", Json::array({body})}}))["results"][0]["outcome"],
              "ok");
  }
  EXPECT_EQ(load_state(*store).fingerprint(), desk.state().fingerprint());
  const auto result = export_rows(*store, {});
  return result.rows + result.rejected;
}

TEST(Stores, SqliteKeepsTheContract) {
  const std::array<testing::Workplace, 4> places;
  const auto open_in = [&](std::size_t i) { return [&, i] { return places[i].store(); }; };
  keeps_what_it_is_given(open_in(0));
  takes_all_or_nothing(open_in(1));
  has_one_writer_and_many_readers(open_in(2));
  EXPECT_NE(works_under_a_desk(open_in(3), places[3]), "");
}

/// A PostgreSQL server in a folder of its own, on a socket there; null uri where it is not installed.
class PostgresServer {
 public:
  PostgresServer() {
    const fs::path programs = "/usr/lib/postgresql/15/bin";
    if (!fs::exists(programs / "postgres") || (::geteuid() == 0 && ::system("id postgres > /dev/null 2>&1") != 0))
      return;
    folder_ = workplace_.path("cluster").string();
    if (::geteuid() == 0) as_ = "setpriv --reuid=postgres --regid=postgres --clear-groups ";
    fs::create_directory(folder_);
    if (::geteuid() == 0) run("chown postgres " + folder_ + " && chmod 711 " + workplace_.path("").string());
    run(as_ + (programs / "initdb").string() + " -D " + folder_ +
        "/data -A trust -U onggi -E UTF8 --no-locale --no-sync");
    control_ = as_ + (programs / "pg_ctl").string() + " -D " + folder_ + "/data ";
    run(control_ + "-w -o \"-k " + folder_ + " -c listen_addresses=''\" -l " + folder_ + "/log start");
  }
  ~PostgresServer() {
    if (!control_.empty()) run(control_ + "-m immediate stop");
  }
  bool is_there() const { return !control_.empty(); }
  void restart() { run(control_ + "-m immediate -w restart"); }
  std::string new_database() {
    const std::string name = "test" + std::to_string(++num_);
    run("/usr/lib/postgresql/15/bin/psql -q -h " + folder_ + " -U onggi -d postgres -c 'CREATE DATABASE " + name + "'");
    return "postgresql:///" + name + "?user=onggi&host=" + folder_;
  }

 private:
  static void run(const std::string& command) {
    if (::system((command + " > /dev/null 2>&1").c_str()) != 0) throw std::runtime_error("failed: " + command);
  }
  testing::Workplace workplace_;
  std::string folder_, as_, control_;
  int num_ = 0;
};

TEST(Stores, PostgresKeepsTheContract) {
  PostgresServer server;
  if (!server.is_there()) GTEST_SKIP() << "postgresql-15 is not installed";
  const auto fresh = [&]() -> Open { return [uri = server.new_database()] { return open_store(uri); }; };
  keeps_what_it_is_given(fresh());
  takes_all_or_nothing(fresh());
  has_one_writer_and_many_readers(fresh());
  const testing::Workplace place, other;
  EXPECT_EQ(works_under_a_desk(fresh(), place), works_under_a_desk([&] { return other.store(); }, other));

  EXPECT_EQ(code_of([&] { open_existing_store(server.new_database()); }), ErrorCode::kNotFound);
  EXPECT_EQ(code_of([&] { open_store("postgresql:///none?user=onggi&host=/nowhere"); }), ErrorCode::kUnavailable);
  // The server goes away and comes back: one call says so, the next ones go on, with the lock.
  const auto open = fresh();
  const auto store = open(), second = open();
  store->lock();
  store->add_items(std::vector<Item>{item(1)});
  server.restart();
  EXPECT_EQ(code_of([&] { store->append(std::vector<Event>{event(1, 1, "first")}); }), ErrorCode::kUnavailable);
  store->append(std::vector<Event>{event(1, 1, "first")});
  EXPECT_EQ(code_of([&] { second->heads(0); }), ErrorCode::kUnavailable);
  EXPECT_EQ(second->events(0).size(), 1U);
  EXPECT_EQ(code_of([&] { second->lock(); }), ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace onggi::review
