#include "onggi/datasets/rows.h"

#include <gtest/gtest.h>

#include <fstream>

#include "onggi/core/error.h"
#include "onggi/core/random.h"
#include "onggi/datasets/csv.h"
#include "onggi/datasets/encoding.h"

namespace onggi::datasets {
namespace {

using namespace std::string_literals;

/// The error that `call` throws.
template <class Call>
Error error_of(Call&& call) {
  try {
    call();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "no error";
  return Error(ErrorCode::kInternal, "none");
}

TEST(Rows, JsonLinesKeepOrderPlacesAndIds) {
  const auto rows = read_rows_text("\xEF\xBB\xBF{\"id\":\"a\",\"n\":1}\r\n\n{\"n\":2.5}", "d.jsonl");
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].id, "a");
  EXPECT_EQ(text_of(rows[0], "n"), "1");
  EXPECT_EQ(rows[1].id, "3");
  EXPECT_EQ(place_of(rows[1]), "d.jsonl:3");
  EXPECT_EQ(text_of(rows[1], "n"), "2.5");
}

TEST(Rows, CsvReadsQuotesLineBreaksAndByteOrderMark) {
  const auto rows = read_rows_text("\xEF\xBB\xBFid,text\r\n1,\"a \"\"b\"\",\r\nc\"\r\n2,\n", "d.csv", {.format = "csv"});
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(text_of(rows[0], "text"), "a \"b\",\r\nc");
  EXPECT_EQ(rows[1].line, 4);
  EXPECT_EQ(text_of(rows[1], "text"), "");
}

TEST(Rows, ColumnMapRenamesAndNamesWhatIsMissing) {
  const RowsOptions options{.columns = "review=text,product=title", .format = "csv"};
  const auto rows = read_rows_text("title,text\nA,B\n", "d.csv", options);
  EXPECT_EQ(dump_json(rows[0].fields), R"({"product":"A","review":"B"})");
  const Error error = error_of([&] { read_rows_text("titel,text\nA,B\n", "d.csv", options); });
  EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(error.where(), "d.csv:2");
  EXPECT_NE(error.message().find("\"title\" is missing (did you mean \"titel\"?); columns found: titel, text"),
            std::string::npos);
  for (const char* map : {"review", "=x", "a=", "a=b,a=c", "a=c,b=c"}) EXPECT_THROW(parse_column_map(map), Error) << map;
}

TEST(Rows, ColumnErrorsNameFileLineAndColumn) {
  const auto rows = read_rows_text("{\"review\":null}", "d.jsonl");
  EXPECT_EQ(error_of([&] { text_of(rows[0], "reviw"); }).where(), "d.jsonl:1");
  EXPECT_EQ(error_of([&] { text_of(rows[0], "review"); }).code(), ErrorCode::kInvalidArgument);
}

TEST(Rows, EncodingErrorsGiveOffsetAndLikelyEncoding) {
  struct Case {
    std::string bytes, where, words;
  };
  const std::string cp949 = "\xBE\xC8\xB3\xE7\xC7\xCF\xBC\xBC\xBF\xE4";  // "annyeonghaseyo"
  const Case cases[] = {
      {"{\"a\":\"" + cp949 + "\"}", "f:1, byte 6", "CP949"},
      {"{\"a\":\"가\"}\n{\"a\":\"" + cp949 + "\"}\n", "f:2, byte 18", "mixed"},
      {"\xFF\xFE{\0\"\0"s, "f:1, byte 0", "UTF-16"},
      {"{\0\"\0a\0\"\0"s, "f:1, byte 1", "UTF-16 without"},
      {"{\"a\":\"x\0y\", \"b\":\"long enough to be no UTF-16\"}"s, "f:1, byte 7", "NUL"},
      {"{\"a\":\"\xC3(\"}", "f:1, byte 6", "not UTF-8"},
      {"\xED\xA0\x80", "f:1, byte 0", "not UTF-8"},
  };
  for (const auto& c : cases) {
    const Error error = error_of([&] { read_rows_text(c.bytes, "f"); });
    EXPECT_EQ(error.code(), ErrorCode::kCorrupt);
    EXPECT_EQ(error.where(), c.where) << error.what();
    EXPECT_NE(error.message().find(c.words), std::string::npos) << error.what();
  }
}

TEST(Rows, BrokenFilesAreRefusedWithLine) {
  const std::pair<std::string, std::string> csv[] = {
      {"a,b\n1,2\n3\n", "f:3"}, {"a\n\"x", "f:2:3"}, {"a\n\"x\"y\n", "f:2:4"}, {"a\nx\"y\n", "f:2:2"}, {"a,a\n1,2\n", "f:1"}};
  for (const auto& [text, where] : csv) {
    const Error error = error_of([&, &text = text] { read_rows_text(text, "f", {.format = "csv"}); });
    EXPECT_EQ(error.code(), ErrorCode::kCorrupt) << text;
    EXPECT_EQ(error.where(), where) << error.what();
  }
  EXPECT_EQ(error_of([] { read_rows_text("{}\n[1]\n", "f"); }).where(), "f:2");
  EXPECT_EQ(error_of([] { read_rows_text("{}\n{\"a\":}\n", "f"); }).code(), ErrorCode::kCorrupt);
  EXPECT_EQ(error_of([] { read_rows_text("{\"a\":\"" + std::string(50, 'x') + "\"}", "f", {.max_line_bytes = 40}); }).code(),
            ErrorCode::kCorrupt);
  EXPECT_EQ(error_of([] { read_rows("/nowhere/rows.jsonl"); }).code(), ErrorCode::kNotFound);
  EXPECT_THROW(read_rows_text("", "f", {.format = "xlsx"}), Error);
}

TEST(Rows, HalfOfASurrogatePairIsReplaced) {
  const auto text = [](const std::string& escaped) {
    return read_rows_text("{\"t\":\"" + escaped + "\"}", "f", {}).at(0).fields["t"].get<std::string>();
  };
  const std::string bad = "\xEF\xBF\xBD";
  EXPECT_EQ(text(R"(a\ud83d)"), "a" + bad);
  EXPECT_EQ(text(R"(\uDC4Da)"), bad + "a");
  EXPECT_EQ(text(R"(\ud83d\ud83d\ude00)"), bad + "\xF0\x9F\x98\x80");
  EXPECT_EQ(text(R"(\ud83d\u0041)"), bad + "A");
  EXPECT_EQ(text(R"(\ud83d\\n)"), bad + "\\n");
  EXPECT_EQ(text(R"(\\ud83d)"), "\\ud83d");  // A backslash and letters.
  for (const char* broken : {R"(\ud83)", R"(\ud83d\)", R"(\ud83g)"}) EXPECT_THROW(text(broken), Error) << broken;
}

TEST(Rows, RandomBytesNeverDoMoreThanThrow) {
  const std::string seeds[] = {"id,text\n1,\"a\"\"b\"\n2,c\r\n", "{\"id\":\"a\",\"t\":[1,{\"b\":null}]}\n{}\n"};
  for (std::uint64_t trial = 0; trial < 4000; ++trial) {
    std::string bytes = seeds[trial % 2];
    for (std::uint64_t k = 0; k < 1 + trial % 4; ++k) {
      const auto at = uniform_int(7, trial, 2 * k, bytes.size());
      bytes[at] = static_cast<char>(uniform_int(7, trial, 2 * k + 1, 256));
    }
    try {
      read_rows_text(bytes, "f", {.format = trial % 2 == 0 ? "csv" : "jsonl"});
    } catch (const Error& error) {
      EXPECT_FALSE(error.where().empty());
    }
  }
}

}  // namespace
}  // namespace onggi::datasets
