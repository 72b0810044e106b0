#include "onggi/server/batch/batch_store.h"

#include <array>

#include "onggi/core/error.h"

namespace onggi::server {
namespace {

constexpr std::int32_t kApplicationId = 0x6f6e6767;  // "ongg"

/// Released steps stay as they are; a change is one more.
constexpr std::array<std::string_view, 2> kSteps = {R"(
CREATE TABLE files (
  number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, bytes INTEGER NOT NULL, created_at INTEGER NOT NULL,
  expires_at INTEGER, filename TEXT NOT NULL, purpose TEXT NOT NULL, sha256 TEXT NOT NULL) STRICT;
CREATE INDEX files_by_expiry ON files (expires_at) WHERE expires_at IS NOT NULL;
CREATE TABLE batches (
  number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, endpoint TEXT NOT NULL, input_file_id TEXT NOT NULL,
  completion_window TEXT NOT NULL, metadata TEXT NOT NULL, output_expires_after INTEGER, created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL, status TEXT NOT NULL, in_progress_at INTEGER, finalizing_at INTEGER, completed_at INTEGER,
  failed_at INTEGER, expired_at INTEGER, cancelling_at INTEGER, cancelled_at INTEGER, errors TEXT NOT NULL,
  output_file_id TEXT NOT NULL, error_file_id TEXT NOT NULL, base_hash TEXT NOT NULL, total INTEGER NOT NULL,
  completed INTEGER NOT NULL, failed INTEGER NOT NULL, next_line INTEGER NOT NULL, next_offset INTEGER NOT NULL,
  output_bytes INTEGER NOT NULL, error_bytes INTEGER NOT NULL) STRICT;
CREATE INDEX batches_by_status ON batches (status);
CREATE INDEX batches_by_input ON batches (input_file_id);
CREATE TABLE answers (
  batch_id TEXT NOT NULL, line INTEGER NOT NULL, is_error INTEGER NOT NULL, text TEXT NOT NULL,
  PRIMARY KEY (batch_id, line)) STRICT, WITHOUT ROWID;
)",
                                                    R"(
ALTER TABLE files ADD COLUMN owner TEXT NOT NULL DEFAULT '';
ALTER TABLE batches ADD COLUMN owner TEXT NOT NULL DEFAULT '';
CREATE INDEX files_by_owner ON files (owner, number);
CREATE INDEX batches_by_owner ON batches (owner, number);
)"};

constexpr std::string_view kFileColumns = "id, bytes, created_at, expires_at, filename, purpose, sha256, owner";
constexpr std::string_view kBatchColumns =
    "id, endpoint, input_file_id, completion_window, metadata, output_expires_after, created_at, expires_at, status, "
    "in_progress_at, finalizing_at, completed_at, failed_at, expired_at, cancelling_at, cancelled_at, errors, "
    "output_file_id, error_file_id, base_hash, total, completed, failed, next_line, next_offset, output_bytes, "
    "error_bytes, owner";
constexpr std::string_view kActive = "status IN ('validating', 'in_progress', 'finalizing', 'cancelling')";

std::string joined(std::initializer_list<std::string_view> parts) {
  std::string text;
  for (const std::string_view part : parts) text += part;
  return text;
}

FileRecord read_file_row(const store::Statement& row) {
  return {.id = row.text(0),
          .bytes = row.integer(1),
          .created_at = row.integer(2),
          .expires_at = row.optional_integer(3),
          .filename = row.text(4),
          .purpose = row.text(5),
          .sha256 = row.text(6),
          .owner = row.text(7)};
}

BatchRecord read_batch_row(const store::Statement& row) {
  BatchRecord batch;
  int column = 0;
  batch.id = row.text(column++);
  batch.endpoint = row.text(column++);
  batch.input_file_id = row.text(column++);
  batch.completion_window = row.text(column++);
  batch.metadata = parse_json(row.text(column++), "batches.metadata");
  batch.output_expires_after = row.optional_integer(column++);
  batch.created_at = row.integer(column++);
  batch.expires_at = row.integer(column++);
  batch.status = row.text(column++);
  for (auto* time : {&batch.in_progress_at, &batch.finalizing_at, &batch.completed_at, &batch.failed_at,
                     &batch.expired_at, &batch.cancelling_at, &batch.cancelled_at})
    *time = row.optional_integer(column++);
  batch.errors = parse_json(row.text(column++), "batches.errors");
  batch.output_file_id = row.text(column++);
  batch.error_file_id = row.text(column++);
  batch.base_hash = row.text(column++);
  for (auto* number : {&batch.total, &batch.completed, &batch.failed, &batch.next_line, &batch.next_offset,
                       &batch.output_bytes, &batch.error_bytes})
    *number = row.integer(column++);
  batch.owner = row.text(column++);
  return batch;
}

/// The columns from endpoint on, in the order of kBatchColumns.
void bind_batch(store::Statement& statement, const BatchRecord& batch) {
  statement.bind(batch.endpoint).bind(batch.input_file_id).bind(batch.completion_window);
  statement.bind(dump_json(batch.metadata)).bind(batch.output_expires_after);
  statement.bind(batch.created_at).bind(batch.expires_at).bind(batch.status);
  for (const auto& time : {batch.in_progress_at, batch.finalizing_at, batch.completed_at, batch.failed_at,
                           batch.expired_at, batch.cancelling_at, batch.cancelled_at})
    statement.bind(time);
  statement.bind(dump_json(batch.errors)).bind(batch.output_file_id).bind(batch.error_file_id).bind(batch.base_hash);
  for (const std::int64_t number : {batch.total, batch.completed, batch.failed, batch.next_line, batch.next_offset,
                                    batch.output_bytes, batch.error_bytes})
    statement.bind(number);
  statement.bind(batch.owner);
}

}  // namespace

