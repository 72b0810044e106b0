#pragma once

#include <string>
#include <string_view>

#include "onggi/core/json.h"
#include "onggi/server/tools.h"

namespace onggi::server {

/// How a model writes the calls of an answer. The guide knows nothing but these forms, so what stands around names and
/// arguments is the same, byte by byte, in every answer.
struct CallForm {
  std::string opening;    ///< Up to the name.
  std::string middle;     ///< From the name to the arguments.
  std::string closing;    ///< After the arguments.
  std::string separator;  ///< Between two calls; empty: an answer has one at most.
  std::string mark;  ///< The beginning of `opening` that no text holds (or, with no text before calls, begins with).
  bool has_text_before = false;  ///< A text may stand before the first call.
  bool is_of_template = false;   ///< The chat template puts tools and calls into the prompt.
};

/// The form of a checkpoint's template: Llama 3's bare {"name", "parameters"} where the template takes tools and does
/// not write <tool_call>, else Hermes' and Qwen's {"name", "arguments"} in <tool_call> tags.
CallForm call_form_of(std::string_view template_source);

/// Messages (as with_calls_read gives them) for a template that does not take tools: the list of functions stands in
/// the first system message, or before the first user message's text; calls are texts, results are user messages.
Json messages_with_tools(const Json& messages, const Json& shown_tools, const CallForm& form);

/// The language of answers, as decode::compile_guide takes it. `text_guide` is what an answer without calls must
/// belong to; null: any text. Throws ApiError 400 for a schema that can't be enforced: its `param` is the place as a
/// JSON pointer into the body.
Json answers_guide(const ToolRequest& tools, const CallForm& form, const Json& text_guide);

}  // namespace onggi::server
