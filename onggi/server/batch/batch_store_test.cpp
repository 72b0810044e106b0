#include "onggi/server/batch/batch_store.h"

#include <gtest/gtest.h>

#include <array>

#include <unistd.h>

#include "onggi/core/error.h"

namespace onggi::server {
namespace {

namespace fs = std::filesystem;

const Asker kShop{.name = "shop"}, kBoard{.name = "board"}, kAdmin{.name = "admin", .sees_all = true};

class BatchStoreTest : public ::testing::Test {
 protected:
  void SetUp() override { fs::create_directory(folder_); }
  ~BatchStoreTest() override { fs::remove_all(folder_); }

  static FileRecord file(std::string id, std::string owner) {
    return {.id = std::move(id), .bytes = 1, .filename = "rows", .purpose = "batch", .owner = std::move(owner)};
  }
  static BatchRecord batch(std::string id, std::string owner) {
    BatchRecord batch{.id = std::move(id), .endpoint = "/v1/completions", .input_file_id = "file"};
    batch.owner = std::move(owner);
    return batch;
  }
  template <class T>
  static std::vector<std::string> ids(const BatchStore::Page<T>& page) {
    std::vector<std::string> ids;
    for (const T& item : page.items) ids.push_back(item.id);
    return ids;
  }

  const fs::path folder_ = fs::temp_directory_path() / ("onggi-batch-store-" + std::to_string(::getpid()));
  const fs::path path_ = folder_ / "onggi.db";
};

using Ids = std::vector<std::string>;

TEST_F(BatchStoreTest, AListHasWhatTheAskerMayKnowOf) {
  BatchStore store(path_);
  for (const auto& [id, owner] : {std::pair{"a", "shop"}, std::pair{"b", "board"}, std::pair{"c", ""},
                                  std::pair{"d", "shop"}, std::pair{"e", "shop"}, std::pair{"f", "board"}}) {
    store.add_file(file(id, owner));
    store.add_batch(batch(id, owner));
  }
  EXPECT_EQ(ids(store.list_files({.asker = kShop})), (Ids{"e", "d", "a"}));
  EXPECT_EQ(ids(store.list_batches({.asker = kBoard})), (Ids{"f", "b"}));
  EXPECT_EQ(ids(store.list_batches({.asker = kAdmin})), (Ids{"f", "e", "d", "c", "b", "a"}));
  EXPECT_EQ(ids(store.list_files({.purpose = "batch", .is_ascending = true, .asker = kBoard})), (Ids{"b", "f"}));
  EXPECT_TRUE(store.list_files({.purpose = "batch_output", .asker = kShop}).items.empty());
  // A page ends, and the next goes on, among the asker's own.
  const auto page = store.list_files({.limit = 2, .asker = kShop});
  EXPECT_EQ(ids(page), (Ids{"e", "d"}));
  EXPECT_TRUE(page.has_more);
  const auto rest = store.list_files({.after = "d", .limit = 1, .asker = kShop});
  EXPECT_EQ(ids(rest), (Ids{"a"}));
  EXPECT_FALSE(rest.has_more);
  for (const char* after : {"b", "c", "none"}) {
    EXPECT_THROW(store.list_files({.after = after, .asker = kShop}), Error) << after;
    EXPECT_THROW(store.list_batches({.after = after, .asker = kShop}), Error) << after;
  }
  EXPECT_EQ(ids(store.list_batches({.after = "b", .asker = kAdmin})), (Ids{"a"}));
}

TEST_F(BatchStoreTest, AnOwnerStaysWhateverHappensToABatch) {
  {
    BatchStore store(path_);
    store.add_file(file("file", "shop"));
    store.add_batch(batch("batch", "shop"));
    BatchRecord next = *store.find_batch("batch");
    next.move_to(batch_status::kInProgress, 5);
    const std::array left = {file("left", next.owner)};
    ASSERT_TRUE(store.advance(next, batch_status::kValidating, left));
    next.completed = 3;
    store.save_progress(next, {});
    ASSERT_TRUE(store.request_cancel("batch", 6));
  }
  BatchStore store(path_);
  EXPECT_EQ(store.find_batch("batch")->owner, "shop");
  EXPECT_EQ(store.find_batch("batch")->completed, 3);
  EXPECT_EQ(store.active_batches().at(0).owner, "shop");
  for (const char* id : {"file", "left"}) EXPECT_EQ(store.find_file(id)->owner, "shop");
}

/// The tables of the first release, in a file as that release left it.
constexpr std::array<std::string_view, 1> kFirstSteps = {R"(
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
)"};

TEST_F(BatchStoreTest, WhatAnOlderServerLeftIsNobodysAndGoesOn) {
  {
    store::Sqlite old(path_, {.application_id = 0x6f6e6767, .steps = kFirstSteps});
    old.run(R"(
INSERT INTO files (id, bytes, created_at, expires_at, filename, purpose, sha256)
  VALUES ('file', 7, 1, NULL, 'rows.jsonl', 'batch', 'abc');
INSERT INTO batches (id, endpoint, input_file_id, completion_window, metadata, created_at, expires_at, status, errors,
  output_file_id, error_file_id, base_hash, total, completed, failed, next_line, next_offset, output_bytes, error_bytes)
  VALUES ('batch', '/v1/completions', 'file', '24h', 'null', 1, 9, 'in_progress', 'null', '', '', 'base', 5, 2, 1, 3, 30,
  20, 10);
INSERT INTO answers VALUES ('batch', 4, 0, 'ahead');
)");
  }
  BatchStore store(path_);
  const auto batch = *store.find_batch("batch");
  EXPECT_EQ(batch.owner, "");
  EXPECT_EQ(batch.total, 5);
  EXPECT_EQ(batch.error_bytes, 10);
  EXPECT_EQ(store.find_file("file")->sha256, "abc");
  EXPECT_EQ(store.answers_ahead("batch").at(0).text, "ahead");
  EXPECT_TRUE(store.list_files({.asker = kShop}).items.empty());
  EXPECT_EQ(ids(store.list_files({.asker = kAdmin})), (Ids{"file"}));
  EXPECT_EQ(ids(store.list_batches({.asker = {.name = "", .sees_all = true}})), (Ids{"batch"}));
  BatchRecord next = batch;
  next.move_to(batch_status::kFinalizing, 2);
  EXPECT_TRUE(store.advance(next, batch_status::kInProgress));
}

}  // namespace
}  // namespace onggi::server
