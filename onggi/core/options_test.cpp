#include "onggi/core/options.h"

#include <gtest/gtest.h>

#include "onggi/core/error.h"

namespace onggi {
namespace {

struct Sample {
  std::int64_t seed = 1;
  int rank = 16;
  float learning_rate = 4e-4F;
  double clip = 1.0;
  bool shuffle = true;
  bool verbose = false;
  std::string method = "lora";
  std::vector<std::string> targets = {"all"};
  std::optional<int> max_steps;

  template <class V>
  void visit(V&& field) {
    field("seed", seed, "Seed of every random choice.");
    field("rank", rank, "Rank of the adapter.");
    field("learning_rate", learning_rate, "Peak learning rate.");
    field("clip", clip, "Largest gradient norm.");
    field("shuffle", shuffle, "Shuffle the rows.");
    field("verbose", verbose, "Say more.");
    field("method", method, "Adapter method.");
    field("targets", targets, "Linear layers to train.");
    field("max_steps", max_steps, "Stop after this many steps.");
  }
};

std::vector<std::string> parse(Sample& sample, const std::vector<std::string_view>& arguments) {
  return OptionList(sample).parse_flags(arguments);
}

std::string error_of(const std::vector<std::string_view>& arguments) {
  Sample sample;
  try {
    parse(sample, arguments);
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kInvalidArgument);
    return e.message();
  }
  ADD_FAILURE() << "no error";
  return {};
}

ErrorCode json_error(std::string_view text) {
  Sample sample;
  try {
    OptionList(sample).parse_json(parse_json(text, "test"), "test");
  } catch (const Error& e) {
    EXPECT_EQ(e.where(), "test");
    return e.code();
  }
  ADD_FAILURE() << "no error for " << text;
  return ErrorCode::kInternal;
}

TEST(Options, FlagsSetEveryType) {
  Sample s;
  const auto positional =
      parse(s, {"a.jsonl", "--seed=-7", "--rank", "8", "--learning-rate", "1e-3", "--clip", "-0.5", "--no-shuffle",
                "--verbose", "--method=", "--max_steps", "20", "-", "--", "--rank"});
  EXPECT_EQ(positional, (std::vector<std::string>{"a.jsonl", "-", "--rank"}));
  EXPECT_EQ(s.seed, -7);
  EXPECT_EQ(s.rank, 8);
  EXPECT_EQ(s.learning_rate, 1e-3F);
  EXPECT_EQ(s.clip, -0.5);
  EXPECT_FALSE(s.shuffle);
  EXPECT_TRUE(s.verbose);
  EXPECT_EQ(s.method, "");
  EXPECT_EQ(s.max_steps, 20);
}

TEST(Options, FirstUseOfAListFlagReplacesAndTheNextAppends) {
  Sample s;
  parse(s, {"--targets", "q_proj", "--targets=v_proj"});
  EXPECT_EQ(s.targets, (std::vector<std::string>{"q_proj", "v_proj"}));
}

TEST(Options, LastOfEqualFlagsWins) {
  Sample s;
  parse(s, {"--rank", "8", "--rank", "4", "--shuffle=false", "--shuffle"});
  EXPECT_EQ(s.rank, 4);
  EXPECT_TRUE(s.shuffle);
}

TEST(Options, UnknownFlagNamesTheNearestKnownOne) {
  EXPECT_EQ(error_of({"--learning-rat", "1"}), "unknown flag --learning-rat; did you mean --learning-rate?");
  EXPECT_EQ(error_of({"--zzzzzz"}), "unknown flag --zzzzzz");
  EXPECT_EQ(error_of({"-rank", "1"}), "unknown flag -rank; flags begin with two dashes");
  EXPECT_NE(error_of({"--no-rank"}).find("unknown flag"), std::string::npos);
}

TEST(Options, WrongValuesAreRefused) {
  for (const std::string_view bad : {"", "1.5", "1x", " 1", "99999999999", "0x10", "one"}) {
    EXPECT_NE(error_of({"--rank", bad}).find("--rank: expected a whole number"), std::string::npos) << bad;
  }
  for (const std::string_view bad : {"", "inf", "nan", "1e", "1e999", "0,5"}) {
    EXPECT_NE(error_of({"--learning-rate", bad}).find("expected a number"), std::string::npos) << bad;
  }
  EXPECT_NE(error_of({"--shuffle=maybe"}).find("true or false"), std::string::npos);
  EXPECT_NE(error_of({"--no-shuffle=true"}).find("takes no value"), std::string::npos);
  EXPECT_NE(error_of({"--rank"}).find("needs a value"), std::string::npos);
  EXPECT_NE(error_of({"--rank", "--verbose"}).find("needs a value"), std::string::npos);
}

TEST(Options, JsonRoundTripsThroughAnotherStruct) {
  Sample s;
  parse(s, {"--seed", "9007199254740993", "--learning-rate", "0.0003", "--targets", "q", "--no-shuffle", "--max-steps",
            "5"});
  const Json saved = OptionList(s).to_json();
  Sample back;
  OptionList(back).parse_json(parse_json(dump_json(saved), "saved"), "saved");
  EXPECT_EQ(OptionList(back).to_json(), saved);
  EXPECT_EQ(back.seed, 9007199254740993);
  EXPECT_EQ(back.learning_rate, 0.0003F);
  EXPECT_EQ(back.max_steps, 5);
}

TEST(Options, FloatsPrintAsTheyWereWritten) {
  Sample s;
  EXPECT_EQ(dump_json(OptionList(s).to_json()["learning_rate"]), "0.0004");
}

TEST(Options, JsonNullClearsOnlyAnOptional) {
  Sample s;
  s.max_steps = 3;
  OptionList(s).parse_json(parse_json(R"({"max_steps": null})", "test"), "test");
  EXPECT_FALSE(s.max_steps);
  EXPECT_EQ(json_error(R"({"rank": null})"), ErrorCode::kInvalidArgument);
}

TEST(Options, JsonOfWrongTypeOrUnknownKeyIsRefused) {
  for (const std::string_view bad : {R"([])", R"({"rnk": 1})", R"({"rank": 1.5})", R"({"rank": "8"})",
                                     R"({"rank": 2147483648})", R"({"rank": true})", R"({"seed": 9223372036854775808})",
                                     R"({"learning_rate": 1e39})", R"({"learning_rate": "1"})", R"({"shuffle": 1})",
                                     R"({"method": 1})", R"({"targets": "q"})", R"({"targets": ["q", 1]})"}) {
    EXPECT_EQ(json_error(bad), ErrorCode::kInvalidArgument) << bad;
  }
}

TEST(Options, HelpHasOneLineAFlagWithItsDefault) {
  Sample s;
  const std::string help = OptionList(s).help_text();
  EXPECT_EQ(std::count(help.begin(), help.end(), '\n'), 9);
  EXPECT_NE(help.find("  --learning-rate X  Peak learning rate. [0.0004]\n"), std::string::npos) << help;
  EXPECT_NE(help.find("--[no-]shuffle"), std::string::npos) << help;
  EXPECT_NE(help.find("Say more.\n"), std::string::npos) << help;
  EXPECT_NE(help.find("Stop after this many steps.\n"), std::string::npos) << help;
}

TEST(NearestName, CountsEditsAndSwapsAndGivesUpWhenFar) {
  const std::vector<std::string> names = {"generate", "eval", "bench", "merge"};
  EXPECT_EQ(nearest_name("genrate", names), "generate");
  EXPECT_EQ(nearest_name("bnech", names), "bench");
  EXPECT_EQ(nearest_name("eval", names), "eval");
  EXPECT_EQ(nearest_name("quantise", names), "");
  EXPECT_EQ(nearest_name("", names), "");
  EXPECT_EQ(nearest_name(std::string(10000, 'e'), names), "");
  EXPECT_EQ(nearest_name("x", {}), "");
}

}  // namespace
}  // namespace onggi
