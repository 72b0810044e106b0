#include "onggi/core/files.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>

#include <sys/wait.h>
#include <unistd.h>

#include "onggi/core/error.h"

namespace onggi {
namespace {

namespace fs = std::filesystem;

class Files : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "/onggi_files_XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { fs::remove_all(folder_); }

  template <class Function>
  static ErrorCode code_of(Function&& function) {
    try {
      function();
    } catch (const Error& e) {
      return e.code();
    }
    ADD_FAILURE() << "no error";
    return ErrorCode::kInternal;
  }

  int num_entries() const { return static_cast<int>(std::distance(fs::directory_iterator(folder_), {})); }

  fs::path folder_;
};

TEST_F(Files, MapsWhatWasWritten) {
  write_file_atomic(folder_ / "a", "hello");
  MappedFile map(folder_ / "a");
  ASSERT_EQ(map.bytes().size(), 5U);
  EXPECT_EQ(std::memcmp(map.bytes().data(), "hello", 5), 0);

  MappedFile moved(std::move(map));
  EXPECT_EQ(moved.bytes().size(), 5U);
  EXPECT_TRUE(map.bytes().empty());  // NOLINT(bugprone-use-after-move): that it is empty is the claim.
  write_file_atomic(folder_ / "empty", "");
  moved = MappedFile(folder_ / "empty");
  EXPECT_TRUE(moved.bytes().empty());
}

TEST_F(Files, MappingSaysWhatIsWrong) {
  EXPECT_EQ(code_of([&] { MappedFile map(folder_ / "absent"); }), ErrorCode::kNotFound);
  EXPECT_EQ(code_of([&] { MappedFile map(folder_); }), ErrorCode::kInvalidArgument);
}

TEST_F(Files, ReadsUpToTheLimit) {
  const std::string content(200000, 'x');
  write_file_atomic(folder_ / "a", content);
  EXPECT_EQ(read_file(folder_ / "a"), content);
  EXPECT_EQ(read_file(folder_ / "a", content.size()), content);
  EXPECT_EQ(code_of([&] { read_file(folder_ / "a", content.size() - 1); }), ErrorCode::kExhausted);
  EXPECT_EQ(code_of([&] { read_file(folder_ / "absent"); }), ErrorCode::kNotFound);
  EXPECT_EQ(code_of([&] { read_file(folder_ / "a" / "b"); }), ErrorCode::kNotFound);
  EXPECT_EQ(code_of([&] { read_file(folder_); }), ErrorCode::kUnavailable);
}

TEST_F(Files, AtomicWriteReplacesAndLeavesNothingBehind) {
  write_file_atomic(folder_ / "a", "old");
  write_file_atomic(folder_ / "a", "new");
  EXPECT_EQ(read_file(folder_ / "a"), "new");
  EXPECT_EQ(num_entries(), 1);
}

TEST_F(Files, WhatAKilledProcessLeftIsRemovedByTheNextWrite) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  ::waitpid(child, nullptr, 0);
  const std::string gone = std::to_string(child), alive = std::to_string(::getppid());
  for (const std::string& name : {"a.tmp." + gone, "a.tmp." + alive, "a.tmp." + gone + "x", "b.tmp." + gone}) write_file_atomic(folder_ / name, "left");
  write_file_atomic(folder_ / "a", "new");
  EXPECT_FALSE(fs::exists(folder_ / ("a.tmp." + gone)));
  EXPECT_EQ(num_entries(), 4);  // the file, a living process's, and names that are not of this file
}

TEST_F(Files, FailedAtomicWriteKeepsTheOldFile) {
  fs::create_directory(folder_ / "a");
  write_file_atomic(folder_ / "a" / "child", "old");
  EXPECT_EQ(code_of([&] { write_file_atomic(folder_ / "a", "new"); }), ErrorCode::kUnavailable);  // A folder is there.
  EXPECT_EQ(read_file(folder_ / "a" / "child"), "old");
  EXPECT_EQ(num_entries(), 1);
  EXPECT_EQ(code_of([&] { write_file_atomic(folder_ / "absent" / "b", "x"); }), ErrorCode::kNotFound);
}

TEST_F(Files, AFolderIsReplacedAsAWhole) {
  const fs::path place = folder_ / "run";
  for (const std::string_view content : {"first", "second"}) {
    fs::create_directory(folder_ / "fresh");
    write_file_atomic(folder_ / "fresh" / content, content);
    replace_folder(folder_ / "fresh", place);
    EXPECT_EQ(read_file(place / content), content);
    EXPECT_EQ(std::distance(fs::directory_iterator(place), {}), 1);
    EXPECT_EQ(num_entries(), 1);
  }
  EXPECT_EQ(code_of([&] { replace_folder(folder_ / "absent", folder_ / "b"); }), ErrorCode::kUnavailable);
}

TEST_F(Files, AFullDiskIsOneClearError) {
  if (!fs::exists("/dev/full")) GTEST_SKIP() << "needs /dev/full, which is not here";
  AppendFile file("/dev/full");
  try {
    file.append("x");
    FAIL() << "no error";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kUnavailable);
    EXPECT_NE(e.message().find("free some space"), std::string::npos) << e.message();
    EXPECT_EQ(e.where(), "/dev/full");
  }
}

TEST_F(Files, AppendContinuesAndCutsATornTail) {
  {
    AppendFile file(folder_ / "log");
    file.append("one\n");
    file.append("two\nto");
    file.sync();
  }
  {
    AppendFile file(folder_ / "log");
    file.append("rn");
  }
  EXPECT_EQ(read_file(folder_ / "log"), "one\ntwo\ntorn");
  AppendFile file(folder_ / "log", 8);
  file.append("three\n");
  EXPECT_EQ(read_file(folder_ / "log"), "one\ntwo\nthree\n");
}

TEST_F(Files, OneProcessAppendsAtATime) {
  AppendFile file(folder_ / "log");
  EXPECT_EQ(code_of([&] { AppendFile(folder_ / "log", 0); }), ErrorCode::kUnavailable);
  file.append("kept\n");
  EXPECT_EQ(read_file(folder_ / "log"), "kept\n");
}

TEST_F(Files, ADeviceIsWrittenToAndNotReplaced) {
  if (!fs::exists("/dev/full")) GTEST_SKIP() << "needs /dev/full, which is not here";
  fs::create_symlink("/dev/null", folder_ / "nothing");
  fs::create_symlink("/dev/full", folder_ / "full");
  write_file_atomic(folder_ / "nothing", "x");
  EXPECT_EQ(code_of([&] { write_file_atomic(folder_ / "full", "x"); }), ErrorCode::kUnavailable);
  EXPECT_TRUE(fs::is_character_file(folder_ / "nothing") && fs::is_character_file(folder_ / "full"));
  EXPECT_EQ(num_entries(), 2);
}

TEST_F(Files, HomeComesFromTheEnvironment) {
  const char* saved = std::getenv("ONGGI_HOME");
  const std::string before = saved != nullptr ? saved : "";
  ::setenv("ONGGI_HOME", "/somewhere", 1);
  EXPECT_EQ(onggi_home(), "/somewhere");
  ::setenv("ONGGI_HOME", "", 1);
  EXPECT_EQ(onggi_home().filename(), "onggi");
  EXPECT_EQ(onggi_home().parent_path().filename(), ".cache");
  if (saved != nullptr) {
    ::setenv("ONGGI_HOME", before.c_str(), 1);
  } else {
    ::unsetenv("ONGGI_HOME");
  }
}

}  // namespace
}  // namespace onggi
