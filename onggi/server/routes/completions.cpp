#include "onggi/server/routes/completions.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>

#include <sys/random.h>

#include "onggi/core/error.h"
#include "onggi/server/completion_reply.h"
#include "onggi/server/completion_request.h"
#include "onggi/server/request_meter.h"
#include "onggi/server/routes/route.h"
#include "onggi/server/token_ids.h"

namespace onggi::server {
namespace {

std::uint64_t random_seed() {
  std::uint64_t seed = 0;
  require(getrandom(&seed, sizeof seed, 0) == sizeof seed, "no random bytes from the system", ErrorCode::kInternal);
  return seed;
}

/// From x-request-timeout-ms: a whole number from 1 to a day.
std::chrono::steady_clock::time_point deadline_of(const http::Request& request) {
  const std::string_view text = request.field("x-request-timeout-ms");
  if (text.empty()) return std::chrono::steady_clock::time_point::max();
  constexpr int kMaxMs = 86'400'000;
  int ms = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), ms);
  if (end.ec != std::errc() || end.ptr != text.data() + text.size() || ms < 1 || ms > kMaxMs) {
    throw ApiError(400,
                   "x-request-timeout-ms: expected a whole number from 1 to " + std::to_string(kMaxMs) + ", found \"" +
                       std::string(text) + "\"",
                   "invalid_value", "x-request-timeout-ms");
  }
  return std::chrono::steady_clock::now() + std::chrono::milliseconds(ms);
}

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
  settings->seed = request.seed ? *request.seed : random_seed();
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
  const auto& config = backend.decoder.config();
  for (const auto& ids : prompts) {
    if (ids.empty()) throw ApiError(400, "prompt: is empty", "invalid_value", "prompt");
    const int highest = *std::ranges::max_element(ids);
    if (highest >= config.vocab_size)
      throw ApiError(400, "prompt: token id " + std::to_string(highest) + " is not in the vocabulary", "invalid_value",
                     "prompt");
    if (static_cast<std::int64_t>(ids.size()) >= config.max_positions) {
      throw ApiError(400,
                     "the prompt of " + std::to_string(ids.size()) + " tokens is longer than the model's context of " +
                         std::to_string(config.max_positions),
                     "context_length_exceeded", request.is_chat ? "messages" : "prompt");
    }
  }
  return prompts;
}

/// Counts tokens as open while it lives.
class OpenTokens {
 public:
  OpenTokens(Backend& backend, std::int64_t tokens) : backend_(backend), tokens_(tokens) {
    backend_.open_tokens += tokens_;
  }
  ~OpenTokens() { backend_.open_tokens -= tokens_; }
  OpenTokens(const OpenTokens&) = delete;
  OpenTokens& operator=(const OpenTokens&) = delete;

 private:
  Backend& backend_;
  const std::int64_t tokens_;
};

/// A request on its way to the engine.
struct Arrival {
  std::shared_ptr<http::Exchange> exchange;
  std::shared_ptr<CallRecord> record;  ///< May be null.
  RequestMeter meter;
  /// Counted from here on, so that what waits for its tokens to be counted fills the queue as well.
  std::shared_ptr<OpenTokens> estimate;
};

/// Takes what the request may use at most from the key's budget.
void charge(const Arrival& arrival, const ServedModel& model, std::int64_t tokens) {
  if (!arrival.record) return;
  arrival.record->update([&](CallFacts& facts) {
    facts.model = model.base_name;
    if (model.adapter) facts.adapter = model.name;
  });
  if (arrival.record->caller) arrival.record->caller->budget->charge(tokens);
}

