// Tools from a body to the language of answers, and back from an answer to its calls.
#include "onggi/server/tools.h"

#include <gtest/gtest.h>

#include "onggi/decode/test_support.h"
#include "onggi/server/api_error.h"
#include "onggi/server/call_form.h"
#include "onggi/server/call_reader.h"

namespace onggi::server {
namespace {

using decode::testing::Dice;
using decode::testing::FakeTokenizer;
using Kind = CallReader::Piece::Kind;

const std::string kTagged = "{% if tools %}<tool_call>{% endif %}";
const std::string kBare = "{% if tools %}{% endif %}";

Json body_of(std::string_view choice, std::string_view more = "") {
  return parse_json(
      R"({"tools": [{"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object", "required": ["city"],
          "properties": {"city": {"enum": ["Seoul", "a \"b\" }"]}, "days": {"type": "integer", "minimum": 1, "maximum": 3}}}}},
          {"type": "function", "function": {"name": "now"}}], "tool_choice": )" +
          std::string(choice) + std::string(more) + "}",
      "test");
}

ToolRequest read(const Json& body) { return read_tools(Members(body)); }

std::shared_ptr<const decode::Guide> guide_of(const Json& body, const std::string& source, const Json& text_guide = {}) {
  return decode::compile_guide(answers_guide(read(body), call_form_of(source), text_guide),
                               std::make_shared<FakeTokenizer>());
}

std::string param_of(const Json& body) {
  try {
    answers_guide(read(body), call_form_of(kTagged), nullptr);
  } catch (const ApiError& e) {
    EXPECT_EQ(e.status(), 400);
    return e.param();
  }
  return "none";
}

const std::string kSeoul = "<tool_call>\n{\"name\": \"get_weather\", \"arguments\": {\"city\": \"Seoul\"}}\n</tool_call>";
const std::string kNow = "<tool_call>\n{\"name\": \"now\", \"arguments\": {}}\n</tool_call>";

TEST(Tools, ARequiredCallIsOneOfTheFunctionsWithItsArguments) {
  const auto guide = guide_of(body_of("\"required\""), kTagged);
  EXPECT_TRUE(guide->accepts(kSeoul, {}));
  EXPECT_TRUE(guide->accepts(kNow + "\n" + kSeoul + "\n" + kNow, {}));
  EXPECT_FALSE(guide->accepts("", {}));
  EXPECT_FALSE(guide->accepts("a" + kSeoul, {}));
  EXPECT_FALSE(guide->accepts(kSeoul + "\n", {}));
  EXPECT_FALSE(guide->accepts("<tool_call>\n{\"name\": \"now\", \"arguments\": {\"city\": \"Seoul\"}}\n</tool_call>", {}));
  const auto single = guide_of(body_of("\"required\"", ", \"parallel_tool_calls\": false"), kTagged);
  EXPECT_TRUE(single->accepts(kNow, {}));
  EXPECT_FALSE(single->accepts(kNow + "\n" + kNow, {}));
  const auto named = guide_of(body_of(R"({"type": "function", "function": {"name": "now"}})"), kTagged);
  EXPECT_TRUE(named->accepts(kNow, {}));
  EXPECT_FALSE(named->accepts(kSeoul, {}));
}

TEST(Tools, AutoIsAnyTextAndThenCalls) {
  const auto guide = guide_of(body_of("\"auto\""), kTagged);
  for (const char* text : {"", "hello", "a < b", "<<tool", "<tool_cal", "<tool_tool_call>", "<tool_<tool_", "{\"name\": \"now\"}", "\n\n<"})
    EXPECT_TRUE(guide->accepts(text, {})) << text;
  EXPECT_TRUE(guide->accepts(kSeoul, {}));
  EXPECT_TRUE(guide->accepts("Let me see.\n" + kSeoul + "\n" + kNow, {}));
  EXPECT_TRUE(guide->accepts("<<tool_call" + kNow, {}));
  EXPECT_FALSE(guide->accepts("<tool_call>", {}));
  EXPECT_FALSE(guide->accepts("a <tool_call> b", {}));
  EXPECT_FALSE(guide->accepts("<" + kNow + "x", {}));
  EXPECT_FALSE(guide->accepts("<tool_call>\n{\"name\": \"absent\", \"arguments\": {}}\n</tool_call>", {}));
}

