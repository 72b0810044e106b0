#include "onggi/core/line_writer.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <optional>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "onggi/core/error.h"
#include "onggi/core/files.h"

namespace onggi {
namespace {

class LineWriterTest : public testing::Test {
 protected:
  LineWriterTest() { std::filesystem::create_directories(folder_); }
  ~LineWriterTest() override { std::filesystem::remove_all(folder_); }

  static bool becomes_true(const std::function<bool()>& is_there) {
    for (int i = 0; i < 500; ++i) {
      if (is_there()) return true;
      usleep(10'000);
    }
    return false;
  }

  const std::filesystem::path folder_ =
      std::filesystem::path(testing::TempDir()) / ("line_writer_test." + std::to_string(getpid()));
};

TEST_F(LineWriterTest, WritesEveryLineInOrder) {
  const auto path = folder_ / "log";
  std::string wanted;
  {
    LineWriter writer({.path = path.string()});
    for (int i = 0; i < 2000; ++i) {
      writer.write("line " + std::to_string(i));
      wanted += "line " + std::to_string(i) + "\n";
    }
    writer.write(std::string(10'000, 'x'));
  }
  EXPECT_EQ(read_file(path), wanted + std::string(10'000, 'x') + "\n");
}

TEST_F(LineWriterTest, GoesOnInAFreshFileWhenTheOldOneWasMoved) {
  const auto path = folder_ / "log", moved = folder_ / "log.1";
  LineWriter writer({.path = path.string()});
  writer.write("one");
  EXPECT_TRUE(becomes_true([&] { return read_file(path) == "one\n"; }));
  std::filesystem::rename(path, moved);
  writer.reopen();
  EXPECT_TRUE(becomes_true([&] { return std::filesystem::exists(path); }));
  writer.write("two");
  EXPECT_TRUE(becomes_true([&] { return read_file(path) == "two\n"; }));
  EXPECT_EQ(read_file(moved), "one\n");
}

TEST_F(LineWriterTest, NeverWaitsForAPipeThatNobodyReads) {
  const auto path = folder_ / "pipe";
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  const int reader = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  ASSERT_GE(reader, 0);
  const auto began = std::chrono::steady_clock::now();
  {
    LineWriter writer(
        {.path = path.string(), .max_queued_bytes = 1 << 16, .last_words = std::chrono::milliseconds(50)});
    for (int i = 0; i < 3000; ++i) writer.write(std::string(100, 'x'));
    EXPECT_GT(writer.num_dropped(), 1000);
  }
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(5));
  ::close(reader);
}

TEST_F(LineWriterTest, CountsWhatTheFileDoesNotTake) {
  LineWriter writer({.path = "/dev/full"});
  writer.write("lost");
  EXPECT_TRUE(becomes_true([&] { return writer.num_dropped() == 1; }));
}

TEST_F(LineWriterTest, NamesTheFileThatItCannotHave) {
  try {
    const LineWriter writer({.path = (folder_ / "absent" / "log").string()});
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kUnavailable);
    EXPECT_EQ(e.where(), (folder_ / "absent" / "log").string());
  }
}

}  // namespace
}  // namespace onggi
