#include "onggi/text/chat_template.h"

#include <gtest/gtest.h>

#include "onggi/core/error.h"

namespace onggi::text {
namespace {

const Json kChat = Json::parse(R"([
  {"role": "system", "content": " Be kind. "},
  {"role": "user", "content": "  Hi \n"},
  {"role": "assistant", "content": " Hello "},
  {"role": "user", "content": "Bye"}])");

ChatTemplate::Options gemma_options(bool generation) {
  ChatTemplate::Options options;
  options.bos_token = "<bos>";
  options.add_generation_prompt = generation;
  return options;
}

std::string gemma(const Json& messages, bool generation = false) {
  return ChatTemplate(std::string(builtin_chat_template("gemma"))).render(messages, gemma_options(generation));
}

template <class Run>
Error error_of(Run&& run) {
  try {
    run();
  } catch (const Error& e) {
    return e;
  }
  ADD_FAILURE() << "nothing was thrown";
  return Error(ErrorCode::kInternal, "");
}

TEST(ChatTemplate, GemmaFoldsTheSystemTextIntoTheFirstUserTurnUntrimmed) {
  EXPECT_EQ(gemma(kChat, true),
            "<bos><start_of_turn>user\n Be kind. \n\nHi<end_of_turn>\n<start_of_turn>model\nHello<end_of_turn>\n"
            "<start_of_turn>user\nBye<end_of_turn>\n<start_of_turn>model\n");
  EXPECT_EQ(gemma(Json::parse(R"([{"role": "user", "content": ""}])")), "<bos><start_of_turn>user\n<end_of_turn>\n");
}

TEST(ChatTemplate, GemmaJoinsTrimmedPartsOfAList) {
  const Json parts = Json::parse(R"([{"role": "user", "content": [
    {"type": "text", "text": " a "}, {"type": "image"}, {"type": "text", "text": "b "}]}])");
  EXPECT_EQ(gemma(parts), "<bos><start_of_turn>user\na<start_of_image>b<end_of_turn>\n");
}

TEST(ChatTemplate, GemmaRefusesRolesThatDoNotAlternate) {
  const Json twice = Json::array({kChat[1], kChat[1]});
  const Error e = error_of([&] { gemma(twice); });
  EXPECT_EQ(e.code(), ErrorCode::kInvalidArgument);
  EXPECT_NE(e.message().find("alternate"), std::string::npos);
  EXPECT_NE(e.where().find("line 13"), std::string::npos) << e.what();
}

TEST(ChatTemplate, TextOfFewerTurnsIsAPrefix) {
  const Json first = Json::array({kChat[0], kChat[1]});
  const std::string shorter = gemma(first, true);
  EXPECT_EQ(gemma(kChat).substr(0, shorter.size()), shorter);
}

TEST(ChatTemplate, ChatMlAndLlama3) {
  ChatTemplate::Options options;
  options.bos_token = "<|begin_of_text|>";
  options.add_generation_prompt = true;
  const Json one = Json::array({kChat[1]});
  EXPECT_EQ(ChatTemplate(std::string(builtin_chat_template("chatml"))).render(one, options),
            "<|im_start|>user\n  Hi \n<|im_end|>\n<|im_start|>assistant\n");
  EXPECT_EQ(ChatTemplate(std::string(builtin_chat_template("llama3"))).render(one, options),
            "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>"
            "<|start_header_id|>assistant<|end_header_id|>\n\n");
  EXPECT_EQ(error_of([] { builtin_chat_template("nope"); }).code(), ErrorCode::kNotFound);
}

std::string spans_of(const std::string& source, const Json& messages) {
  std::string out;
  for (const TextSpan& span : ChatTemplate(source).render_spans(messages, {})) {
    EXPECT_FALSE(span.text.empty());
    out += (span.is_content ? "<" : "[") + span.text + (span.is_content ? ">" : "]");
  }
  return out;
}

