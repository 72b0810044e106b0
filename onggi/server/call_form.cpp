#include "onggi/server/call_form.h"

#include <algorithm>
#include <optional>

#include "onggi/core/error.h"
#include "onggi/decode/composed_grammar.h"
#include "onggi/server/api_error.h"

namespace onggi::server {
namespace {

using Choice = ToolRequest::Choice;

Json literal(const std::string& text) { return {{"choices", Json::array({text})}}; }
Json sequence(Json parts) { return {{"sequence", std::move(parts)}}; }
Json any_of(Json parts) { return {{"any_of", std::move(parts)}}; }

/// A regular expression of the text itself.
std::string quoted(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool is_plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += is_plain ? std::string(1, c) : std::string("\\") + c;
    }
  }
  return out;
}

/// Texts that do not begin with `mark`.
std::string not_beginning_with(std::string_view mark) {
  std::string all;
  for (std::size_t i = 0; i < mark.size(); ++i) {
    const std::string next = quoted(mark.substr(i, 1));
    all += (i > 0 ? "|" : "") + quoted(mark.substr(0, i)) + "([^" + next + "][\\s\\S]*)?";
  }
  return all;
}

/// Texts that do not hold `mark`, whose first character is nowhere else in it: each of them begins a part of the text,
/// which leaves the mark before its end.
std::string without(std::string_view mark) {
  const std::string first = quoted(mark.substr(0, 1));
  std::string parts;
  for (std::size_t i = 1; i < mark.size(); ++i) {
    const std::string next = quoted(mark.substr(i, 1));
    parts += (i > 1 ? "|" : "") + quoted(mark.substr(1, i - 1)) + "([^" + first + next + "][^" + first + "]*)?";
  }
  return "[^" + first + "]*(" + first + "(" + parts + "))*";
}

/// Objects that name their members hold no others, unless the schema says what these are.
Json closed(Json schema) {
  if (schema.is_array()) {
    for (Json& one : schema) one = closed(std::move(one));
    return schema;
  }
  if (!schema.is_object()) return schema;
  for (const char* name : {"properties", "$defs", "definitions", "patternProperties"}) {
    if (!schema.contains(name) || !schema[name].is_object()) continue;
    for (auto& [key, value] : schema[name].items()) value = closed(std::move(value));
  }
  for (const char* name : {"items", "prefixItems", "anyOf", "oneOf", "allOf", "additionalProperties"}) {
    if (schema.contains(name)) schema[name] = closed(std::move(schema[name]));
  }
  if (schema.contains("properties") && !schema.contains("additionalProperties")) schema["additionalProperties"] = false;
  return schema;
}

/// The guide of a function's arguments. Without `strict` those that no guide can hold to their schema are any object.
Json arguments_guide(const Tool& tool) {
  const auto problem_of = [](const Json& guide) -> std::optional<Error> {
    try {
      decode::check_part(guide);
      return std::nullopt;
    } catch (const Error& e) {
      return e;
    }
  };
  const Json guide = {{"schema", tool.is_strict ? tool.schema : closed(tool.schema)}};
  const auto problem = problem_of(guide);
  if (!problem) return guide;
  const Json any_object = {{"schema", {{"type", "object"}}}};
  if (!tool.is_strict && !problem_of(any_object)) return any_object;
  const std::string& where = problem->where();
  throw ApiError(400, "function \"" + tool.name + "\": " + problem->what(), "unsupported_schema",
                 tool.pointer + (where.starts_with('#') ? where.substr(1) : std::string()));
}

Json calls_guide(const ToolRequest& tools, const CallForm& form) {
  Json one = Json::array();
  for (const Tool& tool : tools.tools)
    one.push_back(sequence({literal(tool.name + form.middle), arguments_guide(tool)}));
  const Json call = sequence({literal(form.opening), any_of(std::move(one)), literal(form.closing)});
  if (!tools.is_parallel || form.separator.empty()) return call;
  return sequence({call, {{"repeat", sequence({literal(form.separator), call})}}});
}

