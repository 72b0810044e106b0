#include "onggi/http/multipart.h"

#include <gtest/gtest.h>

#include <vector>

#include "onggi/core/error.h"
#include "onggi/http/query.h"

namespace onggi::http {
namespace {

struct Part {
  PartHead head;
  std::string content;
  bool has_ended = false;
};

/// The parts of a body that comes in pieces of this size.
std::vector<Part> parts_of(std::string_view body, std::size_t piece_bytes, std::string_view boundary = "XyZ") {
  std::vector<Part> parts;
  MultipartReader reader(boundary, {.began =
                                        [&](const PartHead& head) {
                                          parts.push_back({head, {}});
                                        },
                                    .bytes = [&](std::string_view bytes) { parts.back().content += bytes; },
                                    .ended = [&] { parts.back().has_ended = true; }});
  for (std::size_t at = 0; at < body.size(); at += piece_bytes) reader.read(body.substr(at, piece_bytes));
  reader.finish();
  return parts;
}

ErrorCode refusal_of(std::string_view body) {
  try {
    parts_of(body, 7);
  } catch (const Error& e) {
    return e.code();
  }
  return ErrorCode::kInternal;
}

constexpr std::string_view kForm =
    "before\r\n--XyZ\r\n"
    "Content-Disposition: form-data; name=\"purpose\"\r\n\r\n"
    "batch\r\n--XyZ  \r\n"
    "content-type: application/jsonl\r\n"
    "CONTENT-DISPOSITION: form-data; name=file; filename=\"a \\\"b\\\"; c.jsonl\"\r\n\r\n"
    "{\"one\": 1}\r\n--XyY\r\n-\r\n--Xy\n\r\n--XyZ\r\n"
    "Content-Disposition: form-data; name=\"empty\"\r\n\r\n"
    "\r\n--XyZ--\r\nafter";

TEST(Multipart, IsReadAlikeHoweverItIsCut) {
  for (const std::size_t piece : {std::size_t{1}, std::size_t{2}, std::size_t{3}, std::size_t{11}, kForm.size()}) {
    const auto parts = parts_of(kForm, piece);
    ASSERT_EQ(parts.size(), 3U) << piece;
    EXPECT_EQ(parts[0].head.name, "purpose");
    EXPECT_EQ(parts[0].content, "batch");
    EXPECT_EQ(parts[1].head.name, "file");
    EXPECT_EQ(parts[1].head.filename, "a \"b\"; c.jsonl");
    EXPECT_EQ(parts[1].head.content_type, "application/jsonl");
    EXPECT_EQ(parts[1].content, "{\"one\": 1}\r\n--XyY\r\n-\r\n--Xy\n");
    EXPECT_EQ(parts[2].content, "");
    for (const auto& part : parts) EXPECT_TRUE(part.has_ended);
  }
}

TEST(Multipart, WhatIsNoFormIsRefused) {
  EXPECT_EQ(refusal_of(""), ErrorCode::kCorrupt);
  EXPECT_EQ(refusal_of("--XyZ\r\n"), ErrorCode::kCorrupt);
  EXPECT_EQ(refusal_of("--XyZ\r\nno colon\r\n\r\nx\r\n--XyZ--"), ErrorCode::kCorrupt);
  EXPECT_EQ(refusal_of("--XyZ\r\n\r\nx\r\n--XyZ--"), ErrorCode::kCorrupt);
  EXPECT_EQ(refusal_of("--XyZ\r\ncontent-disposition: attachment; name=a\r\n\r\nx\r\n--XyZ--"), ErrorCode::kCorrupt);
  EXPECT_EQ(refusal_of("--XyZ\r\ncontent-disposition: form-data; name=a\r\n\r\nx\r\n--XyZ"), ErrorCode::kCorrupt);
  EXPECT_EQ(refusal_of("--XyZ\r\ncontent-disposition: form-data; name=a\r\n\r\nx\r\n--XyZab"), ErrorCode::kCorrupt);
  EXPECT_EQ(refusal_of("--XyZ\r\n" + std::string(9000, 'x')), ErrorCode::kExhausted);
  std::string many;
  for (int i = 0; i < 40; ++i) many += "\r\n--XyZ\r\ncontent-disposition: form-data; name=a\r\n\r\nx";
  EXPECT_EQ(refusal_of(many + "\r\n--XyZ--"), ErrorCode::kExhausted);
}

TEST(Multipart, TheBoundaryIsTheContentTypes) {
  EXPECT_EQ(boundary_of("multipart/form-data; boundary=abc"), "abc");
  EXPECT_EQ(boundary_of("Multipart/Form-Data; charset=utf-8; Boundary=\"a=b;c\""), "a=b;c");
  EXPECT_EQ(boundary_of("multipart/form-data"), "");
  EXPECT_EQ(boundary_of("multipart/mixed; boundary=abc"), "");
  EXPECT_EQ(boundary_of("multipart/form-data; boundary=" + std::string(71, 'a')), "");
  EXPECT_EQ(boundary_of("multipart/form-data; boundary=\"a b\""), "");
}

TEST(Query, ValuesAreFoundByName) {
  EXPECT_EQ(query_value("limit=20&after=file-1", "after"), "file-1");
  EXPECT_EQ(query_value("limit=20&limit=3", "limit"), "20");
  EXPECT_EQ(query_value("a=%ea%b0%80+x%2g&b", "a"), "\xea\xb0\x80 x%2g");
  EXPECT_EQ(query_value("a=1&b", "b"), "");
  EXPECT_EQ(query_value("", "a"), std::nullopt);
}

}  // namespace
}  // namespace onggi::http