BatchStore::BatchStore(const std::filesystem::path& path)
    : database_(path, {.application_id = kApplicationId, .steps = kSteps}) {}

void BatchStore::insert_file(const FileRecord& file) {
  database_.prepare(joined({"INSERT INTO files (", kFileColumns, ") VALUES (?, ?, ?, ?, ?, ?, ?, ?)"}))
      .bind(file.id)
      .bind(file.bytes)
      .bind(file.created_at)
      .bind(file.expires_at)
      .bind(file.filename)
      .bind(file.purpose)
      .bind(file.sha256)
      .bind(file.owner)
      .run();
}

void BatchStore::add_file(const FileRecord& file) {
  const std::lock_guard lock(mutex_);
  insert_file(file);
}

std::optional<FileRecord> BatchStore::find_file(std::string_view id) {
  const std::lock_guard lock(mutex_);
  auto select = database_.prepare(joined({"SELECT ", kFileColumns, " FROM files WHERE id = ?"}));
  if (!select.bind(id).step()) return std::nullopt;
  return read_file_row(select);
}

template <class T, class Read>
BatchStore::Page<T> BatchStore::list(const PageQuery& query, std::string_view table, std::string_view columns,
                                     Read read) {
  const std::lock_guard lock(mutex_);
  std::optional<std::int64_t> number;
  if (!query.after.empty()) {
    auto find = database_.prepare(joined({"SELECT number, owner FROM ", table, " WHERE id = ?"}));
    require(
        find.bind(query.after).step() && query.asker.sees(find.text(1)),
        [&] { return "after: there is no \"" + query.after + "\""; }, ErrorCode::kNotFound);
    number = find.integer(0);
  }
  const std::string_view order = query.is_ascending ? "ASC" : "DESC";
  auto select = database_.prepare(joined(
      {"SELECT ", columns, " FROM ", table, " WHERE (?1 IS NULL OR number ", query.is_ascending ? ">" : "<", " ?1) ",
       query.purpose.empty() ? "AND ?2 = ''" : "AND purpose = ?2",
       query.asker.sees_all ? " AND ?3 IS NOT NULL" : " AND owner = ?3", " ORDER BY number ", order, " LIMIT ?4"}));
  select.bind(number).bind(query.purpose).bind(query.asker.name).bind(query.limit + 1);
  Page<T> page;
  while (select.step()) {
    page.has_more = static_cast<std::int64_t>(page.items.size()) == query.limit;
    if (page.has_more) break;
    page.items.push_back(read(select));
  }
  return page;
}

BatchStore::Page<FileRecord> BatchStore::list_files(const PageQuery& query) {
  return list<FileRecord>(query, "files", kFileColumns, read_file_row);
}

BatchStore::Page<BatchRecord> BatchStore::list_batches(const PageQuery& query) {
  return list<BatchRecord>(query, "batches", kBatchColumns, read_batch_row);
}

BatchStore::Removal BatchStore::remove_file(std::string_view id, std::string& user) {
  const std::lock_guard lock(mutex_);
  auto find_user = database_.prepare(joined({"SELECT id FROM batches WHERE input_file_id = ? AND ", kActive}));
  if (find_user.bind(id).step()) {
    user = find_user.text(0);
    return Removal::kInUse;
  }
  database_.prepare("DELETE FROM files WHERE id = ?").bind(id).run();
  return database_.num_changed() > 0 ? Removal::kRemoved : Removal::kUnknown;
}

std::vector<FileRecord> BatchStore::expired_files(std::int64_t now) {
  const std::lock_guard lock(mutex_);
  auto select = database_.prepare(joined({"SELECT ", kFileColumns,
                                          " FROM files WHERE expires_at <= ? AND NOT EXISTS (SELECT 1 FROM batches "
                                          "WHERE input_file_id = files.id AND ",
                                          kActive, ")"}));
  select.bind(now);
  std::vector<FileRecord> files;
  while (select.step()) files.push_back(read_file_row(select));
  return files;
}

