#include "onggi/server/batch/batch_run.h"

#include <gtest/gtest.h>

#include <fstream>
#include <random>

#include <unistd.h>

#include "onggi/core/error.h"

namespace onggi::server {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kNow = 1000;

class BatchRunTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_.make();
    store_ = std::make_unique<BatchStore>(folder_.database());
  }
  ~BatchRunTest() override { fs::remove_all(folder_.root()); }

  void add_input(int num_lines) {
    std::string content;
    for (int i = 0; i < num_lines; ++i) {
      content += R"({"custom_id":")" + std::to_string(i) + R"(","method":"POST","url":"/v1/completions","body":{}})" +
                 (i % 3 == 0 ? "\n\n" : "\n");
    }
    std::ofstream(folder_.file("file-in"), std::ios::binary) << content;
    store_->add_file({.id = "file-in", .bytes = static_cast<std::int64_t>(content.size()), .purpose = "batch"});
    BatchRecord batch{.id = "batch_1", .endpoint = "/v1/completions", .input_file_id = "file-in"};
    batch.expires_at = kNow + 100;
    store_->add_batch(batch);
  }
  std::unique_ptr<BatchRun> open() {
    return std::make_unique<BatchRun>(*store_, folder_, *store_->find_batch("batch_1"), BatchLimits{});
  }
  static void validate(BatchRun& run) {
    while (run.is_validating()) run.validate_some("base", kNow);
  }
  static LineAnswer answer_to(const OpenLine& line) {
    const bool is_error = line.content.custom_id.back() == '7';
    return {line.number, is_error, "answer " + line.content.custom_id};
  }
  std::string content(const std::string& id) const { return id.empty() ? "" : read_file(folder_.file(id)); }

  const BatchFolder folder_{fs::temp_directory_path() / ("onggi-batch-run-" + std::to_string(::getpid()))};
  std::unique_ptr<BatchStore> store_;
};

TEST_F(BatchRunTest, AnswersInAnyOrderAreWrittenInOrderAndSurviveRunsThatEndAnywhere) {
  constexpr int kLines = 200;
  add_input(kLines);
  std::mt19937 random(7);
  std::map<std::int64_t, int> num_saved;
  auto run = open();
  int num_runs = 0;
  while (!run->is_done()) {
    validate(*run);
    std::vector<OpenLine> asked;
    std::vector<LineAnswer> unsaved;
    const int num_steps = static_cast<int>(random() % 120);
    for (int step = 0; step < num_steps && !run->is_done(); ++step) {
      while (asked.size() < 10) {
        auto line = run->next_line();
        if (!line) break;
        EXPECT_FALSE(num_saved.contains(line->number)) << "asked again";
        asked.push_back(std::move(*line));
      }
      if (asked.empty()) {
        if (run->is_answered()) run->complete(kNow);
        break;
      }
      const auto one = asked.begin() + static_cast<std::ptrdiff_t>(random() % asked.size());
      run->put(answer_to(*one));
      unsaved.push_back(answer_to(*one));
      asked.erase(one);
      if (random() % 8 != 0) continue;
      run->save();
      for (const auto& answer : unsaved) ++num_saved[answer.line];
      unsaved.clear();
    }
    if (run->is_done()) break;
    // What is not saved leaves a torn file at most.
    run.reset();
    std::ofstream(folder_.output("batch_1"), std::ios::app) << "torn";
    run = open();
    ++num_runs;
  }
  EXPECT_GT(num_runs, 1);
  const auto done = *store_->find_batch("batch_1");
  EXPECT_EQ(done.status, batch_status::kCompleted);
  EXPECT_EQ(done.completed + done.failed, kLines);
  std::string output, errors;
  for (int i = 0; i < kLines; ++i) (i % 10 == 7 ? errors : output) += "answer " + std::to_string(i) + "\n";
  EXPECT_EQ(content(done.output_file_id), output);
  EXPECT_EQ(content(done.error_file_id), errors);
  EXPECT_EQ(store_->find_file(done.output_file_id)->bytes, static_cast<std::int64_t>(output.size()));
  EXPECT_FALSE(fs::exists(folder_.output("batch_1")));
  EXPECT_TRUE(store_->answers_ahead("batch_1").empty());
}

TEST_F(BatchRunTest, FilesThatWerePublishedAndNotToldOfAreTakenBack) {
  add_input(2);
  auto run = open();
  validate(*run);
  while (auto line = run->next_line()) run->put(answer_to(*line));
  run->save();
  run.reset();
  BatchFolder::move(folder_.output("batch_1"), folder_.file(BatchRun::output_id("batch_1", "output")));
  run = open();
  EXPECT_FALSE(run->next_line());
  run->complete(kNow);
  EXPECT_EQ(content(run->batch().output_file_id), "answer 0\nanswer 1\n");
  EXPECT_EQ(run->batch().error_file_id, "");
}

TEST_F(BatchRunTest, WhatIsCancelledKeepsItsAnswers) {
  add_input(6);
  auto run = open();
  validate(*run);
  std::vector<OpenLine> lines;
  while (auto line = run->next_line()) lines.push_back(std::move(*line));
  for (const std::size_t i : {std::size_t{4}, std::size_t{0}, std::size_t{2}}) run->put(answer_to(lines[i]));
  run->save();
  ASSERT_TRUE(store_->request_cancel("batch_1", kNow));
  EXPECT_FALSE(store_->request_cancel("batch_1", kNow));
  run.reset();
  run = open();
  run->cancel(kNow);
  EXPECT_EQ(run->batch().status, batch_status::kCancelled);
  EXPECT_EQ(run->batch().completed, 3);
  EXPECT_EQ(content(run->batch().output_file_id), "answer 0\nanswer 2\nanswer 4\n");
}

TEST_F(BatchRunTest, ACancelThatComesBetweenIsSeen) {
  add_input(1);
  auto run = open();
  validate(*run);
  const auto line = run->next_line();
  run->put(answer_to(*line));
  ASSERT_TRUE(store_->request_cancel("batch_1", kNow));
  run->complete(kNow);
  EXPECT_EQ(run->batch().status, batch_status::kCancelling);
  run->cancel(kNow);
  EXPECT_EQ(store_->find_batch("batch_1")->status, batch_status::kCancelled);
}

TEST_F(BatchRunTest, WhatIsTooLateIsAnErrorLine) {
  add_input(4);
  auto run = open();
  validate(*run);
  const auto first = run->next_line();
  const auto second = run->next_line();
  run->put(answer_to(*second));
  run->save();
  run.reset();
  run = open();
  while (!run->is_done())
    run->expire_some(kNow + 200, [](const OpenLine& line) { return "late " + line.content.custom_id; });
  EXPECT_EQ(run->batch().status, batch_status::kExpired);
  EXPECT_EQ(content(run->batch().output_file_id), "answer 1\n");
  EXPECT_EQ(content(run->batch().error_file_id), "late 0\nlate 2\nlate 3\n");
}

TEST_F(BatchRunTest, AnInputOrOutputThatIsNotWhatItWasIsAnError) {
  add_input(3);
  auto run = open();
  validate(*run);
  while (auto line = run->next_line()) run->put(answer_to(*line));
  run->save();
  run.reset();
  fs::resize_file(folder_.output("batch_1"), 3);
  EXPECT_THROW(open(), Error);
  fs::resize_file(folder_.file("file-in"), 3);
  EXPECT_THROW(open(), Error);
  std::string user;
  EXPECT_EQ(store_->remove_file("file-in", user), BatchStore::Removal::kInUse);
  EXPECT_EQ(user, "batch_1");
}

}  // namespace
}  // namespace onggi::server