TEST(Tools, ABareCallIsTheWholeAnswer) {
  const auto guide = guide_of(body_of("\"auto\""), kBare);
  const std::string now = "{\"name\": \"now\", \"parameters\": {}}";
  EXPECT_TRUE(guide->accepts(now, {}));
  for (const char* text : {"", "{", "{\"name\"", "hello", "{\"names\": \"", "a{\"name\": \"now\"", "{\"name\":\"x\"}"})
    EXPECT_TRUE(guide->accepts(text, {})) << text;
  EXPECT_FALSE(guide->accepts("{\"name\": \"absent\", \"parameters\": {}}", {}));
  EXPECT_FALSE(guide->accepts(now + "\n" + now, {}));
  EXPECT_FALSE(guide_of(body_of("\"required\""), kBare)->accepts("hello", {}));
}

TEST(Tools, BesideAFormTheTextKeepsToIt) {
  const auto guide = guide_of(body_of("\"auto\""), kTagged, {{"choices", {"yes", "no"}}});
  EXPECT_TRUE(guide->accepts("yes", {}));
  EXPECT_TRUE(guide->accepts(kNow, {}));
  EXPECT_FALSE(guide->accepts("maybe", {}));
}

TEST(Tools, ArgumentsMayBeRecursive) {
  const Json body = parse_json(
      R"({"tools": [{"type": "function", "function": {"name": "f", "strict": true, "parameters": {"$ref": "#/$defs/node", "$defs": {"node":
          {"type": "object", "additionalProperties": false, "required": ["v"], "properties": {"v": {"type": "integer"},
           "next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]}}}}}}}]})",
      "test");
  const auto call = [](const std::string& arguments) {
    return "<tool_call>\n{\"name\": \"f\", \"arguments\": " + arguments + "}\n</tool_call>";
  };
  const std::string deep = R"({"v": 1, "next": {"v": 2, "next": {"v": 3, "next": null}}})";
  const auto guide = guide_of(body, kTagged);
  EXPECT_TRUE(guide->accepts("So: " + call(deep) + "\n" + call(R"({"v": -7})"), {}));
  EXPECT_TRUE(guide->accepts("no call", {}));
  for (const char* bad : {"{}", R"({"v": 1, "next": {"v": "2"}})", R"({"v": 1, "v": 2})", R"({"v": 1, "next": {"v": 2})"})
    EXPECT_FALSE(guide->accepts(call(bad), {})) << bad;
}

TEST(Tools, ASchemaThatCannotBeHeldIsRefusedWithItsPlace) {
  const auto with = [](std::string_view schema, bool is_strict) {
    return parse_json(R"({"tools": [{"type": "function", "function": {"name": "f", "strict": )" +
                          std::string(is_strict ? "true" : "false") + R"(, "parameters": )" + std::string(schema) + "}}]}",
                      "test");
  };
  const std::string odd = R"x({"type": "object", "additionalProperties": false, "properties": {"a/b": {"type": "string", "pattern": "(?=x)"}}})x";
  EXPECT_EQ(param_of(with(odd, true)), "/tools/0/function/parameters/properties/a~1b/pattern");
  const std::string open = R"({"type": "object", "properties": {"a": {"type": "integer"}}})";
  EXPECT_EQ(param_of(with(open, false)), "none") << "what is not strict holds the members that it names";
}

TEST(Tools, WhatIsWrongIsNamed) {
  const auto param = [](std::string_view text) {
    try {
      read(parse_json(text, "test"));
    } catch (const ApiError& e) {
      return e.param();
    }
    return std::string("none");
  };
  EXPECT_EQ(param(R"({"tools": 3})"), "tools");
  EXPECT_EQ(param(R"({"tools": [3]})"), "tools[0]");
  EXPECT_EQ(param(R"({"tools": [{"type": "web_search"}]})"), "tools[0].type");
  EXPECT_EQ(param(R"({"tools": [{"type": "function", "function": {"name": ""}}]})"), "tools[0].function.name");
  EXPECT_EQ(param(R"({"tools": [{"type": "function", "function": {"name": "a", "parameters": []}}]})"), "tools[0].function.parameters");
  EXPECT_EQ(param(R"({"tools": [{"type": "function", "function": {"name": "a", "parameters": {"type": "array"}}}]})"), "tools[0].function.parameters");
  EXPECT_EQ(param(R"({"functions": [{"name": "a b"}]})"), "functions[0].name");
  EXPECT_EQ(param(R"({"tool_choice": "required"})"), "tool_choice");
  EXPECT_EQ(param(R"({"tool_choice": "auto", "tools": []})"), "none");
  EXPECT_EQ(param(body_of(R"({"type": "function", "function": {"name": "absent"}})").dump()), "tool_choice");
  EXPECT_EQ(param(body_of(R"({"type": "allowed_tools", "allowed_tools": {"tools": []}})").dump()), "tool_choice.allowed_tools.tools");
  EXPECT_EQ(param(R"({"tools": null, "tool_choice": null, "parallel_tool_calls": null})"), "none");
}

TEST(Tools, OlderFunctionsAreTools) {
  const auto request = read(parse_json(R"({"functions": [{"name": "a"}, {"name": "b"}], "function_call": {"name": "b"}})", "test"));
  EXPECT_TRUE(request.is_legacy);
  EXPECT_EQ(request.choice, ToolRequest::Choice::kRequired);
  ASSERT_EQ(request.tools.size(), 1U);
  EXPECT_EQ(request.tools[0].name, "b");
  EXPECT_EQ(request.shown.size(), 2U);
  const Json message = with_calls_read(
      parse_json(R"({"role": "assistant", "content": "", "tool_calls": null, "function_call": {"name": "a", "arguments": "{\"x\": 1}"}})", "test"), "m");
  EXPECT_EQ(message["tool_calls"][0]["function"]["arguments"]["x"], 1);
}

TEST(Tools, ATemplateWithoutToolsIsToldOfThemInAMessage) {
  const Json messages = parse_json(
      R"([{"role": "user", "content": "now?"}, {"role": "assistant", "content": "", "tool_calls": [{"type": "function", "function": {"name": "now", "arguments": {}}}]},
          {"role": "tool", "content": "12"}, {"role": "tool", "content": "13"}, {"role": "user", "content": "and?"}])",
      "test");
  const CallForm form = call_form_of("{{ messages }}");
  EXPECT_FALSE(form.is_of_template);
  const Json out = messages_with_tools(messages, read(body_of("\"auto\"")).shown, form);
  ASSERT_EQ(out.size(), 3U) << out;
  EXPECT_EQ(out[1]["content"], kNow);
  EXPECT_EQ(out[2]["role"], "user");
  EXPECT_EQ(out[2]["content"], "<tool_response>\n12\n</tool_response>\n<tool_response>\n13\n</tool_response>\nand?");
  const auto first = out[0]["content"].get<std::string>();
  EXPECT_NE(first.find("{\"name\":\"now\""), std::string::npos) << first;
  EXPECT_TRUE(first.ends_with("\n\nnow?"));
  const Json system = parse_json(R"([{"role": "system", "content": "short"}, {"role": "user", "content": "?"}])", "test");
  EXPECT_TRUE(messages_with_tools(system, read(body_of("\"auto\"")).shown, form)[0]["content"].get<std::string>().starts_with("short\n\n"));
  EXPECT_EQ(messages_with_tools(system, nullptr, form), system);
}

