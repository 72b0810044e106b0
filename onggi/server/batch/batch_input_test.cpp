#include "onggi/server/batch/batch_input.h"

#include <gtest/gtest.h>

#include <fstream>

#include <unistd.h>

#include "onggi/core/error.h"

namespace onggi::server {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kChat = "/v1/chat/completions";

class BatchInput : public ::testing::Test {
 protected:
  ~BatchInput() override { fs::remove(path_); }

  void write(const std::string& content) const { std::ofstream(path_, std::ios::binary) << content; }
  static std::string line(const std::string& custom_id) {
    return R"({"custom_id": ")" + custom_id + R"(", "method": "POST", "url": "/v1/chat/completions", "body": {}})";
  }
  std::vector<InputFault> faults(std::int64_t max_lines = 100) const {
    InputCheck check(path_, std::string(kChat), {.max_line_bytes = 200, .max_lines = max_lines});
    while (!check.check_some(2)) {
    }
    return check.faults();
  }

  const fs::path path_ = fs::temp_directory_path() / ("onggi-batch-input-" + std::to_string(::getpid()));
};

TEST_F(BatchInput, LinesAreThoseOfTheFileFromAnyOffset) {
  const std::vector<std::string> texts = {"one", "", "three \r", std::string(700'000, 'x'), "last"};
  std::string content;
  std::vector<std::int64_t> offsets;
  for (const auto& text : texts) {
    offsets.push_back(static_cast<std::int64_t>(content.size()));
    content += text + "\n";
  }
  for (const bool has_last_break : {true, false}) {
    const std::size_t size = content.size() - (has_last_break ? 0 : 1);
    write(content.substr(0, size));
    for (std::size_t first = 0; first < texts.size(); ++first) {
      LineReader reader(path_, offsets[first], 1'000'000);
      for (std::size_t i = first; i < texts.size(); ++i) {
        const auto read = reader.next();
        ASSERT_TRUE(read.has_value());
        EXPECT_EQ(read->text, texts[i]);
        EXPECT_EQ(read->offset, offsets[i]);
        EXPECT_FALSE(read->is_too_long);
        EXPECT_EQ(reader.offset(), i + 1 < texts.size() ? offsets[i + 1] : static_cast<std::int64_t>(size));
      }
      EXPECT_FALSE(reader.next().has_value());
    }
  }
  EXPECT_THROW(LineReader(path_ / "absent", 0, 10), Error);
}

TEST_F(BatchInput, ALineThatIsTooLongIsNotKept) {
  write("short\n" + std::string(3'000'000, 'x') + "\nafter\n" + std::string(1001, 'y'));
  LineReader reader(path_, 0, 1000);
  EXPECT_EQ(reader.next()->text, "short");
  const auto longer = reader.next();
  EXPECT_TRUE(longer->is_too_long);
  EXPECT_EQ(longer->text.size(), 1000U);
  const auto after = reader.next();
  EXPECT_EQ(after->text, "after");
  EXPECT_EQ(after->offset, 3'000'007);
  EXPECT_TRUE(reader.next()->is_too_long);
  EXPECT_FALSE(reader.next().has_value());
}

TEST_F(BatchInput, AGoodFileHasNoFault) {
  write("\xef\xbb\xbf" + line("a") + "\r\n\n  \n" + line("b"));
  EXPECT_TRUE(faults().empty());
  BatchLine read;
  EXPECT_FALSE(read_batch_line(
      R"({"body":{"n":1,"a":[0.5]},"url":"/v1/chat/completions","method":"POST","custom_id":"\u00e9"})", kChat, read));
  EXPECT_EQ(read.custom_id, "\xc3\xa9");
  EXPECT_EQ(read.body, R"({"n":1,"a":[0.5]})");
}

TEST_F(BatchInput, FaultsNameTheirLines) {
  write(line("a") + "\n\n" + line("b") + "\nx\xff\n" + line("a") + "\n" + std::string(201, ' ') + "\n" + line("a") +
        "\n");
  const auto found = faults();
  ASSERT_EQ(found.size(), 4U);
  EXPECT_EQ(found[0].line, 4);
  EXPECT_EQ(found[0].code, "invalid_json_line");
  EXPECT_EQ(found[1].line, 5);
  EXPECT_EQ(found[1].code, "duplicate_custom_id");
  EXPECT_NE(found[1].message.find("line 1"), std::string::npos);
  EXPECT_EQ(found[2].code, "line_too_long");
  EXPECT_EQ(found[3].line, 7);
  EXPECT_EQ(fault_json(found[0])["line"], 4);
  EXPECT_NO_THROW(dump_json(fault_json(found[0])));
}

TEST_F(BatchInput, AFileHasLinesAndNotTooMany) {
  write("\n \n");
  EXPECT_EQ(faults().at(0).code, "empty_file");
  write(line("a") + "\n" + line("b") + "\n" + line("c") + "\n");
  EXPECT_TRUE(faults(3).empty());
  EXPECT_EQ(faults(2).at(0).code, "too_many_lines");
}

}  // namespace
}  // namespace onggi::server
