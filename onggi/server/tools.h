#pragma once

#include <string>
#include <vector>

#include "onggi/core/json.h"
#include "onggi/server/members.h"

namespace onggi::server {

/// A function that the model may call.
struct Tool {
  std::string name;        ///< 1 to 64 of A-Z a-z 0-9 _ -.
  Json shown;              ///< As chat templates take it: {"type": "function", "function": {...}}.
  Json schema;             ///< What its arguments must be; {} is an object without members.
  bool is_strict = false;  ///< Held to the schema as it is, or refused.
  std::string pointer;     ///< Of the schema in the body: "/tools/0/function/parameters".
};

/// What a chat request says about functions: tools, tool_choice and parallel_tool_calls, or the older functions and
/// function_call.
struct ToolRequest {
  enum class Choice {
    kNone,      ///< No call.
    kAuto,      ///< A text, or calls after it.
    kRequired,  ///< A call, or more.
  };

  std::vector<Tool> tools;  ///< With a function named or a list of allowed ones: those only.
  Json shown = nullptr;     ///< All that the prompt tells of: a list, or null.
  Choice choice = Choice::kNone;
  bool is_parallel = true;  ///< More than one call in an answer.
  bool is_legacy = false;   ///< Asked by "functions", so answered by "function_call".

  bool may_call() const { return choice != Choice::kNone; }
};

/// Throws ApiError 400 naming the member.
ToolRequest read_tools(const Members& members);

/// A message of the body as templates take it: arguments of its calls are JSON instead of its text, empty lists and
/// nulls are gone, role "function" is "tool", and "function_call" is a call. Throws ApiError 400; `where` names the
/// message.
Json with_calls_read(Json message, const std::string& where);

}  // namespace onggi::server
