#include "onggi/server/completion_request.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "onggi/server/api_error.h"
#include "onggi/server/members.h"
#include "onggi/server/text_inputs.h"

namespace onggi::server {
namespace {

constexpr int kMaxChoices = 128;
constexpr int kMaxStops = 16;
constexpr int kMaxAlternatives = 20;
constexpr int kMaxPrompts = 2048;

/// A message's content: a text, or parts of which all are texts.
std::string content_text(const Json& content, const std::string& where) {
  if (content.is_null()) return {};
  if (content.is_string()) return content.get<std::string>();
  if (!content.is_array()) refuse(where, "expected a text or a list of parts, found " + shown(content));
  std::string text;
  for (std::size_t i = 0; i < content.size(); ++i) {
    const Json& part = content[i];
    const std::string place = where + "[" + std::to_string(i) + "]";
    if (!part.is_object() || part.value("type", Json()) != "text")
      refuse(place, "only parts of type \"text\" are understood, found " + shown(part));
    if (!part.contains("text") || !part["text"].is_string())
      refuse(place + ".text", "expected a text, found " + shown(part.value("text", Json())));
    text += part["text"].get<std::string>();
  }
  return text;
}

Json read_messages(const Members& members) {
  const Json* list = members.find("messages");
  if (list == nullptr || !list->is_array() || list->empty())
    refuse("messages", "expected a list with at least one message");
  Json messages = Json::array();
  for (std::size_t i = 0; i < list->size(); ++i) {
    const Json& message = (*list)[i];
    const std::string where = "messages[" + std::to_string(i) + "]";
    if (!message.is_object()) refuse(where, "expected an object, found " + shown(message));
    if (!message.contains("role") || !message["role"].is_string())
      refuse(where + ".role", "expected a text, found " + shown(message.value("role", Json())));
    std::string role = message["role"].get<std::string>();
    if (role == "developer") role = "system";
    static constexpr std::array<std::string_view, 5> kRoles = {"system", "user", "assistant", "tool", "function"};
    if (std::ranges::find(kRoles, role) == kRoles.end())
      refuse(where + ".role", "expected system, developer, user, assistant or tool, found " + shown(message["role"]));
    Json copy = message;
    copy["role"] = role;
    copy["content"] = content_text(message.value("content", Json()), where + ".content");
    messages.push_back(with_calls_read(std::move(copy), where));
  }
  return messages;
}

void read_prompts(const Members& members, CompletionRequest& request) {
  TextInputs inputs = read_text_inputs(members, "prompt", kMaxPrompts);
  request.prompts = std::move(inputs.texts);
  request.prompt_ids = std::move(inputs.ids);
}

void read_stops(const Members& members, CompletionRequest& request) {
  const Json* stop = members.find("stop");
  if (stop == nullptr) return;
  const Json list = stop->is_string() ? Json::array({*stop}) : *stop;
  if (!list.is_array() || list.size() > kMaxStops)
    refuse("stop", "expected a text or up to " + std::to_string(kMaxStops) + " texts, found " + shown(*stop));
  for (const Json& text : list) {
    if (!text.is_string() || text.get<std::string>().empty())
      refuse("stop", "expected texts that are not empty, found " + shown(text));
    request.stop_texts.push_back(text.get<std::string>());
  }
}

/// {"id": bias}; names of a JSON object are texts.
void read_logit_bias(const Members& members, CompletionRequest& request) {
  const Json* biases = members.find("logit_bias");
  if (biases == nullptr) return;
  if (!biases->is_object()) refuse("logit_bias", "expected an object of token ids, found " + shown(*biases));
  for (const auto& [name, bias] : biases->items()) {
    int id = 0;
    const auto end = std::from_chars(name.data(), name.data() + name.size(), id);
    if (end.ec != std::errc() || end.ptr != name.data() + name.size() || id < 0)
      refuse("logit_bias", "expected a token id, found \"" + name + "\"");
    if (!bias.is_number() || std::abs(bias.get<double>()) > 100)
      refuse("logit_bias", "expected a number from -100 to 100, found " + shown(bias));
    request.logit_bias.emplace_back(id, bias.get<float>());
  }
}

void set_guide(CompletionRequest& request, const std::string& param, Json guide) {
  if (!request.guide.is_null())
    refuse(param, "the answer is already held to " + request.guide_param + "; ask for one of them");
  request.guide = std::move(guide);
  request.guide_param = param;
}

Json as_schema(const Json& value, const std::string& param) {
  if (value.is_string()) {
    try {
      return {{"schema", parse_json(value.get<std::string>(), param)}};
    } catch (const Error& e) {
      refuse(param, e.what());
    }
  }
  if (!value.is_object() && !value.is_boolean()) refuse(param, "expected a JSON Schema, found " + shown(value));
  return {{"schema", value}};
}

Json as_pattern(const Json& value, const std::string& param) {
  if (!value.is_string()) refuse(param, "expected a regular expression, found " + shown(value));
  return {{"regex", value}};
}

Json as_grammar(const Json& value, const std::string& param) {
  if (!value.is_string()) refuse(param, "expected a grammar, found " + shown(value));
  return {{"grammar", value}};
}

Json as_choices(const Json& value, const std::string& param) {
  if (!value.is_array()) refuse(param, "expected a list of texts, found " + shown(value));
  return {{"choices", value}};
}

/// Every way in which clients and other servers ask for structured output.
void read_guide(const Members& members, CompletionRequest& request) {
  if (const Json* format = members.find("response_format")) {
    if (!format->is_object() || !format->contains("type"))
      refuse("response_format", "expected an object with \"type\", found " + shown(*format));
    const Json& type = (*format)["type"];
    if (type == "json_schema") {
      const Json& body = format->value("json_schema", Json());
      if (!body.is_object() || !body.contains("schema"))
        refuse("response_format.json_schema", "expected an object with \"schema\", found " + shown(body));
      set_guide(request, "response_format.json_schema.schema",
                as_schema(body["schema"], "response_format.json_schema.schema"));
    } else if (type == "json_object") {
      set_guide(request, "response_format", {{"json_object", true}});
    } else if (type != "text") {
      refuse("response_format.type", "expected text, json_object or json_schema, found " + shown(type));
    }
  }
  const auto read_one = [&](const Json& value, const std::string& param, std::string_view kind) {
    if (kind == "json") return set_guide(request, param, as_schema(value, param));
    if (kind == "regex") return set_guide(request, param, as_pattern(value, param));
    if (kind == "choice") return set_guide(request, param, as_choices(value, param));
    if (kind == "grammar") return set_guide(request, param, as_grammar(value, param));
    refuse(param, "grammars of this kind are not there; use json, regex, choice or grammar");
  };
  if (const Json* outputs = members.find("structured_outputs")) {
    if (!outputs->is_object()) refuse("structured_outputs", "expected an object, found " + shown(*outputs));
    for (const auto& [kind, value] : outputs->items()) {
      if (value.is_null()) continue;
      read_one(value, "structured_outputs." + kind, kind == "choices" ? "choice" : kind);
    }
  }
  static constexpr std::array<std::pair<const char*, const char*>, 6> kOlder = {{{"guided_json", "json"},
                                                                                 {"guided_regex", "regex"},
                                                                                 {"guided_choice", "choice"},
                                                                                 {"guided_grammar", "grammar"},
                                                                                 {"json_schema", "json"},
                                                                                 {"grammar", "grammar"}}};
  for (const auto& [name, kind] : kOlder) {
    if (const Json* value = members.find(name)) read_one(*value, name, kind);
  }
}

void read_log_probabilities(const Members& members, CompletionRequest& request) {
  request.wants_field_probabilities = members.truth("field_probabilities", false);
  if (request.is_chat) {
    request.wants_log_probabilities = members.truth("logprobs", false);
    request.num_alternatives = static_cast<int>(members.whole("top_logprobs", 0, kMaxAlternatives, 0));
    if (request.num_alternatives > 0 && !request.wants_log_probabilities)
      refuse("top_logprobs", "needs \"logprobs\": true");
    return;
  }
  const auto count = members.whole("logprobs", 0, kMaxAlternatives, -1);
  request.wants_log_probabilities = count >= 0;
  request.num_alternatives = static_cast<int>(std::max<std::int64_t>(count, 0));
}

}  // namespace

Json read_json_body(std::string_view body) {
  constexpr int kMaxDepth = 64;
  Json json;
  try {
    json = parse_json(body, "body", kMaxDepth);
  } catch (const Error& e) {
    throw ApiError(400, e.what(), "invalid_json");
  }
  if (!json.is_object()) throw ApiError(400, "the body is no JSON object", "invalid_json");
  return json;
}

CompletionRequest read_completion_request(std::string_view body, bool is_chat) {
  const Json json = read_json_body(body);
  const Members members(json);
  CompletionRequest request{.is_chat = is_chat, .model = members.text("model")};
  if (is_chat) {
    request.messages = read_messages(members);
    request.add_generation_prompt = members.truth("add_generation_prompt", true);
    request.continues_last_message = members.truth("continue_final_message", false);
    if (request.continues_last_message) request.add_generation_prompt = false;
    if (const Json* variables = members.find("chat_template_kwargs")) {
      if (!variables->is_object()) refuse("chat_template_kwargs", "expected an object, found " + shown(*variables));
      request.template_variables = *variables;
    }
  } else {
    read_prompts(members, request);
    request.echoes = members.truth("echo", false);
  }
  request.sampling.temperature = static_cast<float>(members.number("temperature", 0, 2, 1));
  request.sampling.top_p = static_cast<float>(members.number("top_p", 0, 1, 1));
  if (request.sampling.top_p <= 0.0F) refuse("top_p", "expected more than 0");
  request.sampling.top_k = static_cast<int>(std::max<std::int64_t>(0, members.whole("top_k", -1, 1'000'000, 0)));
  request.sampling.min_p = static_cast<float>(members.number("min_p", 0, 1, 0));
  if (const Json* seed = members.find("seed")) {
    if (!seed->is_number_integer()) refuse("seed", "expected a whole number, found " + shown(*seed));
    request.seed =
        seed->is_number_unsigned() ? seed->get<std::uint64_t>() : static_cast<std::uint64_t>(seed->get<std::int64_t>());
  }
  const auto max_tokens = members.whole("max_tokens", is_chat ? 1 : 0, 1'000'000, is_chat ? 0 : 16);
  const auto max_completion_tokens = members.whole("max_completion_tokens", 1, 1'000'000, 0);
  request.max_new_tokens =
      static_cast<int>(max_tokens > 0 && max_completion_tokens > 0 ? std::min(max_tokens, max_completion_tokens)
                                                                   : std::max(max_tokens, max_completion_tokens));
  request.only_echoes = !is_chat && max_tokens == 0;
  if (request.only_echoes && !request.echoes) refuse("max_tokens", "0 leaves nothing to answer without \"echo\": true");
  request.num_choices = static_cast<int>(members.whole("n", 1, kMaxChoices, 1));
  read_stops(members, request);
  read_log_probabilities(members, request);
  read_guide(members, request);
  request.is_streamed = members.truth("stream", false);
  if (const Json* options = members.find("stream_options")) {
    if (!options->is_object()) refuse("stream_options", "expected an object, found " + shown(*options));
    request.includes_usage = request.is_streamed && options->value("include_usage", Json(false)) == true;
  }
  request.is_urgent =
      members.whole("priority", -1'000'000, 1'000'000, 0) <= 0 && members.text("service_tier") != "flex";
  request.presence_penalty = static_cast<float>(members.number("presence_penalty", -2, 2, 0));
  request.frequency_penalty = static_cast<float>(members.number("frequency_penalty", -2, 2, 0));
  request.repetition_penalty = static_cast<float>(members.number("repetition_penalty", 0.01, 100, 1));
  read_logit_bias(members, request);
  if (is_chat) request.tools = read_tools(members);
  return request;
}

}  // namespace onggi::server
