#include "onggi/store/sqlite.h"

#include <gtest/gtest.h>

#include <array>
#include <fstream>

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "onggi/core/error.h"
#include "onggi/core/files.h"
#include "onggi/store/folder_lock.h"

namespace onggi::store {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 1> kFirst = {"CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT) STRICT"};
constexpr std::array<std::string_view, 2> kSecond = {kFirst[0], "ALTER TABLE notes ADD COLUMN size INTEGER"};
constexpr std::int32_t kId = 77;

class SqliteTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "onggi-store-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
    path_ = folder_ / "notes.db";
  }
  void TearDown() override { fs::remove_all(folder_); }

  template <class Action>
  static ErrorCode code_of(Action action, std::string* text = nullptr) {
    try {
      action();
    } catch (const Error& e) {
      if (text != nullptr) *text = e.what();
      return e.code();
    }
    return ErrorCode::kInternal;
  }

  fs::path folder_, path_;
};

TEST_F(SqliteTest, KeepsWhatWasCommittedAndNothingElse) {
  {
    Sqlite database(path_, {kId, kFirst});
    auto insert = database.prepare("INSERT INTO notes (text) VALUES (?)");
    insert.bind(std::string_view("one")).run();
    {
      Transaction lost(database);
      insert.bind(std::string_view("two")).run();
    }
    Transaction kept(database);
    insert.bind(std::string_view("a\0b", 3)).run();
    kept.commit();
  }
  Sqlite database(path_, {kId, kFirst});
  auto select = database.prepare("SELECT text FROM notes ORDER BY id");
  ASSERT_TRUE(select.step());
  EXPECT_EQ(select.text(0), "one");
  ASSERT_TRUE(select.step());
  EXPECT_EQ(select.text(0), std::string("a\0b", 3));
  EXPECT_FALSE(select.step());
}

TEST_F(SqliteTest, ACommitSurvivesAKill) {
  const pid_t child = ::fork();
  if (child == 0) {
    Sqlite database(path_, {kId, kFirst});
    database.run("INSERT INTO notes (text) VALUES ('kept')");
    database.run("BEGIN; INSERT INTO notes (text) VALUES ('lost')");
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  Sqlite database(path_, {kId, kFirst});
  auto select = database.prepare("SELECT count(*), max(text) FROM notes");
  ASSERT_TRUE(select.step());
  EXPECT_EQ(select.integer(0), 1);
  EXPECT_EQ(select.text(1), "kept");
}

TEST_F(SqliteTest, AnOlderFileIsBroughtUpAndANewerOneRefused) {
  { Sqlite(path_, {kId, kFirst}).run("INSERT INTO notes (text) VALUES ('old')"); }
  {
    Sqlite database(path_, {kId, kSecond});
    auto select = database.prepare("SELECT text, size FROM notes");
    ASSERT_TRUE(select.step());
    EXPECT_EQ(select.text(0), "old");
    EXPECT_EQ(select.optional_integer(1), std::nullopt);
  }
  std::string text;
  EXPECT_EQ(code_of([&] { Sqlite(path_, {kId, kFirst}); }, &text), ErrorCode::kCorrupt);
  EXPECT_NE(text.find("version 2"), std::string::npos) << text;
}

TEST_F(SqliteTest, AnotherProgramsFileIsRefusedAndLeftAsItIs) {
  { Sqlite(path_, {kId + 1, kFirst}); }
  const std::string before = read_file(path_);
  EXPECT_EQ(code_of([&] { Sqlite(path_, {kId, kFirst}); }), ErrorCode::kCorrupt);
  EXPECT_EQ(read_file(path_), before);
  std::ofstream(path_, std::ios::trunc) << std::string(5000, 'x');
  std::string text;
  EXPECT_EQ(code_of([&] { Sqlite(path_, {kId, kFirst}); }, &text), ErrorCode::kCorrupt);
  EXPECT_NE(text.find(path_.string()), std::string::npos) << text;
}

TEST_F(SqliteTest, ADamagedFileIsAnError) {
  {
    Sqlite database(path_, {kId, kFirst});
    auto insert = database.prepare("INSERT INTO notes (text) VALUES (?)");
    Transaction all(database);
    for (int i = 0; i < 500; ++i) insert.bind(std::string(100, 'x')).run();
    all.commit();
  }
  std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(4096);
  file << std::string(8192, '\xff');
  file.close();
  EXPECT_EQ(code_of([&] {
              Sqlite database(path_, {kId, kFirst});
              database.prepare("SELECT sum(length(text)) FROM notes").run();
            }),
            ErrorCode::kCorrupt);
}

TEST_F(SqliteTest, AFolderThatIsNotThereIsNamed) {
  std::string text;
  EXPECT_EQ(code_of([&] { Sqlite(folder_ / "absent" / "x.db", {kId, kFirst}); }, &text), ErrorCode::kUnavailable);
  EXPECT_NE(text.find("absent"), std::string::npos) << text;
}

TEST_F(SqliteTest, AFullDiskIsAnErrorAndWhatWasThereStays) {
  Sqlite database(path_, {kId, kFirst});
  database.run("INSERT INTO notes (text) VALUES ('first'); PRAGMA max_page_count = 10");
  std::string text;
  EXPECT_EQ(code_of(
                [&] {
                  Transaction all(database);
                  auto insert = database.prepare("INSERT INTO notes (text) VALUES (?)");
                  for (int i = 0; i < 500; ++i) insert.bind(std::string(1000, 'x')).run();
                  all.commit();
                },
                &text),
            ErrorCode::kUnavailable);
  EXPECT_NE(text.find("space"), std::string::npos) << text;
  auto count = database.prepare("SELECT count(*) FROM notes");
  ASSERT_TRUE(count.step());
  EXPECT_EQ(count.integer(0), 1);
}

TEST_F(SqliteTest, AFolderHasOneProcess) {
  const fs::path folder = folder_ / "state";
  {
    const FolderLock lock(folder);
    std::string text;
    EXPECT_EQ(code_of([&] { FolderLock{folder}; }, &text), ErrorCode::kUnavailable);
    EXPECT_NE(text.find("in use"), std::string::npos) << text;
  }
  const FolderLock again(folder);
  std::ofstream(folder_ / "file") << "x";
  EXPECT_EQ(code_of([&] { FolderLock{folder_ / "file"}; }), ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace onggi::store