/// Gives back what it did not use.
void settle(ServerMetrics& metrics, CallRecord& record, const std::string& reason, std::int64_t charged) {
  std::int64_t prompt = 0, generated = 0;
  record.update([&](CallFacts& facts) {
    facts.finish_reason = reason;
    prompt = facts.prompt_tokens;
    generated = facts.generated_tokens;
  });
  if (!record.caller) return;
  record.caller->budget->charge(prompt + generated - charged);
  metrics.count_key(record.caller->name, prompt, generated);
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

/// On the worker: from a request to jobs on the engine. Throws what is wrong with the request.
void start(Backend& backend, const Arrival& arrival, const CompletionRequest& request) {
  const auto deadline = deadline_of(arrival.exchange->request());
  const ServedModel model = backend.models.find(request.model);
  if (arrival.record && arrival.record->caller && !arrival.record->caller->may_use(model.name))
    throw ApiError(403, "this key may not use the model \"" + model.name + "\"", "model_not_allowed", "model");
  const auto settings = settings_of(backend, request, model);
  auto prompts = prompts_of(backend, request);
  const auto longest = static_cast<int>(std::ranges::max_element(prompts, {}, &std::vector<int>::size)->size());
  const int asked = request.max_new_tokens > 0 ? request.max_new_tokens : backend.options.default_max_tokens;
  settings->max_new_tokens = std::min(asked, backend.decoder.config().max_positions - longest);
  std::int64_t tokens = 0;
  for (const auto& ids : prompts)
    tokens += static_cast<std::int64_t>(ids.size()) + std::int64_t{settings->max_new_tokens} * request.num_choices;
  const auto open = std::make_shared<OpenTokens>(backend, tokens);
  const auto ended = [&backend, open, record = arrival.record, tokens](const std::string& reason) {
    backend.metrics.ends(reason).add();
    if (record) settle(backend.metrics, *record, reason, tokens);
  };
  const auto reply =
      std::make_shared<CompletionReply>(arrival.exchange, request, model.name, backend.tokenizer, deadline, ended);
  std::vector<runtime::Job> jobs;
  for (std::size_t p = 0; p < prompts.size(); ++p) {
    runtime::Job job{.request = {.index = static_cast<std::int64_t>(p), .prompt = std::move(prompts[p])},
                     .settings = settings,
                     .is_urgent = request.is_urgent};
    reply->attach(job, static_cast<int>(p), p < request.prompts.size() ? request.prompts[p] : std::string());
    arrival.meter.attach(job, model.adapter ? model.name : std::string());
    jobs.push_back(std::move(job));
  }
  charge(arrival, model, tokens);
  backend.engine.submit(std::move(jobs));
}

/// One step of the way there; what it throws is the answer.
void take_step(const Arrival& arrival, const std::function<void()>& step) {
  if (arrival.exchange->is_gone()) return;
  try {
    step();
  } catch (const std::exception&) {
    arrival.exchange->respond(answer_of([]() -> http::Response { throw; }));
  }
}

}  // namespace

void complete(Backend& backend, const std::shared_ptr<http::Exchange>& exchange, bool is_chat,
              const std::shared_ptr<CallRecord>& record) {
  exchange->on_gone([&backend] { backend.engine.notify(); });
  exchange->on_relieved([&backend] { backend.engine.notify(); });
  constexpr std::int64_t kBytesPerToken = 3;
  const auto estimate = static_cast<std::int64_t>(exchange->request().body.size()) / kBytesPerToken;
  Arrival arrival{exchange, record, RequestMeter(backend.metrics, record, RequestMeter::Clock::now()),
                  std::make_shared<OpenTokens>(backend, estimate)};
  backend.worker.post([&backend, arrival = std::move(arrival), is_chat] {
    take_step(arrival, [&] {
      const auto request =
          std::make_shared<const CompletionRequest>(read_request(backend, arrival.exchange->request().body, is_chat));
      if (backend.models.is_ready(request->model)) return start(backend, arrival, *request);
      backend.loader.post([&backend, arrival, request] {
        take_step(arrival, [&] {
          backend.models.find(request->model);
          backend.worker.post(
              [&backend, arrival, request] { take_step(arrival, [&] { start(backend, arrival, *request); }); });
        });
      });
    });
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
