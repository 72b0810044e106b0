#include "onggi/train/checkpoint.h"

#include <fstream>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "onggi/core/error.h"
#include "onggi/core/files.h"
#include "onggi/core/random.h"

namespace onggi::train {
namespace {

namespace fs = std::filesystem;

/// Two parameters and their optimiser, as a run has them.
struct TinyRun {
  explicit TinyRun(std::uint64_t seed = 1, std::int64_t steps = 0)
      : a{.name = "layers.0.lora_A", .shape = {4, 3}}, b{.name = "layers.0.lora_B", .shape = {5}, .decay = false} {
    for (nn::Parameter* p : {&a, &b}) {
      const std::size_t size = p == &a ? 12 : 5;
      for (std::size_t i = 0; i < size; ++i) p->value.push_back(uniform_float(seed, size, i) - 0.5F);
      p->grad.resize(size);
    }
    optimizer.emplace(std::vector<nn::Parameter*>{&a, &b}, AdamWOptions{.weight_decay = 0.01});
    for (std::int64_t step = 1; step <= steps; ++step) update(step);
  }
  TinyRun(const TinyRun&) = delete;  // The optimiser points at the parameters.
  TinyRun& operator=(const TinyRun&) = delete;

  /// One update with gradients that depend on the step and the weights.
  void update(std::int64_t step) {
    for (nn::Parameter* p : {&a, &b}) {
      for (std::size_t i = 0; i < p->grad.size(); ++i) {
        p->grad[i] = uniform_float(9, static_cast<std::uint64_t>(step), i) - 0.4F + 0.1F * p->value[i];
      }
    }
    optimizer->step(1e-2);
  }
  bool operator==(const TinyRun& other) const {
    return a.value == other.a.value && b.value == other.b.value &&
           optimizer->first_moments() == other.optimizer->first_moments() &&
           optimizer->second_moments() == other.optimizer->second_moments() &&
           optimizer->num_updates() == other.optimizer->num_updates();
  }
  nn::Parameter a;
  nn::Parameter b;
  std::optional<AdamW> optimizer;
};

TrainState state_at(std::int64_t step) {
  return {.step = step,
          .epoch = step / 10,
          .index = step % 10 * 8,
          .seed = 0xFFFFFFFFFFFFFFFFU,
          .hashes = {{"plan", "aa"}, {"base", "bb"}},
          .extra = {{"best_loss", 0.1 + 0.2}}};
}

class CheckpointTest : public ::testing::Test {
 protected:
  CheckpointTest() : folder_(fs::path(::testing::TempDir()) / ("onggi_checkpoint_" + std::to_string(::getpid()))) {
    fs::remove_all(folder_);
  }
  ~CheckpointTest() override { fs::remove_all(folder_); }