std::string call_text(const Json& function, const CallForm& form) {
  const Json arguments = function.value("arguments", Json::object());
  return form.opening + function.value("name", std::string()) + form.middle +
         (arguments.is_string() ? arguments.get<std::string>()
                                : arguments.dump(-1, ' ', false, Json::error_handler_t::replace)) +
         form.closing;
}

std::string tools_text(const Json& shown_tools, const CallForm& form) {
  std::string text = "You can call the functions below, a JSON object a line, where they help to answer.\n<tools>\n";
  for (const Json& tool : shown_tools)
    text += tool.at("function").dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  return text + "</tools>\nA call is written as in this example; its result comes back in <tool_response> tags.\n" +
         form.opening + "NAME" + form.middle + "{\"PARAMETER\": \"VALUE\"}" + form.closing;
}

}  // namespace

CallForm call_form_of(std::string_view template_source) {
  const bool takes_tools = template_source.find("tools") != std::string_view::npos;
  if (takes_tools && template_source.find("<tool_call>") == std::string_view::npos) {
    return {.opening = "{\"name\": \"",
            .middle = "\", \"parameters\": ",
            .closing = "}",
            .separator = {},
            .mark = "{\"name\": \"",
            .is_of_template = true};
  }
  return {.opening = "<tool_call>\n{\"name\": \"",
          .middle = "\", \"arguments\": ",
          .closing = "}\n</tool_call>",
          .separator = "\n",
          .mark = "<tool_call>",
          .has_text_before = true,
          .is_of_template = takes_tools};
}

Json messages_with_tools(const Json& messages, const Json& shown_tools, const CallForm& form) {
  const bool has_calls =
      std::ranges::any_of(messages, [](const Json& m) { return m.at("role") == "tool" || m.contains("tool_calls"); });
  if (shown_tools.is_null() && !has_calls) return messages;
  Json out = Json::array();
  bool is_last_of_tools = false;
  for (const Json& message : messages) {
    Json copy = {{"role", message.at("role")}, {"content", message.at("content")}};
    std::string content = copy["content"].get<std::string>();
    const bool is_result = copy["role"] == "tool";
    if (is_result) {
      copy["role"] = "user";
      content = "<tool_response>\n" + content + "\n</tool_response>";
    }
    if (message.contains("tool_calls")) {
      for (const Json& call : message["tool_calls"])
        content += (content.empty() ? "" : "\n") + call_text(call.at("function"), form);
    }
    // Templates want user and assistant in turn.
    if (is_last_of_tools && copy["role"] == "user") {
      out.back()["content"] = out.back()["content"].get<std::string>() + "\n" + content;
      is_last_of_tools = is_result;
      continue;
    }
    copy["content"] = content;
    out.push_back(std::move(copy));
    is_last_of_tools = is_result;
  }
  if (shown_tools.is_null()) return out;
  const std::string text = tools_text(shown_tools, form);
  const bool has_system = !out.empty() && out[0]["role"] == "system";
  const auto place = std::ranges::find_if(out, [&](const Json& m) { return has_system || m["role"] == "user"; });
  if (place == out.end()) {
    out.insert(out.begin(), Json{{"role", "user"}, {"content", text}});
    return out;
  }
  const std::string content = (*place)["content"].get<std::string>();
  (*place)["content"] = has_system ? content + "\n\n" + text : text + "\n\n" + content;
  return out;
}

Json answers_guide(const ToolRequest& tools, const CallForm& form, const Json& text_guide) {
  const Json calls = calls_guide(tools, form);
  if (tools.choice == Choice::kRequired) return calls;
  if (!text_guide.is_null()) return any_of({text_guide, calls});
  const Json text = {{"regex", form.has_text_before ? without(form.mark) : not_beginning_with(form.mark)}};
  Json guide = any_of({text, form.has_text_before ? sequence({text, calls}) : calls});
  guide["ends"] = "all";
  return guide;
}

}  // namespace onggi::server
