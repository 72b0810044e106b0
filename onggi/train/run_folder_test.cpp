#include "onggi/train/run_folder.h"

#include <fstream>
#include <functional>

#include <unistd.h>

#include <gtest/gtest.h>

#include "onggi/core/error.h"

namespace onggi::train {
namespace {

namespace fs = std::filesystem;

class RunFolderTest : public ::testing::Test {
 protected:
  RunFolderTest() : root_(fs::path(::testing::TempDir()) / ("onggi_runs_" + std::to_string(::getpid()))) {
    fs::remove_all(root_);
    fs::create_directories(root_);
  }
  ~RunFolderTest() override { fs::remove_all(root_); }

  static Manifest manifest(const std::string& created) {
    return {.tool_version = "0.1.0",
            .tool_commit = "abc",
            .instruction_set = "avx2",
            .created = created,
            .command_line = {"onggi", "sft", "--seed", "7"},
            .base_path = "base.gguf",
            .seed = 7,
            .hashes = {{"base", "00ff"}, {"data", "11ee"}}};
  }

  static ErrorCode code_of(const std::function<void()>& call) {
    try {
      call();
    } catch (const Error& e) {
      return e.code();
    }
    ADD_FAILURE() << "no error";
    return ErrorCode::kInternal;
  }

  fs::path root_;
};

TEST_F(RunFolderTest, KeepsConfigManifestAndMetrics) {
  {
    auto run = RunFolder::create(root_ / "a", {{"rank", 8}}, manifest("2026-01-01T00:00:00Z"));
    run.log(1, {{"train/loss", 2.5}, {"note", "x"}});
    run.log(2, {{"train/loss", 1.5}, {"eval/loss", 1.75}});
    run.finish({{"best_step", 2}});
  }
  EXPECT_EQ(read_file(root_ / "a/metrics.jsonl"),
            "{\"step\":1,\"train/loss\":2.5,\"note\":\"x\"}\n{\"step\":2,\"train/loss\":1.5,\"eval/loss\":1.75}\n");
  const auto summary = summarize_run(root_ / "a");
  EXPECT_EQ(summary.problem, "");
  EXPECT_EQ(summary.steps, 2);
  EXPECT_EQ(summary.result["best_step"], 2);
  EXPECT_EQ(summary.config["rank"], 8);
  EXPECT_EQ(dump_json(summary.manifest.to_json()), dump_json(manifest("2026-01-01T00:00:00Z").to_json()));
  ASSERT_EQ(summary.metrics.size(), 2U);
  EXPECT_EQ(summary.metrics[0].lowest, 1.5);
  fs::path events;
  for (const auto& entry : fs::directory_iterator(root_ / "a/tensorboard")) events = entry.path();
  EXPECT_EQ(events.filename().string().rfind("events.out.tfevents.", 0), 0U);
  EXPECT_EQ(decode_events(read_file(events)).events.size(), 3U);
}

TEST_F(RunFolderTest, ResumeCutsWhatCameAfterTheCheckpoint) {
  {
    auto run = RunFolder::create(root_ / "a", Json::object(), manifest("t"));
    for (int step = 1; step <= 4; ++step) run.log(step, {{"loss", step}});
  }
  std::ofstream(root_ / "a/metrics.jsonl", std::ios::app) << "{\"step\":5,\"lo";
  EXPECT_EQ(read_metrics(root_ / "a").size(), 4U);
  {
    auto run = RunFolder::resume(root_ / "a", 2);
    EXPECT_EQ(run.manifest().seed, 7);
    run.log(3, {{"loss", 30}});
  }
  const auto lines = read_metrics(root_ / "a");
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(lines[2]["loss"], 30);
}

TEST_F(RunFolderTest, RefusesASecondRunAndASecondProcess) {
  auto run = RunFolder::create(root_ / "a", Json::object(), manifest("t"));
  EXPECT_EQ(code_of([&] { RunFolder::resume(root_ / "a", 0); }), ErrorCode::kUnavailable);
  { const RunFolder moved = std::move(run); }
  EXPECT_EQ(code_of([&] { RunFolder::create(root_ / "a", Json::object(), manifest("t")); }),
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(code_of([&] { RunFolder::resume(root_ / "b", 0); }), ErrorCode::kNotFound);
  std::ofstream(root_ / "file") << "x";
  EXPECT_EQ(code_of([&] { RunFolder::create(root_ / "file", Json::object(), manifest("t")); }),
            ErrorCode::kUnavailable);
}

TEST_F(RunFolderTest, AFolderOfSomethingElseIsLeftAlone) {
  fs::create_directories(root_ / "mine");
  write_file_atomic(root_ / "mine" / "config.json", "{\"hidden_size\": 64}");
  EXPECT_EQ(code_of([&] { RunFolder::create(root_ / "mine", {{"rank", 8}}, manifest("t")); }), ErrorCode::kInvalidArgument);
  EXPECT_EQ(read_file(root_ / "mine" / "config.json"), "{\"hidden_size\": 64}");
  EXPECT_FALSE(fs::exists(root_ / "mine" / "manifest.json"));
}

TEST_F(RunFolderTest, ListNamesTheProblemOfABrokenRunAndGoesOn) {
  { RunFolder::create(root_ / "new", Json::object(), manifest("2026-02-01T00:00:00Z")); }
  { RunFolder::create(root_ / "old", Json::object(), manifest("2026-01-01T00:00:00Z")); }
  fs::create_directories(root_ / "broken");
  fs::create_directories(root_ / "no_run");
  const char* bad[] = {"", "[]", "{\"format\": \"onggi run 2\"}", "{\"format\": \"onggi run 1\", \"seed\": \"x\"}"};
  for (const char* text : bad) {
    std::ofstream(root_ / "broken/manifest.json") << text;
    const auto runs = list_runs(root_);
    ASSERT_EQ(runs.size(), 3U);
    EXPECT_EQ(runs[0].name, "broken");
    EXPECT_NE(runs[0].problem, "");
    EXPECT_EQ(runs[1].name, "old");
    EXPECT_EQ(runs[2].name, "new");
  }
  EXPECT_EQ(list_runs(root_ / "old").size(), 1U);
  EXPECT_EQ(code_of([&] { list_runs(root_ / "absent"); }), ErrorCode::kNotFound);
}

TEST_F(RunFolderTest, BrokenMetricsLineIsNamed) {
  { RunFolder::create(root_ / "a", Json::object(), manifest("t")); }
  std::ofstream(root_ / "a/metrics.jsonl") << "{\"step\":1}\nnonsense\n{\"step\":2}\n";
  EXPECT_NE(summarize_run(root_ / "a").problem.find("line 2"), std::string::npos) << summarize_run(root_ / "a").problem;
}

TEST_F(RunFolderTest, CompareShowsOnlyWhatDiffers) {
  auto m = manifest("1");
  {
    auto run = RunFolder::create(root_ / "a", {{"rank", 8}, {"lr", 1e-4}, {"data", {{"path", "x"}}}}, m);
    run.log(1, {{"loss", 2.0}});
  }
  m.created = "2";
  m.hashes[1].second = "22dd";
  {
    auto run = RunFolder::create(root_ / "b", {{"rank", 16}, {"lr", 1e-4}, {"data", {{"path", "y"}}}}, m);
    run.log(1, {{"loss", 1.0}, {"f1", 0.5}});
    run.log(2, {{"loss", 1.5}});
  }
  const auto comparison = compare_runs(list_runs(root_));
  EXPECT_EQ(comparison.names, (std::vector<std::string>{"a", "b"}));
  ASSERT_EQ(comparison.config.size(), 3U);
  EXPECT_EQ(comparison.config[0].key, "rank");
  EXPECT_EQ(comparison.config[0].values, (std::vector<std::string>{"8", "16"}));
  EXPECT_EQ(comparison.config[1].key, "data.path");
  EXPECT_EQ(comparison.config[2].key, "hash.data");
  ASSERT_EQ(comparison.metrics.size(), 4U);
  EXPECT_EQ(comparison.metrics[0].values, (std::vector<std::string>{"2", "1.5"}));
  EXPECT_EQ(comparison.metrics[1].values, (std::vector<std::string>{"2 at step 1", "1 at step 1"}));
  EXPECT_EQ(comparison.metrics[2].values, (std::vector<std::string>{"", "0.5"}));
}

}  // namespace
}  // namespace onggi::train