  /// A run of `steps` updates, with a checkpoint each from `first` on.
  void write(std::int64_t first, std::int64_t steps) {
    TinyRun run;
    for (std::int64_t step = 1; step <= steps; ++step) {
      run.update(step);
      if (step >= first) save_checkpoint(folder_, state_at(step), *run.optimizer);
    }
  }
  LoadedCheckpoint load(TinyRun& run) const {
    return load_checkpoint(folder_, state_at(0).seed, state_at(0).hashes, *run.optimizer);
  }
  fs::path folder_;
};

TEST_F(CheckpointTest, ResumedRunEndsWithTheSameBits) {
  write(3, 4);
  TinyRun run(77);
  const auto loaded = load(run);
  ASSERT_TRUE(loaded.state);
  EXPECT_EQ(loaded.state->step, 4);
  EXPECT_EQ(loaded.state->index, 32);
  EXPECT_EQ(loaded.state->extra["best_loss"].get<double>(), 0.1 + 0.2);
  EXPECT_TRUE(loaded.skipped.empty());
  for (std::int64_t step = 5; step <= 9; ++step) run.update(step);
  EXPECT_TRUE(run == TinyRun(1, 9));
}

TEST_F(CheckpointTest, NoFolderIsNoCheckpoint) {
  TinyRun run;
  EXPECT_FALSE(load(run).state);
  fs::create_directories(folder_ / "step-x");
  std::ofstream(folder_ / "step-000001.tmp") << "x";
  EXPECT_FALSE(load(run).state);
}

TEST_F(CheckpointTest, KeepsTheLastTwoAndNoFuture) {
  write(1, 12);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()), 2);
  EXPECT_TRUE(fs::exists(folder_ / "step-000011"));
  TinyRun run(1, 5);
  save_checkpoint(folder_, state_at(5), *run.optimizer);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()), 1);
  save_checkpoint(folder_, state_at(5), *run.optimizer);  // again: replaces
  save_checkpoint(folder_, state_at(1'000'000'000), *run.optimizer);
  TinyRun other(2);
  EXPECT_EQ(load(other).state->step, 1'000'000'000);
  EXPECT_TRUE(other == run);
}

TEST_F(CheckpointTest, KilledAtAnyStageLeavesTheOldOrTheNewOne) {
  const char* stages[] = {"clean", "tensors", "state", "publish", "prune"};
  for (const bool same_step : {false, true}) {
    for (const char* stage : stages) {
      fs::remove_all(folder_);
      write(3, 4);
      const std::int64_t step = same_step ? 4 : 5;
      const ::pid_t child = ::fork();
      ASSERT_GE(child, 0);
      if (child == 0) {
        const TinyRun run(1, step);
        save_checkpoint(folder_, state_at(step), *run.optimizer, {.before_stage = [&](std::string_view name) {
                          if (name == stage) ::_exit(9);
                        }});
        ::_exit(0);
      }
      int status = 0;
      ::waitpid(child, &status, 0);
      ASSERT_EQ(WEXITSTATUS(status), 9) << stage;
      TinyRun run(77);
      const auto loaded = load(run);
      ASSERT_TRUE(loaded.state) << stage;
      EXPECT_TRUE(loaded.skipped.empty()) << loaded.skipped[0];
      EXPECT_EQ(loaded.state->step, std::string_view(stage) == "prune" ? step : 4) << stage;
      EXPECT_TRUE(run == TinyRun(1, loaded.state->step));
      for (std::int64_t next = loaded.state->step + 1; next <= 6; ++next) {
        run.update(next);
        save_checkpoint(folder_, state_at(next), *run.optimizer);
      }
      EXPECT_TRUE(run == TinyRun(1, 6));
      EXPECT_EQ(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()), 2) << stage;
    }
  }
}

/// What a disk without its last writes may hold: every file cut at every length, or absent, or with one byte changed.
TEST_F(CheckpointTest, TornOrChangedFilesAreSkippedWithAMessage) {
  write(3, 4);
  const TinyRun third(1, 3);
  for (const char* name : {"tensors.safetensors", "state.json"}) {
    const fs::path path = folder_ / "step-000004" / name;
    const std::string whole = read_file(path);
    const auto expect_skipped = [&](const std::string& what) {
      TinyRun run(77);
      const auto loaded = load(run);
      ASSERT_TRUE(loaded.state) << name << " " << what;
      EXPECT_EQ(loaded.state->step, 3) << name << " " << what;
      ASSERT_EQ(loaded.skipped.size(), 1U);
      EXPECT_NE(loaded.skipped[0].find("step-000004"), std::string::npos);
      EXPECT_TRUE(run == third);
    };
    // Every length, but that without the newline that JSON does not need.
    for (std::size_t size = whole.size() - 1; size-- > 0;) {
      fs::resize_file(path, size);  // cheaper than to write again, which flushes
      expect_skipped("cut at " + std::to_string(size));
    }
    for (std::size_t at = 0; at < whole.size(); at += 13) {
      std::string changed = whole;
      changed[at] = static_cast<char>(changed[at] ^ 1);
      if (changed[at] == ' ' || whole[at] == ' ' || whole[at] == '\n') continue;  // blanks between JSON members
      std::ofstream(path, std::ios::binary | std::ios::trunc) << changed;
      expect_skipped("changed at " + std::to_string(at));
    }
    fs::remove(path);
    expect_skipped("absent");
    std::ofstream(path, std::ios::binary) << whole;
  }
}

TEST_F(CheckpointTest, RefusesOtherInputsAndNamesThem) {
  write(4, 4);
  struct Case {
    std::uint64_t seed;
    InputHashes hashes;
    const char* words;
  };
  const std::uint64_t seed = state_at(0).seed;
  const Case cases[] = {{seed, {{"plan", "aa"}, {"base", "zz"}}, "the base hash was bb"},
                        {seed, {{"plan", "aa"}}, "the base hash"},
                        {seed, {{"plan", "aa"}, {"base", "bb"}, {"data", "cc"}}, "the data hash was absent"},
                        {7, {{"plan", "aa"}, {"base", "bb"}}, "the seed was 18446744073709551615"}};
  for (const Case& c : cases) {
    TinyRun run(77);
    const TinyRun before(77);
    try {
      load_checkpoint(folder_, c.seed, c.hashes, *run.optimizer);
      ADD_FAILURE() << c.words;
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ErrorCode::kInvalidArgument);
      EXPECT_NE(e.message().find(c.words), std::string::npos) << e.message();
      EXPECT_TRUE(run == before);
    }
  }
}

TEST_F(CheckpointTest, RefusesOtherParametersAndNamesThem) {
  write(4, 4);
  const auto message = [&](std::vector<nn::Parameter*> parameters) -> std::string {
    AdamW optimizer(std::move(parameters), {});
    try {
      load_checkpoint(folder_, state_at(0).seed, state_at(0).hashes, optimizer);
    } catch (const Error& e) {
      return e.message();
    }
    return "no error";
  };
  TinyRun run;
  EXPECT_NE(message({&run.a}).find("has 2 parameters, this run has 1"), std::string::npos);
  run.a.shape = {3, 4};
  EXPECT_NE(message({&run.a, &run.b}).find("\"layers.0.lora_A\" has another shape"), std::string::npos);
  run.a.shape = {4, 3};
  run.b.name = "other";
  EXPECT_NE(message({&run.a, &run.b}).find("no parameter \"other\""), std::string::npos);
}

TEST_F(CheckpointTest, AFolderThatCanNotBeWrittenIsOneError) {
  std::ofstream(folder_) << "a file";
  const TinyRun run;
  try {
    save_checkpoint(folder_, state_at(1), *run.optimizer);
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kUnavailable);
  }
}

}  // namespace
}  // namespace onggi::train
