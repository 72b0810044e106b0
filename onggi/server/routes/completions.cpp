#include "onggi/server/routes/completions.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>

#include "onggi/core/error.h"
#include "onggi/core/system_random.h"
#include "onggi/server/arrival.h"
#include "onggi/server/completion_reply.h"
#include "onggi/server/completion_request.h"
#include "onggi/server/deadline.h"
#include "onggi/server/routes/route.h"
#include "onggi/server/text_inputs.h"
#include "onggi/server/token_ids.h"

namespace onggi::server {
namespace {

std::vector<int> chat_ids(const Backend& backend, const CompletionRequest& request) {
  if (!backend.chat_template)
    throw ApiError(400, "the model has no chat template; use /v1/completions", "no_chat_template", "messages");
  auto how = text::chat_options_of(*backend.tokenizer);
  how.add_generation_prompt = request.add_generation_prompt;
  how.extra = request.template_variables;
  std::vector<text::TextSpan> spans;
  try {
    const Json tools = request.tools.may_call() ? request.tools.shown : Json();
    if (request.call_form.is_of_template) {
      how.tools = tools;
      spans = backend.chat_template->render_spans(request.messages, how);
    } else {
      spans = backend.chat_template->render_spans(messages_with_tools(request.messages, tools, request.call_form), how);
    }
  } catch (const Error& e) {
    throw ApiError(400, e.what(), "invalid_value", "messages");
  }
  if (request.continues_last_message && !spans.empty()) {
    // What the template closes the last message with comes after its content: it goes.
    while (!spans.empty() && !spans.back().is_content) spans.pop_back();
  }
  std::vector<int> ids;
  backend.tokenizer->encode_spans(spans, ids);
  return ids;
}

std::shared_ptr<runtime::AnswerSettings> settings_of(Backend& backend, const CompletionRequest& request,
                                                     const ServedModel& model) {
  auto settings = std::make_shared<runtime::AnswerSettings>();
  settings->adapter = model.adapter;
  settings->cache_key = model.content_hash;
  settings->sampling = request.sampling;
  settings->seed = request.seed ? *request.seed : system_random();
  settings->stop_texts = request.stop_texts;
  settings->num_alternatives = request.num_alternatives;
  settings->logit_bias = request.logit_bias;
  settings->presence_penalty = request.presence_penalty;
  settings->frequency_penalty = request.frequency_penalty;
  settings->repetition_penalty = request.repetition_penalty;
  if (request.guide.is_null()) return settings;
  try {
    settings->guide = backend.guides.get(request.guide);
  } catch (const Error& e) {
    throw ApiError(400, e.what(), "unsupported_guide", request.guide_param);
  }
  return settings;
}

/// Each in the vocabulary, not empty and with room for a token after it.
std::vector<std::vector<int>> prompts_of(const Backend& backend, const CompletionRequest& request) {
  std::vector<std::vector<int>> prompts = request.prompt_ids;
  if (request.is_chat) prompts.push_back(chat_ids(backend, request));
  for (const std::string& text : request.prompts) prompts.push_back(text_ids(*backend.tokenizer, text, true));
  const std::string name = request.is_chat ? "messages" : "prompt";
  const auto max_tokens = static_cast<std::size_t>(backend.decoder.config().max_positions) - 1;
  for (const auto& ids : prompts) check_prompt(backend, ids, name, max_tokens, name);
  return prompts;
}

/// A body read; with tools, what an answer may be.
CompletionRequest read_request(const Backend& backend, std::string_view body, bool is_chat) {
  CompletionRequest request = read_completion_request(body, is_chat);
  if (is_chat && backend.chat_template) request.call_form = call_form_of(backend.chat_template->source());
  if (request.tools.may_call()) {
    request.guide = answers_guide(request.tools, request.call_form, request.guide);
    request.guide_param = request.tools.is_legacy ? "functions" : "tools";
  }
  return request;
}

CompletionRequest read_line_request(const Backend& backend, std::string_view body, bool is_chat,
                                    const LineTerms& terms) {
  CompletionRequest request = read_request(backend, body, is_chat);
  if (request.is_streamed) throw ApiError(400, "stream: a batch's line is answered whole", "invalid_value", "stream");
  request.is_urgent = false;
  request.created = terms.created;
  if (!request.seed) request.seed = terms.seed;
  return request;
}

/// On the worker: from a request to jobs on the engine. Throws what is wrong with the request.
void start(Backend& backend, const Arrival& arrival, const CompletionRequest& request, const ServedModel& model) {
  const auto deadline = deadline_of(arrival.exchange()->request());
  const auto settings = settings_of(backend, request, model);
  auto prompts = prompts_of(backend, request);
  const auto longest = static_cast<int>(std::ranges::max_element(prompts, {}, &std::vector<int>::size)->size());
  const int asked = request.max_new_tokens > 0 ? request.max_new_tokens : backend.options.default_max_tokens;
  settings->max_new_tokens =
      request.only_echoes ? 0 : std::min(asked, backend.decoder.config().max_positions - longest);
  settings->prompt.scores = request.echoes && request.wants_log_probabilities;
  std::int64_t tokens = 0;
  for (const auto& ids : prompts)
    tokens += static_cast<std::int64_t>(ids.size()) + std::int64_t{settings->max_new_tokens} * request.num_choices;
  const auto reply = std::make_shared<CompletionReply>(arrival.exchange(), request, model.name, backend.tokenizer,
                                                       deadline, arrival.engage(model, tokens));
  std::vector<runtime::Job> jobs;
  for (std::size_t p = 0; p < prompts.size(); ++p) {
    runtime::Job job{.request = {.index = static_cast<std::int64_t>(p), .prompt = std::move(prompts[p])},
                     .settings = settings,
                     .is_urgent = request.is_urgent};
    reply->attach(job, static_cast<int>(p), p < request.prompts.size() ? request.prompts[p] : std::string());
    arrival.attach_meter(job, model);
    jobs.push_back(std::move(job));
  }
  backend.engine.submit(std::move(jobs));
}

}  // namespace

void complete(Backend& backend, const std::shared_ptr<http::Exchange>& exchange, bool is_chat,
              const std::shared_ptr<CallRecord>& record) {
  const Arrival arrival(backend, exchange, record);
  arrival.on_worker([&backend, arrival, is_chat] {
    const auto request =
        std::make_shared<const CompletionRequest>(read_request(backend, arrival.exchange()->request().body, is_chat));
    arrival.with_model(request->model, [&backend, arrival, request](const ServedModel& model) {
      start(backend, arrival, *request, model);
    });
  });
}

void complete_line(Backend& backend, const std::shared_ptr<http::Exchange>& exchange, bool is_chat,
                   const LineTerms& terms) {
  const auto arrival = Arrival::of_line(backend, exchange, terms.record);
  arrival.take([&] {
    const auto request = read_line_request(backend, exchange->request().body, is_chat, terms);
    start(backend, arrival, request, arrival.model(request.model));
  });
}

std::span<const Route> completion_routes() {
  static constexpr std::array<Route, 2> kRoutes = {{
      {.method = "POST",
       .path = "/v1/chat/completions",
       .run = [](Backend& b, const Call& c) { complete(b, c.exchange, true, c.record); },
       .is_work = true,
       .needs_key = true},
      {.method = "POST",
       .path = "/v1/completions",
       .run = [](Backend& b, const Call& c) { complete(b, c.exchange, false, c.record); },
       .is_work = true,
       .needs_key = true},
  }};
  return kRoutes;
}

}  // namespace onggi::server
