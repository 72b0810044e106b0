#include "onggi/train/event_file.h"

#include <fstream>

#include <unistd.h>

#include <gtest/gtest.h>

#include "onggi/core/random.h"

namespace onggi::train {
namespace {

namespace fs = std::filesystem;

fs::path fresh_file(const std::string& name) {
  const fs::path path = fs::path(::testing::TempDir()) / ("onggi_event_" + name + "_" + std::to_string(::getpid()));
  fs::remove(path);
  return path;
}

TEST(Crc32c, KnownValues) {
  EXPECT_EQ(crc32c(""), 0U);
  EXPECT_EQ(crc32c("123456789"), 0xE3069283U);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8A9136AAU);  // RFC 3720, B.4
  EXPECT_EQ(crc32c(std::string(32, '\xFF')), 0x62A8AB43U);
}

TEST(EventFile, RecordHasTheBytesOfTheFormat) {
  // wall_time 1.0 (key 09), step 3 (10 03), summary (2a) of one value (0a): tag "a" (0a 01 61), simple_value 0.5 (15).
  const std::string record = encode_event({.wall_time = 1.0, .step = 3, .scalars = {{"a", 0.5F}}});
  const std::string body = std::string(
      "\x09\0\0\0\0\0\0\xF0\x3F\x10\x03\x2A\x0A\x0A\x08\x0A\x01"
      "a\x15\0\0\0\x3F",
      23);
  ASSERT_EQ(record.size(), 16 + body.size());
  EXPECT_EQ(record.substr(0, 8), std::string("\x17\0\0\0\0\0\0\0", 8));
  EXPECT_EQ(record.substr(12, body.size()), body);
}

TEST(EventFile, ReadsBackWhatItWrote) {
  const Event event{.wall_time = 1234.5, .step = 1'000'000'007, .scalars = {{"train/loss", 0.25F}, {"lr", -1e-30F}}};
  const auto log = decode_events(encode_event({.file_version = "brain.Event:2"}) + encode_event(event));
  ASSERT_EQ(log.events.size(), 2U);
  EXPECT_EQ(log.events[0].file_version, "brain.Event:2");
  EXPECT_EQ(log.events[1].wall_time, event.wall_time);
  EXPECT_EQ(log.events[1].step, event.step);
  EXPECT_EQ(log.events[1].scalars, event.scalars);
}

TEST(EventFile, StopsAtTheFirstTornOrChangedRecord) {
  const std::string one = encode_event({.step = 1, .scalars = {{"a", 1.0F}}});
  const std::string two = one + encode_event({.step = 2, .scalars = {{"a", 2.0F}}});
  for (std::size_t size = 0; size < two.size(); ++size) {
    EXPECT_EQ(decode_events(two.substr(0, size)).events.size(), size < one.size() ? 0U : 1U);
    std::string changed = two;
    changed[size] = static_cast<char>(changed[size] ^ 0x10);
    EXPECT_EQ(decode_events(changed).events.size(), size < one.size() ? 0U : 1U) << size;
  }
}

TEST(EventFile, RandomBytesDoNoHarm) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    std::string bytes(8 + seed, '\0');
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(philox(seed, 0, i)[0]);
    EXPECT_TRUE(decode_events(bytes).events.empty());
  }
}

TEST(EventFile, ResumeCutsLaterStepsAndATornEnd) {
  const fs::path path = fresh_file("resume");
  {
    EventWriter writer(path, -1, 1.0);
    for (int step = 1; step <= 5; ++step)
      writer.add(step, std::vector<std::pair<std::string, float>>{{"a", 1.0F}}, 2.0);
    writer.sync();
  }
  std::ofstream(path, std::ios::app | std::ios::binary) << "torn";
  {
    EventWriter writer(path, 3, 9.0);
    writer.add(4, std::vector<std::pair<std::string, float>>{{"a", 7.0F}}, 9.0);
  }
  const auto log = decode_events(read_file(path));
  ASSERT_EQ(log.events.size(), 5U);
  EXPECT_EQ(log.events[0].file_version, "brain.Event:2");
  EXPECT_EQ(log.events[3].step, 3);
  EXPECT_EQ(log.events[4].scalars[0].second, 7.0F);
  EXPECT_EQ(log.ends.back(), fs::file_size(path));
  fs::remove(path);
}

}  // namespace
}  // namespace onggi::train
