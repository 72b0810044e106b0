#include "onggi/train/progress.h"

#include <vector>

#include <gtest/gtest.h>

namespace onggi::train {
namespace {

class ProgressTest : public ::testing::Test {
 protected:
  Progress make(ProgressOptions options, ProgressSample start = {}) {
    return Progress(
        options, start, [this](std::string_view text) { written_.emplace_back(text); }, [this] { return now_; });
  }
  static ProgressSample sample(std::int64_t step) {
    return {.step = step,
            .total_steps = 100,
            .tokens = step * 50,
            .total_tokens = 5000,
            .loss = 1.25,
            .learning_rate = 2e-4};
  }
  double now_ = 100.0;
  std::vector<std::string> written_;
};

TEST_F(ProgressTest, PlainLinesComeEveryIntervalAndAtTheEnd) {
  auto progress = make({.interval_s = 10.0}, sample(0));
  for (int step = 1; step <= 25; ++step) {
    now_ += 1.0;
    progress.update(sample(step));
  }
  EXPECT_EQ(written_.size(), 2U);
  EXPECT_EQ(written_[0].find("step 10/100  50 tok/s  left 1:30  loss 1.2500  lr 2.00e-04  mem "), 0U) << written_[0];
  EXPECT_EQ(written_[0].back(), '\n');
  EXPECT_EQ(written_[0].find('\r'), std::string::npos);
  progress.finish();
  progress.finish();
  EXPECT_EQ(written_.size(), 3U);
  EXPECT_EQ(written_[2].find("step 25/100"), 0U);
}

TEST_F(ProgressTest, TerminalRedrawsOneLineInsideItsWidth) {
  auto progress = make({.is_terminal = true, .width = 40}, sample(0));
  now_ += 1.0;
  progress.update(sample(50));
  now_ += 0.05;
  progress.update(sample(51));
  ASSERT_EQ(written_.size(), 1U);
  EXPECT_EQ(written_[0].find("\r[##########..........] step 50/100"), 0U) << written_[0];
  EXPECT_EQ(written_[0].size(), 1 + 39 + 3U);
  progress.message("saved");
  EXPECT_EQ(written_[1], "\r\x1b[Ksaved\n");
  progress.finish();
  EXPECT_EQ(written_.back(), "\n");
}

TEST_F(ProgressTest, ResumedRunCountsThisSessionOnly) {
  auto progress = make({}, sample(90));
  now_ += 5.0;
  progress.update(sample(91));
  EXPECT_EQ(progress.tokens_per_s(), 10.0);
}

TEST_F(ProgressTest, NothingDoneIsNoRate) {
  auto progress = make({}, sample(0));
  EXPECT_EQ(progress.tokens_per_s(), 0.0);
  progress.update(sample(1));
  progress.finish();
  EXPECT_NE(written_[0].find("left ?"), std::string::npos);
}

TEST(Format, BytesAndDurations) {
  EXPECT_EQ(format_bytes(7), "7 B");
  EXPECT_EQ(format_bytes(12 * 1024), "12 KiB");
  EXPECT_EQ(format_bytes(std::int64_t{820} << 20), "820 MiB");
  EXPECT_EQ(format_bytes(std::int64_t{3} << 29), "1.5 GiB");
  EXPECT_EQ(format_duration(6.6), "0:07");
  EXPECT_EQ(format_duration(725), "12:05");
  EXPECT_EQ(format_duration(11099), "3:04:59");
  EXPECT_EQ(format_duration(-5), "0:00");
}

TEST(Memory, PeakIsAtLeastWhatWeHold) {
  std::vector<char> block(std::size_t{64} << 20, 1);
  EXPECT_GE(peak_memory_bytes(), static_cast<std::int64_t>(block.size()));
}

}  // namespace
}  // namespace onggi::train
