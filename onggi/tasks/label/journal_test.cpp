#include "onggi/tasks/label/journal.h"

#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

#include "onggi/core/error.h"

namespace onggi::tasks {
namespace {

namespace fs = std::filesystem;

class JournalTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "onggi-journal-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
    path_ = folder_ / "j.db";
  }
  void TearDown() override { fs::remove_all(folder_); }

  fs::path folder_, path_;
};

const std::vector<Journal::Call> kCalls = {{"a", 10}, {"b", 20}, {"c", 40}};

TEST_F(JournalTest, AnswersAreFoundAgainAndTheFirstStays) {
  {
    Journal journal(path_);
    EXPECT_EQ(journal.find("a"), std::nullopt);
    journal.note_asked(kCalls);
    const std::vector<Journal::Answer> answers = {
        {.key = "a", .row = "r", .body = "one", .prompt_tokens = 3, .completion_tokens = 2, .cost = 7}};
    journal.keep(answers);
    const std::vector<Journal::Answer> again = {{.key = "a", .row = "r", .body = "two", .cost = 99}};
    journal.keep(again);
    EXPECT_EQ(journal.find("a"), "one");
  }
  Journal journal(path_);
  EXPECT_EQ(journal.find("a"), "one");
  const auto totals = journal.totals();
  EXPECT_EQ(totals.num_answers, 1);
  EXPECT_EQ(totals.spent, 7);
  EXPECT_EQ(totals.prompt_tokens, 3);
  EXPECT_EQ(totals.num_lost, 2) << "b and c were under way when the first one ended";
  EXPECT_EQ(totals.lost, 60);
}

TEST_F(JournalTest, RefusedCallsCostNothingAndSilentOnesTheirMost) {
  Journal journal(path_);
  journal.note_asked(kCalls);
  const std::vector<std::string> refused = {"a", "b"}, silent = {"c"};
  journal.note_ended(refused, Journal::End::kFree);
  journal.note_ended(silent, Journal::End::kUnknown);
  EXPECT_EQ(journal.totals().lost, 40);
  journal.note_asked(kCalls);
  journal.note_ended(silent, Journal::End::kUnknown);
  EXPECT_EQ(journal.totals().lost, 80);
  EXPECT_EQ(journal.totals().num_lost, 2);
}

TEST_F(JournalTest, WhatWasKeptSurvivesAKill) {
  const pid_t child = ::fork();
  if (child == 0) {
    Journal journal(path_);
    journal.note_asked(kCalls);
    const std::vector<Journal::Answer> answers = {{.key = "b", .row = "r", .body = "kept", .cost = 5}};
    journal.keep(answers);
    ::raise(SIGKILL);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  ASSERT_TRUE(WIFSIGNALED(status));
  Journal journal(path_);
  EXPECT_EQ(journal.find("b"), "kept");
  EXPECT_EQ(journal.totals().num_lost, 2);
}

TEST_F(JournalTest, OneProcessAtATime) {
  Journal journal(path_);
  EXPECT_THROW(Journal second(path_), Error);
}

}  // namespace
}  // namespace onggi::tasks
