#include "onggi/core/yaml.h"

#include <gtest/gtest.h>

#include "onggi/core/error.h"

namespace onggi {
namespace {

/// Where the error says that it is; empty if there is none.
std::string place_of_error(std::string_view text) {
  try {
    parse_yaml(text, "f");
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kCorrupt);
    return e.where();
  }
  return "";
}

TEST(Yaml, ReadsWhatConfigurationsHold) {
  const auto yaml = parse_yaml(
      "# a remark\nbase: model.gguf\nport: 8080\nshare: 0.5\nquiet: true\nnone:\ntext: \"8080\"\nadapters:\n  themes: "
      "runs/a  # where\n  topics: {path: runs/b}\nlist: [a, 1, -2.5e3]\nlines:\n  - one\n  - two: 2\n",
      "f");
  EXPECT_EQ(yaml.to_json().dump(),
            "{\"base\":\"model.gguf\",\"port\":8080,\"share\":0.5,\"quiet\":true,\"none\":null,\"text\":\"8080\","
            "\"adapters\":{\"themes\":\"runs/a\",\"topics\":{\"path\":\"runs/b\"}},\"list\":[\"a\",1,-2500.0],"
            "\"lines\":[\"one\",{\"two\":2}]}");
  EXPECT_EQ(yaml.find("absent"), nullptr);
}

TEST(Yaml, KnowsWhereEverythingStands) {
  const auto yaml = parse_yaml("a: 1\nmap:\n  key: value\n  list: [x,\n    y]\n", "f");
  EXPECT_EQ(place_of(*yaml.find("a"), "f"), "f:1:4");
  const Yaml& map = *yaml.find("map");
  EXPECT_EQ(place_of(map, "f"), "f:3:3");
  EXPECT_EQ(map.members[0].column, 3);
  EXPECT_EQ(place_of(*map.find("key"), "f"), "f:3:8");
  EXPECT_EQ(place_of(map.find("list")->items[1], "f"), "f:5:5");
}

TEST(Yaml, TextIsUtf8) {
  EXPECT_EQ(parse_yaml("\xEF\xBB\xBFname: \xEC\xB9\xB4\xEB\x93\x9C\r\nb: \xF0\x9F\x98\x80\n", "f").to_json().dump(),
            "{\"name\":\"\xEC\xB9\xB4\xEB\x93\x9C\",\"b\":\"\xF0\x9F\x98\x80\"}");
}

TEST(Yaml, NothingIsNull) {
  EXPECT_TRUE(parse_yaml("", "f").scalar.is_null());
  EXPECT_TRUE(parse_yaml("# only a remark\n", "f").scalar.is_null());
}

TEST(Yaml, PlainTextIsWhatTheCoreSchemaSays) {
  const auto value = [](std::string_view text) { return parse_yaml(text, "f").scalar; };
  EXPECT_EQ(value("yes"), Json("yes"));
  EXPECT_EQ(value("~"), Json(nullptr));
  EXPECT_EQ(value("-7"), Json(-7));
  EXPECT_EQ(value("'7'"), Json("7"));
  EXPECT_EQ(value("0x10"), Json("0x10"));
  EXPECT_EQ(value(".inf"), Json(".inf"));
  EXPECT_EQ(value("12:30"), Json("12:30"));
  EXPECT_EQ(value("9223372036854775808"), Json(9223372036854775808.0));
}

TEST(Yaml, RefusesWithThePlace) {
  EXPECT_EQ(place_of_error("a: 1\nb: 2\na: 3\n"), "f:3:1");
  EXPECT_EQ(place_of_error("a: &x 1\nb: *x\n"), "f:2:4");
  EXPECT_EQ(place_of_error("a: !!str 1\n"), "f:1:10");
  EXPECT_EQ(place_of_error("? [a]\n: 1\n"), "f:1:3");
  EXPECT_EQ(place_of_error("a: 1\n---\nb: 2\n"), "f:2:1");
  EXPECT_EQ(place_of_error("a: [1\nb: 2\n").substr(0, 2), "f:");
  EXPECT_EQ(place_of_error("a: b: c\n").substr(0, 4), "f:1:");
  EXPECT_EQ(place_of_error("\ta: 1\n").substr(0, 4), "f:1:");
  EXPECT_EQ(place_of_error(std::string(200, '[')).substr(0, 2), "f:");
  EXPECT_EQ(place_of_error("a: \"\xff\"\n"), "f:1:5");
  EXPECT_EQ(place_of_error("a: 1\n%7:\xff\x0f)s:$[\n  m\n"), "f:2:1");  // libfyaml never came back from this one
  EXPECT_EQ(place_of_error("%YAML 1.2\n---\na: 1\n"), "f:1:1");
  EXPECT_EQ(place_of_error("a: \xed\xa0\x80\n"), "f:1:4");
  EXPECT_EQ(place_of_error(std::string_view("a: 1\0\n", 6)), "f:1:5");
  EXPECT_NE(place_of_error("a: \"open\n"), "");
}

TEST(Yaml, MembersAreCheckedWithTheirPlaces) {
  const auto yaml = parse_yaml("name: shop\nmodels: [a, b]\nlimit: 5\nempty:\n", "f");
  const std::vector<std::string> known = {"name", "models", "limit", "empty"};
  require_members(yaml, "f", "a key", known);
  EXPECT_EQ(text_member(yaml, "f", "name"), "shop");
  EXPECT_EQ(texts_member(yaml, "f", "models"), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(whole_member(yaml, "f", "limit", 0, 7), 5);
  EXPECT_EQ(whole_member(yaml, "f", "empty", 0, 7), 7);
  const auto message = [](const auto& call) {
    try {
      call();
    } catch (const Error& e) {
      return std::string(e.what());
    }
    return std::string();
  };
  EXPECT_EQ(message([&] {
              require_members(parse_yaml("x: 1\nmodles: []\n", "f"), "f", "a key", {{"x", "models"}});
            }),
            "a key has no \"modles\"; did you mean \"models\"? (f:2:1)");
  EXPECT_EQ(message([&] { text_member(yaml, "f", "limit"); }),
            "limit: expected a text (put it in quotation marks), found 5 (f:3:8)");
  EXPECT_EQ(message([&] { whole_member(yaml, "f", "limit", 6, 0); }),
            "limit: expected a whole number of at least 6, found 5 (f:3:8)");
  EXPECT_EQ(message([&] { texts_member(yaml, "f", "name"); }),
            "name: expected a list of texts, found \"shop\" (f:1:7)");
}

}  // namespace
}  // namespace onggi
