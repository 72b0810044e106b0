#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "onggi/core/json.h"
#include "onggi/decode/sampler.h"
#include "onggi/server/call_form.h"
#include "onggi/server/tools.h"

namespace onggi::server {

/// A body of /v1/chat/completions or /v1/completions, read and checked; what it means for the model comes later.
struct CompletionRequest {
  bool is_chat = false;
  std::string model;  ///< Empty: the base.

  Json messages;                             ///< Chat: as with_calls_read gives them, contents as text.
  Json template_variables = Json::object();  ///< Chat: chat_template_kwargs.
  bool add_generation_prompt = true;
  bool continues_last_message = false;
  std::vector<std::string> prompts;          ///< Completions: texts ...
  std::vector<std::vector<int>> prompt_ids;  ///< ... or ids, one of the two.
  bool echoes = false;
  bool only_echoes = false;  ///< max_tokens of 0: nothing follows the prompt.

  decode::SamplingOptions sampling{.temperature = 1.0F};
  std::optional<std::uint64_t> seed;
  int max_new_tokens = 0;  ///< 0: what the context leaves.
  int num_choices = 1;
  std::vector<std::string> stop_texts;
  bool wants_log_probabilities = false;
  int num_alternatives = 0;
  bool wants_field_probabilities = false;
  std::vector<std::pair<int, float>> logit_bias;
  float presence_penalty = 0.0F, frequency_penalty = 0.0F, repetition_penalty = 1.0F;

  ToolRequest tools;        ///< Chat.
  CallForm call_form;       ///< Chat: of the model's template, set by whoever knows it.
  Json guide;               ///< As decode::compile_guide takes it; null: free.
  std::string guide_param;  ///< The member that asked for it, for errors.
  bool is_streamed = false;
  bool includes_usage = false;
  bool is_urgent = true;  ///< Priority 0 and less; service_tier "flex" is not.
  /// Of a batch's line: the time that the answer bears. Then it says nothing of the cache either.
  std::optional<std::int64_t> created;
};

/// A body that must be a JSON object. Throws ApiError 400.
Json read_json_body(std::string_view body);
/// Throws ApiError 400 naming the member (`param`), what it should be and what it is. Members that are not known, or
/// mean nothing here (user, metadata ...), are passed over.
CompletionRequest read_completion_request(std::string_view body, bool is_chat);

}  // namespace onggi::server
