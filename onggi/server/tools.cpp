#include "onggi/server/tools.h"

#include <algorithm>
#include <set>

#include "onggi/core/error.h"

namespace onggi::server {
namespace {

constexpr std::size_t kMaxTools = 128;
constexpr std::size_t kMaxNameBytes = 64;

std::string read_name(const Members& function, const std::string& where) {
  const std::string name = function.text("name");
  const bool is_good = !name.empty() && name.size() <= kMaxNameBytes && std::ranges::all_of(name, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' || c == '-';
  });
  if (!is_good) refuse(where + ".name", "expected 1 to 64 characters of A-Z a-z 0-9 _ -, found " + shown(Json(name)));
  return name;
}

/// `where` and `pointer` are the function's place in the body.
Tool read_function(const Json& json, const std::string& where, const std::string& pointer) {
  const Members function(json, where + ".");
  Tool tool{.name = read_name(function, where),
            .schema = {{"type", "object"}, {"properties", Json::object()}, {"additionalProperties", false}},
            .is_strict = function.truth("strict", false),
            .pointer = pointer + "/parameters"};
  Json told = {{"name", tool.name}};
  if (const std::string description = function.text("description"); !description.empty())
    told["description"] = description;
  told["parameters"] = {{"type", "object"}, {"properties", Json::object()}};
  if (function.find("parameters") != nullptr) {
    const Json& schema = function.object("parameters");
    if (!schema.empty()) {
      tool.schema = schema;
      told["parameters"] = schema;
    }
    if (schema.contains("type") && schema["type"] != "object")
      refuse(where + ".parameters", "expected a schema of \"type\": \"object\", found " + shown(schema["type"]));
  }
  tool.shown = {{"type", "function"}, {"function", std::move(told)}};
  return tool;
}

void read_list(const Members& members, const char* name, ToolRequest& request) {
  const Json* list = members.find(name);
  if (list == nullptr) return;
  if (!list->is_array() || list->size() > kMaxTools)
    refuse(name, "expected a list of at most " + std::to_string(kMaxTools) + " functions, found " + shown(*list));
  std::set<std::string> names;
  for (std::size_t i = 0; i < list->size(); ++i) {
    const std::string where = name + ("[" + std::to_string(i) + "]");
    const std::string pointer = "/" + std::string(name) + "/" + std::to_string(i);
    const Json& item = (*list)[i];
    if (!item.is_object()) refuse(where, "expected an object, found " + shown(item));
    if (request.is_legacy) {
      request.tools.push_back(read_function(item, where, pointer));
    } else {
      if (item.value("type", Json()) != "function")
        refuse(where + ".type",
               "only tools of type \"function\" are understood, found " + shown(item.value("type", Json())));
      const Json& function = Members(item, where + ".").object("function");
      request.tools.push_back(read_function(function, where + ".function", pointer + "/function"));
    }
    if (!names.insert(request.tools.back().name).second)
      refuse(where, "the name \"" + request.tools.back().name + "\" is there already");
  }
}

/// Leaves the tools of these names only.
void keep(ToolRequest& request, const std::vector<std::string>& names, const std::string& where) {
  for (const std::string& name : names) {
    if (std::ranges::find(request.tools, name, &Tool::name) == request.tools.end())
      refuse(where, "there is no function \"" + name + "\"");
  }
  std::erase_if(request.tools, [&](const Tool& t) { return std::ranges::find(names, t.name) == names.end(); });
}

/// {"type": "function", "function": {"name"}}, or {"name"} in older bodies.
std::string named(const Json& json, const std::string& where, bool is_legacy) {
  const Members members(json, where + ".");
  return is_legacy ? read_name(members, where)
                   : read_name(Members(members.object("function"), where + ".function."), where + ".function");
}

void read_choice(const Json& choice, const std::string& where, ToolRequest& request) {
  using enum ToolRequest::Choice;
  const auto of_word = [&](const Json& word, const std::string& place) {
    if (word == "none") return kNone;
    if (word == "auto") return kAuto;
    if (word == "required" && !request.is_legacy) return kRequired;
    refuse(place, "expected none, auto, required or a function, found " + shown(word));
  };
  if (!choice.is_object()) {
    request.choice = of_word(choice, where);
    if (request.choice == kRequired && request.tools.empty()) refuse(where, "needs \"tools\"");
  } else if (choice.value("type", Json()) == "allowed_tools") {
    const Json& allowed = Members(choice, where + ".").object("allowed_tools");
    const Json list = allowed.value("tools", Json());
    if (!list.is_array() || list.empty())
      refuse(where + ".allowed_tools.tools", "expected a list of functions, found " + shown(list));
    std::vector<std::string> names;
    for (std::size_t i = 0; i < list.size(); ++i) {
      const std::string place = where + ".allowed_tools.tools[" + std::to_string(i) + "]";
      if (!list[i].is_object()) refuse(place, "expected an object, found " + shown(list[i]));
      names.push_back(named(list[i], place, false));
    }
    request.choice = of_word(allowed.value("mode", Json("auto")), where + ".allowed_tools.mode");
    keep(request, names, where);
  } else {
    keep(request, {named(choice, where, request.is_legacy)}, where);
    request.choice = kRequired;
    request.is_parallel = false;
  }
}

/// {"name", "arguments"}: a text of JSON becomes JSON. A text that is none stays, as the model may have written it.
void read_arguments(Json& function, const std::string& where) {
  const Members members(function, where + ".");
  if (members.text("name").empty()) refuse(where + ".name", "expected a text");
  const std::string arguments = members.text("arguments");
  try {
    function["arguments"] = arguments.empty() ? Json::object() : parse_json(arguments, where);
  } catch (const Error&) {
    return;
  }
}

}  // namespace