TEST(ChatTemplate, ContentStaysMarkedThroughEveryOperation) {
  const Json m = Json::parse(R"([{"role": "user", "content": " a-b c "}])");
  const auto content = [&](const std::string& expression) { return spans_of("{{ " + expression + " }}", m); };
  EXPECT_EQ(content("'T' + messages[0].content + 'U'"), "[T]< a-b c >[U]");
  EXPECT_EQ(content("messages[0].content | trim"), "<a-b c>");
  EXPECT_EQ(content("messages[0]['content'].strip().upper()"), "<A-B C>");
  EXPECT_EQ(content("('x' ~ messages[0].content | trim ~ 'y')[1:-1]"), "<a-b c>");
  EXPECT_EQ(content("messages[0].content | replace('-', '<t>') | trim"), "<a>[<t>]<b c>");
  EXPECT_EQ(content("'<t>' | replace('t', messages[0].content)"), "[<]< a-b c >[>]");
  EXPECT_EQ(content("messages[0].content.split('-') | join('+')"), "< a>[+]<b c >");
  EXPECT_EQ(content("messages[0].content | tojson"), "[\"]< a-b c >[\"]");
  EXPECT_EQ(content("messages[0] | tojson"), "[{\"]<role>[\": \"]<user>[\", \"]<content>[\": \"]< a-b c >[\"}]");
  EXPECT_EQ(content("[messages[0].role]"), "[[']<user>[']]");
  EXPECT_EQ(content("messages[0].content[1] ~ messages[0].content | last ~ '.'"), "<a >[.]");
  EXPECT_EQ(content("'%s' if messages[0].role == 'user' else ''"), "[%s]");
  EXPECT_EQ(spans_of("{% set x %}[{{ messages[0].role }}]{% endset %}{% macro m(y) %}({{ y }}){% endmacro %}{{ m(x) }}", m),
            "[([]<user>[])]");
}

TEST(ChatTemplate, ErrorsNameLineAndColumn) {
  const auto where = [](const std::string& source) { return error_of([&] { ChatTemplate(source).render(Json::array(), {}); }).where(); };
  EXPECT_EQ(where("a\n{{ x.y }}"), "line 2, column 5");
  EXPECT_EQ(where("{% if true %}\n\n  {{ 1 + }}{% endif %}"), "line 3, column 10");
  EXPECT_EQ(where("한글 {{ 'open }}"), "line 1, column 7");
  EXPECT_EQ(where("{% for x in [1] %}\n{{ raise_exception('no') }}{% endfor %}"), "line 2, column 19");
}

TEST(ChatTemplate, StrftimeNowIsThereOnlyWithADate) {
  const std::string source = "{% if strftime_now is defined %}{{ strftime_now('%a %d %b %Y') }}{% else %}none{% endif %}";
  ChatTemplate::Options options;
  EXPECT_EQ(ChatTemplate(source).render(Json::array(), options), "none");
  options.date = "2026-11-27";
  EXPECT_EQ(ChatTemplate(source).render(Json::array(), options), "Fri 27 Nov 2026");
  options.date = "yesterday";
  EXPECT_EQ(error_of([&] { ChatTemplate(source).render(Json::array(), options); }).code(), ErrorCode::kInvalidArgument);
}

TEST(ChatTemplate, HostileTemplatesEnd) {
  const auto code = [](const std::string& source) {
    return error_of([&] { ChatTemplate(source).render(Json::array(), {}); }).code();
  };
  EXPECT_EQ(code("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}"), ErrorCode::kExhausted);
  EXPECT_EQ(code("{% for i in range(100000000) %}x{% endfor %}"), ErrorCode::kExhausted);
  EXPECT_EQ(code("{% set ns = namespace(x='ab') %}{% for i in range(99) %}{% set ns.x = ns.x + ns.x %}{% endfor %}"),
            ErrorCode::kExhausted);
  EXPECT_EQ(code("{% set ns = namespace(x=[1]) %}{% for i in range(99) %}{% set ns.x = ns.x + ns.x %}{% endfor %}"),
            ErrorCode::kExhausted);
  EXPECT_EQ(code("{% set ns = namespace(x=[]) %}{% for i in range(9999) %}{% set ns.x = [ns.x] %}{% endfor %}"),
            ErrorCode::kExhausted);
  EXPECT_EQ(code("{{ 'x' * 1000000000000 }}"), ErrorCode::kExhausted);
  EXPECT_EQ(code("{% for i in range(9999) %}{% for j in range(9999) %}{% endfor %}{% endfor %}"), ErrorCode::kExhausted);
  EXPECT_EQ(code("{{ " + std::string(100000, '(') + "1"), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code("{{ " + std::string(100000, '[') + "1"), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code("{{ " + std::string(100000, '-') + "1 }}"), ErrorCode::kInvalidArgument);
  std::string sum = "{{ 1";
  for (int i = 0; i < 10000; ++i) sum += " + 1";
  EXPECT_EQ(code(sum + " }}"), ErrorCode::kInvalidArgument);
  std::string ifs;
  for (int i = 0; i < 10000; ++i) ifs += "{% if 1 %}";
  EXPECT_EQ(code(ifs), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code(std::string(2 << 20, 'x')), ErrorCode::kExhausted);
  // A namespace that holds itself prints, compares and frees.
  EXPECT_EQ(ChatTemplate("{% set n = namespace() %}{% set n.x = [n] %}{{ n.x == n.x }}{{ n }}").render(Json::array(), {}),
            "True<Namespace>");
}

}  // namespace
}  // namespace onggi::text