std::vector<std::string> BatchStore::file_ids() {
  const std::lock_guard lock(mutex_);
  auto select = database_.prepare("SELECT id FROM files");
  std::vector<std::string> ids;
  while (select.step()) ids.push_back(select.text(0));
  return ids;
}

std::int64_t BatchStore::stored_bytes() {
  const std::lock_guard lock(mutex_);
  auto select = database_.prepare("SELECT sum(bytes) FROM files");
  return select.step() ? select.integer(0) : 0;
}

void BatchStore::add_batch(const BatchRecord& batch) {
  const std::lock_guard lock(mutex_);
  std::string places = "?";
  for (const char c : kBatchColumns) places += c == ',' ? ", ?" : "";
  auto insert = database_.prepare(joined({"INSERT INTO batches (", kBatchColumns, ") VALUES (", places, ")"}));
  insert.bind(batch.id);
  bind_batch(insert, batch);
  insert.run();
}

std::optional<BatchRecord> BatchStore::find_batch(std::string_view id) {
  const std::lock_guard lock(mutex_);
  auto select = database_.prepare(joined({"SELECT ", kBatchColumns, " FROM batches WHERE id = ?"}));
  if (!select.bind(id).step()) return std::nullopt;
  return read_batch_row(select);
}

std::vector<BatchRecord> BatchStore::active_batches() {
  const std::lock_guard lock(mutex_);
  auto select =
      database_.prepare(joined({"SELECT ", kBatchColumns, " FROM batches WHERE ", kActive, " ORDER BY number"}));
  std::vector<BatchRecord> batches;
  while (select.step()) batches.push_back(read_batch_row(select));
  return batches;
}

bool BatchStore::request_cancel(std::string_view id, std::int64_t now) {
  const std::lock_guard lock(mutex_);
  database_
      .prepare(
          "UPDATE batches SET status = 'cancelling', cancelling_at = ? WHERE id = ? AND status IN ('validating', "
          "'in_progress')")
      .bind(now)
      .bind(id)
      .run();
  return database_.num_changed() > 0;
}

bool BatchStore::advance(const BatchRecord& batch, std::string_view from, std::span<const FileRecord> files) {
  const std::lock_guard lock(mutex_);
  store::Transaction transaction(database_);
  std::string columns(kBatchColumns.substr(kBatchColumns.find("endpoint")));
  std::string places = "?";
  for (const char c : columns) places += c == ',' ? ", ?" : "";
  auto update =
      database_.prepare(joined({"UPDATE batches SET (", columns, ") = (", places, ") WHERE id = ? AND status = ?"}));
  bind_batch(update, batch);
  update.bind(batch.id).bind(from).run();
  if (database_.num_changed() == 0) return false;
  for (const FileRecord& file : files) insert_file(file);
  if (!batch.is_active()) database_.prepare("DELETE FROM answers WHERE batch_id = ?").bind(batch.id).run();
  transaction.commit();
  return true;
}

void BatchStore::save_progress(const BatchRecord& batch, std::span<const LineAnswer> ahead) {
  const std::lock_guard lock(mutex_);
  store::Transaction transaction(database_);
  database_
      .prepare(
          "UPDATE batches SET completed = ?, failed = ?, next_line = ?, next_offset = ?, output_bytes = ?, "
          "error_bytes = ? WHERE id = ?")
      .bind(batch.completed)
      .bind(batch.failed)
      .bind(batch.next_line)
      .bind(batch.next_offset)
      .bind(batch.output_bytes)
      .bind(batch.error_bytes)
      .bind(batch.id)
      .run();
  database_.prepare("DELETE FROM answers WHERE batch_id = ? AND line < ?").bind(batch.id).bind(batch.next_line).run();
  auto insert = database_.prepare("INSERT INTO answers (batch_id, line, is_error, text) VALUES (?, ?, ?, ?)");
  for (const LineAnswer& answer : ahead)
    insert.bind(batch.id).bind(answer.line).bind(std::int64_t{answer.is_error}).bind(answer.text).run();
  transaction.commit();
}

std::vector<LineAnswer> BatchStore::answers_ahead(std::string_view batch_id) {
  const std::lock_guard lock(mutex_);
  auto select = database_.prepare("SELECT line, is_error, text FROM answers WHERE batch_id = ? ORDER BY line");
  select.bind(batch_id);
  std::vector<LineAnswer> answers;
  while (select.step()) answers.push_back({select.integer(0), select.integer(1) != 0, select.text(2)});
  return answers;
}

}  // namespace onggi::server