ToolRequest read_tools(const Members& members) {
  ToolRequest request;
  request.is_legacy = members.find("functions") != nullptr && members.find("tools") == nullptr;
  read_list(members, request.is_legacy ? "functions" : "tools", request);
  if (!request.tools.empty()) {
    request.choice = ToolRequest::Choice::kAuto;
    request.shown = Json::array();
    for (const Tool& tool : request.tools) request.shown.push_back(tool.shown);
  }
  request.is_parallel = members.truth("parallel_tool_calls", true) && !request.is_legacy;
  const char* name = request.is_legacy ? "function_call" : "tool_choice";
  if (const Json* choice = members.find(name)) read_choice(*choice, name, request);
  if (request.tools.empty()) request.choice = ToolRequest::Choice::kNone;
  return request;
}

Json with_calls_read(Json message, const std::string& where) {
  for (auto it = message.begin(); it != message.end();) {
    const bool is_nothing = it->is_null() || (it.key() == "tool_calls" && it->is_array() && it->empty());
    it = is_nothing ? message.erase(it) : std::next(it);
  }
  if (message.contains("function_call") && !message.contains("tool_calls")) {
    message["tool_calls"] = Json::array({{{"type", "function"}, {"function", message["function_call"]}}});
    message.erase("function_call");
  }
  if (message.value("role", Json()) == "function") message["role"] = "tool";
  if (!message.contains("tool_calls")) return message;
  Json& calls = message["tool_calls"];
  if (!calls.is_array()) refuse(where + ".tool_calls", "expected a list, found " + shown(calls));
  for (std::size_t i = 0; i < calls.size(); ++i) {
    const std::string place = where + ".tool_calls[" + std::to_string(i) + "]";
    if (!calls[i].is_object() || !calls[i].contains("function") || !calls[i]["function"].is_object())
      refuse(place, "expected an object with \"function\", found " + shown(calls[i]));
    read_arguments(calls[i]["function"], place + ".function");
  }
  return message;
}

}  // namespace onggi::server