/// What the reader says of an answer that comes in pieces of `size` bytes.
std::string heard(const std::string& answer, const std::string& source, std::size_t size, bool may_be_text = true) {
  CallReader reader(call_form_of(source), may_be_text);
  std::string out;
  Kind last = Kind::kText;
  for (std::size_t end = size;; end += size) {
    const bool is_end = end >= answer.size();
    for (const auto& piece : reader.read(std::string_view(answer).substr(0, std::min(end, answer.size())), is_end)) {
      if (piece.kind == Kind::kName) out += "[" + std::to_string(piece.call) + " ";
      if (piece.kind == Kind::kArguments && last == Kind::kName) out += " ";
      out += piece.text;
      last = piece.kind;
    }
    if (is_end) break;
  }
  return out + (reader.is_in_call() ? " cut" : "");
}

TEST(CallReader, TellsTextFromCallsHoweverTheAnswerIsCut) {
  const std::string odd = "<tool_call>\n{\"name\": \"get_weather\", \"arguments\": {\"city\": \"a \\\"b\\\" }\", \"days\": 2}}\n</tool_call>";
  for (std::size_t size = 1; size < 40; ++size) {
    EXPECT_EQ(heard("hello <b", kTagged, size), "hello <b");
    EXPECT_EQ(heard("hello\n\n" + odd, kTagged, size), "hello[0 get_weather {\"city\": \"a \\\"b\\\" }\", \"days\": 2}");
    EXPECT_EQ(heard(kNow + "\n" + odd, kTagged, size), "[0 now {}[1 get_weather {\"city\": \"a \\\"b\\\" }\", \"days\": 2}");
    EXPECT_EQ(heard(odd.substr(0, odd.find('b') + 1), kTagged, size), "[0 get_weather {\"city\": \"a \\\"b cut");
    EXPECT_EQ(heard("a <tool_call>\n{\"na", kTagged, size), "a");
    EXPECT_EQ(heard("<tool_c", kTagged, size, false), "");
    EXPECT_EQ(heard("spaces  \n", kTagged, size), "spaces  \n");
    EXPECT_EQ(heard("{\"name\": \"now\", \"parameters\": {\"a\": [{}]}}", kBare, size), "[0 now {\"a\": [{}]}");
    EXPECT_EQ(heard("{\"name\": now", kBare, size), "{\"name\": now");
    EXPECT_EQ(heard("a {\"name\": \"now\"", kBare, size), "a {\"name\": \"now\"");
  }
}

TEST(CallReader, UnderstandsWhateverTheGuideAllows) {
  const auto tokenizer = std::make_shared<FakeTokenizer>(std::vector<std::string>{"<tool_call>", "{\"name\": \""});
  for (const std::string& source : {kTagged, kBare}) {
    const auto guide = decode::compile_guide(answers_guide(read(body_of("\"required\"")), call_form_of(source), nullptr), tokenizer);
    Dice dice(7);
    for (int i = 0; i < 100; ++i) {
      bool finished = false;
      const std::string answer = decode::testing::random_walk(*guide, *tokenizer, {}, dice, 400, finished);
      ASSERT_TRUE(finished) << answer;
      CallReader reader(call_form_of(source), false);
      std::vector<std::string> arguments;
      for (const auto& piece : reader.read(answer, true)) {
        if (piece.kind == Kind::kName) arguments.emplace_back();
        if (piece.kind == Kind::kArguments) arguments.back() += piece.text;
      }
      ASSERT_GE(arguments.size(), 1U) << answer;
      EXPECT_FALSE(reader.is_in_call()) << answer;
      for (const auto& text : arguments) EXPECT_TRUE(parse_json(text, "arguments").is_object()) << answer;
    }
  }
}

}  // namespace
}  // namespace onggi::server
