// How many instances of the public suites are judged right, by the validator and by the decoder, against the counts
// that tests/golden/decode/schema_counts.json keeps: they may only get better. ONGGI_SHOW=1 prints what is wrong.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>

#include "onggi/core/error.h"
#include "onggi/core/files.h"
#include "onggi/decode/json_text.h"
#include "onggi/decode/test_support.h"

namespace onggi::decode {
namespace {

std::shared_ptr<const testing::FakeTokenizer> tokenizer() {
  static const auto made = std::make_shared<const testing::FakeTokenizer>(
      std::vector<std::string>{"{\"", "\": ", "\": \"", "\", \"", "\"}", "}}", "]]", ", ", "true", "false", "null",
                               "foo", "bar", "12", ".0", "[[", "{}", "[]"});
  return made;
}

using Counts = std::map<std::string, int>;

/// Judges the instances of one schema both ways; what grows too large as it is walked counts as refused.
void judge_instances(const Guide& guide, const Json& spec, const Json& tests, const std::string& name, Counts& counts) {
  for (const Json& test : tests) {
    const std::string text = python_text(test["data"]);
    const bool accepted = guide.accepts(text, {});
    EXPECT_EQ(testing::walks(guide, *tokenizer(), {}, text), accepted) << name << ": " << text;
    const bool valid = test["valid"].get<bool>();
    const char* judged = accepted == valid ? "right" : valid ? "valid refused" : "invalid accepted";
    ++counts[judged];
    if (accepted != valid && std::getenv("ONGGI_SHOW") != nullptr) {
      std::printf("%s: %s: %s by %s\n", name.c_str(), judged, text.c_str(),
                  spec["schema"].dump().substr(0, 400).c_str());
    }
  }
}

void judge(const Json& spec, const Json& tests, const std::string& name, Counts& counts) {
  Counts own;
  try {
    judge_instances(*compile_guide(spec, tokenizer()), spec, tests, name, own);
  } catch (const Error& e) {
    EXPECT_TRUE(e.code() == ErrorCode::kInvalidArgument || e.code() == ErrorCode::kExhausted)
        << name << ": " << e.what();
    const bool has_valid =
        std::any_of(tests.begin(), tests.end(), [](const Json& test) { return test["valid"].get<bool>(); });
    own = {{has_valid ? "compile error" : "compile error, none valid", static_cast<int>(tests.size())}};
    if (std::getenv("ONGGI_SHOW") != nullptr) std::printf("%s: %s\n", name.c_str(), e.what());
    // A refusal names a keyword and where it stands, but where values or walks are too many.
    const bool is_placed = e.where().find('#') != std::string::npos;
    const bool is_named =
        e.message().find('"') != std::string::npos || e.message().find("no value fits") != std::string::npos;
    EXPECT_TRUE((is_placed && is_named) || e.code() == ErrorCode::kExhausted) << name << ": " << e.what();
  }
  for (const auto& [judged, count] : own) counts[judged] += count;
}

void compare(const std::string& suite, const Counts& counts) {
  const auto path = std::filesystem::path(ONGGI_SOURCE_DIR) / "tests/golden/decode/schema_counts.json";
  const Json kept = parse_json(read_file(path), path.string())[suite];
  for (const auto& [name, count] : counts) std::printf("%s: %s %d\n", suite.c_str(), name.c_str(), count);
  for (const auto& [name, count] : kept.items()) {
    const int now = counts.contains(name) ? counts.at(name) : 0;
    if (name == "right" || name == "schemas right") {
      EXPECT_GE(now, count.get<int>()) << suite << ": " << name;
    } else {
      EXPECT_LE(now, count.get<int>()) << suite << ": " << name;
    }
  }
}

/// The schemas that the suite's schemas name, by their URIs.
Json remote_documents(const std::string& folder) {
  const auto remotes = onggi::testing::shared_folder() / "data/json-schema-test-suite/remotes";
  Json documents = Json::object();
  for (const auto& file : std::filesystem::recursive_directory_iterator(remotes)) {
    const std::string name = file.path().lexically_relative(remotes).string();
    if (file.path().extension() != ".json" || (name.starts_with("draft") && !name.starts_with(folder))) continue;
    documents["http://localhost:1234/" + name] = Json::parse(read_file(file.path()));
  }
  return documents;
}

Counts judge_suite(const char* folder, const char* draft) {
  Counts counts;
  const Json documents = remote_documents(folder);
  for (const auto& file : testing::suite_files(folder)) {
    const std::string text = read_file(file);
    const Json exact = parse_json_exactly(text);
    const Json plain = Json::parse(text);
    const bool asserts = file.parent_path().filename() == "format" || file.stem() == "content";
    for (std::size_t i = 0; i < plain.size(); ++i) {
      const Json spec = {{"schema", plain[i]["schema"]},
                         {"whitespace", "flexible"},
                         {"open", true},
                         {"order", "any"},
                         {"format", asserts ? "known" : "annotate"},
                         {"draft", draft},
                         {"documents", documents}};
      judge(spec, exact[i]["tests"], file.stem().string() + ": " + plain[i]["description"].get<std::string>(), counts);
    }
  }
  return counts;
}

TEST(SchemaCounts, Draft202012) {
  ONGGI_NEED_SHARED("data/json-schema-test-suite");
  compare("draft2020-12", judge_suite("draft2020-12", "2020-12"));
}

TEST(SchemaCounts, Draft7) {
  ONGGI_NEED_SHARED("data/json-schema-test-suite");
  compare("draft7", judge_suite("draft7", "7"));
}

TEST(SchemaCounts, MaskBench) {
  ONGGI_NEED_SHARED("data/maskbench/schemas.jsonl.gz");
  Counts counts;
  for (const std::string& line : testing::maskbench_lines()) {
    const Json exact = parse_json_exactly(line);
    const Json spec = {{"schema", Json::parse(line)["schema"]},
                       {"whitespace", "flexible"},
                       {"open", true},
                       {"order", "any"},
                       {"format", "known"}};
    Counts own;
    judge(spec, exact["tests"], exact["name"], own);
    for (const auto& [name, count] : own) counts[name] += count;
    ++counts[own.size() == 1 && own.contains("right") ? "schemas right"
             : own.contains("right") || own.contains("valid refused") || own.contains("invalid accepted")
                 ? "schemas wrong"
                 : "schemas refused"];
  }
  compare("maskbench", counts);
}

}  // namespace
}  // namespace onggi::decode
