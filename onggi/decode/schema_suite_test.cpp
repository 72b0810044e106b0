#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>

#include "onggi/core/error.h"
#include "onggi/core/files.h"
#include "onggi/decode/schema.h"
#include "onggi/decode/test_support.h"

namespace onggi::decode {
namespace {

struct Counts {
  int schemas = 0;
  int compiled = 0;
  int right = 0;  ///< Instances judged as the suite says.
  int valid_refused = 0;
  int invalid_accepted = 0;
};

/// Judges the instances of a schema, where the compiler takes it.
void judge(const Json& schema, const Json& tests, const std::string& name, Counts& counts) {
  ++counts.schemas;
  std::shared_ptr<const Nfa> nfa;
  try {
    nfa = build_nfa(schema_pattern(schema, "compact"), SlotUse::kNone, {});
  } catch (const Error& e) {
    EXPECT_TRUE(e.code() == ErrorCode::kInvalidArgument || e.code() == ErrorCode::kExhausted) << name << ": " << e.what();
    return;
  }
  ++counts.compiled;
  Dfa dfa(nfa);
  for (const Json& test : tests) {
    // A listed object is written in the order in which it is listed.
    const bool is_listed = schema.is_object() && schema.contains("const") && nlohmann::json(schema["const"]) == nlohmann::json(test["data"]);
    const std::string text = testing::render(is_listed ? schema["const"] : test["data"]);
    const int end = dfa.start() == Dfa::kDead ? Dfa::kDead : dfa.walk(dfa.start(), text);
    const bool accepted = end != Dfa::kDead && dfa.is_accepting(end);
    const bool valid = test["valid"].get<bool>();
    if (accepted == valid) {
      ++counts.right;
      continue;
    }
    (valid ? counts.valid_refused : counts.invalid_accepted) += 1;
    std::printf("%s: %s %s by %s\n", name.c_str(), accepted ? "invalid accepted" : "valid refused", text.c_str(), dump_json(schema).c_str());
  }
}

void report(const char* suite, const Counts& counts) {
  std::printf("%s: %d of %d schemas compiled, %d instances right, %d valid refused, %d invalid accepted\n", suite, counts.compiled, counts.schemas,
              counts.right, counts.valid_refused, counts.invalid_accepted);
  // An object as a const is written in one order of its members; the suite has one instance in another order.
  EXPECT_LE(counts.valid_refused, 1);
  EXPECT_EQ(counts.invalid_accepted, 0);
}

Counts test_suite(const char* draft) {
  Counts counts;
  for (const auto& file : testing::suite_files(draft)) {
    // Some files are about odd JSON; what our reader refuses is not for the guide to judge.
    Json groups;
    try {
      groups = parse_json(read_file(file), file.string());
    } catch (const Error&) {
      continue;
    }
    for (const Json& group : groups) judge(group["schema"], group["tests"], file.stem().string() + ": " + group["description"].get<std::string>(), counts);
  }
  report(draft, counts);
  return counts;
}

TEST(SchemaSuite, Draft202012) {
  ONGGI_NEED_SHARED("data/json-schema-test-suite");
  EXPECT_GE(test_suite("draft2020-12").compiled, 62);
}

TEST(SchemaSuite, Draft7) {
  ONGGI_NEED_SHARED("data/json-schema-test-suite");
  EXPECT_GE(test_suite("draft7").compiled, 61);
}

TEST(SchemaSuite, MaskBench) {
  ONGGI_NEED_SHARED("data/maskbench/schemas.jsonl.gz");
  Counts counts;
  for (const std::string& line : testing::maskbench_lines()) {
    const Json json = Json::parse(line);
    judge(json["schema"], json["tests"], json["name"].get<std::string>(), counts);
  }
  report("maskbench", counts);
  EXPECT_GE(counts.compiled, 297);
}

}  // namespace
}  // namespace onggi::decode
