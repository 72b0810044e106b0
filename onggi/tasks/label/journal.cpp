#include "onggi/tasks/label/journal.h"

#include <array>
#include <string_view>

namespace onggi::tasks {
namespace {

constexpr std::int32_t kApplicationId = 0x6F6E6C6A;  // "onlj"

constexpr std::array<std::string_view, 1> kSteps = {
    "CREATE TABLE answers (key TEXT PRIMARY KEY, row_id TEXT NOT NULL, sample INTEGER NOT NULL, body TEXT NOT NULL, "
    "prompt_tokens INTEGER NOT NULL, completion_tokens INTEGER NOT NULL, cost INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE asked (key TEXT PRIMARY KEY, most INTEGER NOT NULL, is_open INTEGER NOT NULL, "
    "num_lost INTEGER NOT NULL) STRICT, WITHOUT ROWID"};

}  // namespace

Journal::Journal(const std::filesystem::path& path)
    : lock_(path.string() + ".lock"),
      database_(path, {.application_id = kApplicationId, .steps = kSteps}),
      find_(database_.prepare("SELECT body FROM answers WHERE key = ?")),
      ask_(database_.prepare("INSERT INTO asked VALUES (?, ?, 1, 0) ON CONFLICT (key) DO UPDATE SET is_open = 1, most "
                             "= max(most, excluded.most)")),
      keep_(database_.prepare("INSERT OR IGNORE INTO answers VALUES (?, ?, ?, ?, ?, ?, ?)")),
      settle_(database_.prepare("UPDATE asked SET is_open = 0 WHERE key = ?")),
      lose_(database_.prepare("UPDATE asked SET is_open = 0, num_lost = num_lost + 1 WHERE key = ?")) {
  database_.run("UPDATE asked SET is_open = 0, num_lost = num_lost + 1 WHERE is_open = 1");
}

std::optional<std::string> Journal::find(const std::string& key) {
  find_.bind(key);
  std::optional<std::string> body;
  if (find_.step()) body = find_.text(0);
  find_.reset();
  return body;
}

void Journal::note_asked(std::span<const Call> calls) {
  if (calls.empty()) return;
  store::Transaction transaction(database_);
  for (const auto& call : calls) ask_.bind(call.key).bind(call.most).run();
  transaction.commit();
}

void Journal::keep(std::span<const Answer> answers) {
  if (answers.empty()) return;
  store::Transaction transaction(database_);
  for (const auto& a : answers) {
    keep_.bind(a.key)
        .bind(a.row)
        .bind(std::int64_t{a.sample})
        .bind(a.body)
        .bind(a.prompt_tokens)
        .bind(a.completion_tokens)
        .bind(a.cost)
        .run();
    settle_.bind(a.key).run();
  }
  transaction.commit();
}

void Journal::note_ended(std::span<const std::string> keys, End end) {
  if (keys.empty()) return;
  store::Transaction transaction(database_);
  for (const auto& key : keys) (end == End::kFree ? settle_ : lose_).bind(key).run();
  transaction.commit();
}

Journal::Totals Journal::totals() {
  Totals totals;
  auto answers = database_.prepare(
      "SELECT count(*), total(prompt_tokens), total(completion_tokens), coalesce(sum(cost), 0) FROM answers");
  if (answers.step()) {
    totals.num_answers = answers.integer(0);
    totals.prompt_tokens = answers.integer(1);
    totals.completion_tokens = answers.integer(2);
    totals.spent = answers.integer(3);
  }
  auto lost = database_.prepare("SELECT coalesce(sum(num_lost), 0), coalesce(sum(num_lost * most), 0) FROM asked");
  if (lost.step()) {
    totals.num_lost = lost.integer(0);
    totals.lost = lost.integer(1);
  }
  return totals;
}

}  // namespace onggi::tasks
