#include "onggi/server/service.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>

#include <sys/random.h>

#include "onggi/core/error.h"
#include "onggi/core/hash.h"
#include "onggi/server/api_error.h"
#include "onggi/text/utf8.h"

namespace onggi::server {
namespace {

constexpr std::size_t kMaxGuides = 256;

std::uint64_t random_seed() {
  std::uint64_t seed = 0;
  require(getrandom(&seed, sizeof seed, 0) == sizeof seed, "no random bytes from the system", ErrorCode::kInternal);
  return seed;
}

bool needs_key(std::string_view path) { return path.starts_with("/v1/") || path.ends_with("tokenize"); }

/// From x-request-timeout-ms: a whole number from 1 to a day.
std::chrono::steady_clock::time_point deadline_of(const http::Request& request) {
  const std::string_view text = request.field("x-request-timeout-ms");
  if (text.empty()) return std::chrono::steady_clock::time_point::max();
  constexpr int kMaxMs = 86'400'000;
  int ms = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), ms);
  if (end.ec != std::errc() || end.ptr != text.data() + text.size() || ms < 1 || ms > kMaxMs) {
    throw ApiError(400, "x-request-timeout-ms: expected a whole number from 1 to " + std::to_string(kMaxMs) + ", found \"" + std::string(text) + "\"", "invalid_value", "x-request-timeout-ms");
  }
  return std::chrono::steady_clock::now() + std::chrono::milliseconds(ms);
}

std::string text_member(const Json& json, const char* name) {
  if (!json.contains(name) || !json[name].is_string()) throw ApiError(400, std::string(name) + ": expected a text", "invalid_value", name);
  return json[name].get<std::string>();
}

http::Response json_response(const Json& json) { return {.body = json.dump(-1, ' ', false, Json::error_handler_t::replace)}; }

/// Runs what makes an answer; errors become theirs.
template <class Make>
http::Response answer_of(Make make) {
  try {
    return make();
  } catch (const ApiError& e) {
    return error_response(e);
  } catch (const Error& e) {
    return error_response(ApiError::of(e));
  } catch (const std::exception& e) {
    return error_response(ApiError(500, e.what()));
  }
}

}  // namespace

struct Service::Route {
  std::string_view method, path;
  bool is_work;  ///< Refused while draining or overloaded.
  void (*run)(Service&, const std::shared_ptr<http::Exchange>&);
};

std::span<const Service::Route> Service::routes() {
  using Exchange = std::shared_ptr<http::Exchange>;
  static constexpr std::array<Route, 11> kRoutes = {{
      {"POST", "/v1/chat/completions", true, [](Service& s, const Exchange& e) { s.complete(e, true); }},
      {"POST", "/v1/completions", true, [](Service& s, const Exchange& e) { s.complete(e, false); }},
      {"GET", "/v1/models", false, [](Service& s, const Exchange& e) { e->respond(json_response(s.models_.list())); }},
      {"POST", "/v1/load_lora_adapter", false, [](Service& s, const Exchange& e) { s.worker_.post([&s, e] { e->respond(answer_of([&] { return s.load_adapter(e->request()); })); }); }},
      {"POST", "/v1/unload_lora_adapter", false, [](Service& s, const Exchange& e) { s.worker_.post([&s, e] { e->respond(answer_of([&] { return s.unload_adapter(e->request()); })); }); }},
      {"POST", "/tokenize", false, [](Service& s, const Exchange& e) { s.worker_.post([&s, e] { e->respond(answer_of([&] { return s.tokenize(e->request()); })); }); }},
      {"POST", "/detokenize", false, [](Service& s, const Exchange& e) { s.worker_.post([&s, e] { e->respond(answer_of([&] { return s.detokenize(e->request()); })); }); }},
      {"GET", "/health", false, [](Service&, const Exchange& e) { e->respond(json_response({{"status", "ok"}})); }},
      {"GET", "/ready", false, [](Service& s, const Exchange& e) {
         e->respond(s.is_draining_ ? error_response(ApiError(503, "the server is stopping", "draining")) : json_response({{"status", "ready"}}));
       }},
      {"GET", "/version", false, [](Service& s, const Exchange& e) { e->respond(json_response({{"version", s.options_.version}})); }},
      {"GET", "/metrics", false, [](Service& s, const Exchange& e) { e->respond(s.metrics()); }},
  }};
  return kRoutes;
}

Service::Service(EngineHost& engine, ModelRegistry& models, const models::Decoder& decoder, std::shared_ptr<const text::Tokenizer> tokenizer, ServiceOptions options,
                 std::function<void(const std::string&)> log)
    : engine_(engine), models_(models), decoder_(decoder), tokenizer_(std::move(tokenizer)), options_(std::move(options)), log_(std::move(log)), guides_(tokenizer_, kMaxGuides) {
  if (std::string source = text::chat_template_of(*tokenizer_); !source.empty()) template_ = std::make_unique<text::ChatTemplate>(std::move(source));
}

const Service::Route* Service::find_route(const http::Head& head, bool& is_path_known) const {
  const std::string_view method = head.method == "HEAD" ? "GET" : std::string_view(head.method);
  for (const Route& route : routes()) {
    if (route.path != head.path) continue;
    is_path_known = true;
    if (route.method == method) return &route;
  }
  return nullptr;
}

int Service::retry_after_ms() const {
  // A quarter of the time that the open tokens take at the rate so far: some requests end much sooner than the last.
  constexpr double kLeastRate = 50.0;
  const auto s = engine_.snapshot();
  const double rate = static_cast<double>(s.counts.prompt_tokens + s.counts.generated_tokens) / std::max(0.001, s.busy_seconds);
  return static_cast<int>(std::clamp(250.0 * static_cast<double>(open_tokens_) / std::max(rate, kLeastRate), 100.0, 30'000.0));
}

bool Service::has_key(const http::Head& head) const {
  if (options_.key_hashes.empty()) return true;
  constexpr std::string_view kBearer = "bearer ";
  const std::string_view field = head.field("authorization");
  if (field.size() <= kBearer.size() || !http::equals_ignoring_case(field.substr(0, kBearer.size()), kBearer)) return false;
  const std::string hash = sha256_hex(field.substr(kBearer.size()));
  return std::ranges::find(options_.key_hashes, hash) != options_.key_hashes.end();  // of hashes: the time it takes tells nothing of a key
}

http::Admission Service::admit(const http::Head& head) {
  bool is_path_known = false;
  const Route* route = find_route(head, is_path_known);
  const auto refuse = [&](const ApiError& error, int retry_ms = 0) { return http::Admission{.refusal = error_response(error, retry_ms)}; };
  const bool is_loading = head.path.ends_with("load_lora_adapter");
  if (route == nullptr || (is_loading && !options_.may_load_adapters)) {
    if (is_path_known && !is_loading) return refuse(ApiError(405, head.method + " is not for " + head.path, "method_not_allowed"));
    return refuse(ApiError(404, "there is nothing at " + head.path, "not_found"));
  }
  if (needs_key(head.path) && !has_key(head)) {
    return refuse(ApiError(401, "expected a key of this server: authorization: Bearer KEY", "invalid_api_key"));
  }
  if (route->method == "POST" && !head.field("content-type").empty() && !http::lower_case(head.field("content-type")).starts_with("application/json")) {
    return refuse(ApiError(415, "expected a body of application/json, found " + std::string(head.field("content-type")), "unsupported_media_type"));
  }
  if (route->is_work) {
    if (is_draining_) return refuse(ApiError(503, "the server is stopping", "draining"));
    if (open_tokens_ > options_.max_waiting_tokens) {
      return refuse(ApiError(429, "the server has work for " + std::to_string(open_tokens_) + " tokens already", "overloaded"), retry_after_ms());
    }
  }
  return {.max_body_bytes = route->method == "POST" ? options_.max_body_bytes : 0};
}

void Service::handle(std::shared_ptr<http::Exchange> exchange) {
  bool is_path_known = false;
  find_route(exchange->request(), is_path_known)->run(*this, exchange);
}

http::Response Service::protocol_error(int status, std::string_view message) { return error_response(ApiError(status, std::string(message))); }

void Service::finished(const http::Record& record) {
  const http::Request& request = *record.request;
  log_(Json({{"request_id", request.id}, {"peer", request.peer}, {"method", request.method}, {"path", request.path}, {"status", record.status}, {"sent_bytes", record.sent_bytes},
             {"milliseconds", std::chrono::duration<double, std::milli>(record.duration).count()}})
           .dump(-1, ' ', false, Json::error_handler_t::replace));
}

std::vector<int> Service::chat_ids(const CompletionRequest& request) const {
  if (!template_) throw ApiError(400, "the model has no chat template; use /v1/completions", "no_chat_template", "messages");
  auto how = text::chat_options_of(*tokenizer_);
  how.add_generation_prompt = request.add_generation_prompt;
  how.extra = request.template_variables;
  std::vector<text::TextSpan> spans;
  try {
    spans = template_->render_spans(request.messages, how);
  } catch (const Error& e) {
    throw ApiError(400, e.what(), "invalid_value", "messages");
  }
  if (request.continues_last_message && !spans.empty()) {
    // What the template closes the last message with comes after its content: it goes.
    while (!spans.empty() && !spans.back().is_content) spans.pop_back();
  }
  std::vector<int> ids;
  tokenizer_->encode_spans(spans, ids);
  return ids;
}

std::shared_ptr<runtime::AnswerSettings> Service::settings_of(const CompletionRequest& request, const ServedModel& model) {
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
    settings->guide = guides_.get(request.guide);
  } catch (const Error& e) {
    throw ApiError(400, e.what(), "unsupported_guide", request.guide_param);
  }
  return settings;
}

std::vector<int> Service::text_ids(const std::string& text, bool with_bos) const {
  std::vector<int> ids;
  if (with_bos && tokenizer_->adds_bos()) ids.push_back(tokenizer_->bos_id());
  tokenizer_->encode(text, ids);
  return ids;
}

/// Each in the vocabulary, not empty and with room for a token after it.
std::vector<std::vector<int>> Service::prompts_of(const CompletionRequest& request) const {
  std::vector<std::vector<int>> prompts = request.prompt_ids;
  if (request.is_chat) prompts.push_back(chat_ids(request));
  for (const std::string& text : request.prompts) prompts.push_back(text_ids(text, true));
  const auto& config = decoder_.config();
  for (const auto& ids : prompts) {
    if (ids.empty()) throw ApiError(400, "prompt: is empty", "invalid_value", "prompt");
    const int highest = *std::ranges::max_element(ids);
    if (highest >= config.vocab_size) throw ApiError(400, "prompt: token id " + std::to_string(highest) + " is not in the vocabulary", "invalid_value", "prompt");
    if (static_cast<std::int64_t>(ids.size()) >= config.max_positions) {
      throw ApiError(400, "the prompt of " + std::to_string(ids.size()) + " tokens is longer than the model's context of " + std::to_string(config.max_positions),
                     "context_length_exceeded", request.is_chat ? "messages" : "prompt");
    }
  }
  return prompts;
}

/// On the worker: from a body to jobs on the engine. Throws what is wrong with the request.
void Service::start(const std::shared_ptr<http::Exchange>& exchange, bool is_chat) {
  const auto deadline = deadline_of(exchange->request());
  const CompletionRequest request = read_completion_request(exchange->request().body, is_chat);
  const ServedModel model = models_.find(request.model);
  const auto settings = settings_of(request, model);
  auto prompts = prompts_of(request);
  const auto longest = static_cast<int>(std::ranges::max_element(prompts, {}, &std::vector<int>::size)->size());
  const int asked = request.max_new_tokens > 0 ? request.max_new_tokens : options_.default_max_tokens;
  settings->max_new_tokens = std::min(asked, decoder_.config().max_positions - longest);
  std::int64_t tokens = 0;
  for (const auto& ids : prompts) tokens += static_cast<std::int64_t>(ids.size()) + std::int64_t{settings->max_new_tokens} * request.num_choices;
  const auto reply = std::make_shared<CompletionReply>(exchange, request, model.name, tokenizer_, deadline, [this, tokens](const std::string& reason) {
    open_tokens_ -= tokens;
    const std::lock_guard lock(mutex_);
    ++ends_[reason];
  });
  std::vector<runtime::Job> jobs;
  for (std::size_t p = 0; p < prompts.size(); ++p) {
    runtime::Job job{.request = {.index = static_cast<std::int64_t>(p), .prompt = std::move(prompts[p])}, .settings = settings, .is_urgent = request.is_urgent};
    reply->attach(job, static_cast<int>(p), p < request.prompts.size() ? request.prompts[p] : std::string());
    jobs.push_back(std::move(job));
  }
  open_tokens_ += tokens;
  engine_.submit(std::move(jobs));
}

void Service::complete(const std::shared_ptr<http::Exchange>& exchange, bool is_chat) {
  exchange->on_gone([this] { engine_.notify(); });
  exchange->on_relieved([this] { engine_.notify(); });
  // Counted from here on, so that what waits for its tokens to be counted fills the queue as well.
  constexpr std::int64_t kBytesPerToken = 3;
  const auto estimate = static_cast<std::int64_t>(exchange->request().body.size()) / kBytesPerToken;
  open_tokens_ += estimate;
  worker_.post([this, exchange, is_chat, estimate] {
    try {
      if (!exchange->is_gone()) start(exchange, is_chat);
    } catch (const std::exception&) {
      exchange->respond(answer_of([]() -> http::Response { throw; }));
    }
    open_tokens_ -= estimate;
  });
}

http::Response Service::tokenize(const http::Request& request) const {
  const Json json = read_json_body(request.body);
  const auto ids = text_ids(text_member(json, "prompt"), json.value("add_special_tokens", Json(true)) == true);
  return json_response({{"count", ids.size()}, {"max_model_len", decoder_.config().max_positions}, {"tokens", ids}});
}

http::Response Service::detokenize(const http::Request& request) const {
  const Json json = read_json_body(request.body);
  std::vector<int> ids;
  const Json list = json.value("tokens", Json());
  if (!list.is_array()) throw ApiError(400, "tokens: expected a list of ids", "invalid_value", "tokens");
  for (const Json& id : list) {
    if (!id.is_number_integer() || id.get<double>() < 0 || id.get<double>() >= tokenizer_->vocab_size()) throw ApiError(400, "tokens: " + id.dump() + " is not in the vocabulary", "invalid_value", "tokens");
    ids.push_back(id.get<int>());
  }
  return json_response({{"prompt", text::repair_utf8(tokenizer_->decode(ids, true))}});
}

http::Response Service::load_adapter(const http::Request& request) {
  const Json json = read_json_body(request.body);
  const std::string name = text_member(json, "lora_name");
  models_.load(name, text_member(json, "lora_path"));
  return {.body = "Success: LoRA adapter '" + name + "' added successfully.", .content_type = "text/plain"};
}

http::Response Service::unload_adapter(const http::Request& request) {
  const std::string name = text_member(read_json_body(request.body), "lora_name");
  if (!models_.unload(name)) throw ApiError(404, "there is no adapter \"" + name + "\"", "model_not_found", "lora_name");
  return {.body = "Success: LoRA adapter '" + name + "' removed successfully.", .content_type = "text/plain"};
}

http::Response Service::metrics() const {
  const auto s = engine_.snapshot();
  std::string text;
  const std::string labels = "{model_name=\"" + models_.base_name() + "\",engine=\"0\"}";
  const auto add = [&](const std::string& name, const char* type, const char* help, double value) {
    char number[40];
    std::snprintf(number, sizeof number, "%.17g", value);
    text += "# HELP " + name + " " + help + "\n# TYPE " + name + " " + type + "\n" + name + labels + " " + number + "\n";
  };
  add("vllm:num_requests_running", "gauge", "Rows in the batch.", static_cast<double>(s.num_running));
  add("vllm:num_requests_waiting", "gauge", "Requests that wait for a place in it.", static_cast<double>(s.num_waiting));
  add("vllm:prompt_tokens_total", "counter", "Prompt tokens, cached ones included.", static_cast<double>(s.counts.prompt_tokens));
  add("vllm:generation_tokens_total", "counter", "Tokens generated.", static_cast<double>(s.counts.generated_tokens));
  add("vllm:prefix_cache_queries", "counter", "Prompt tokens looked up in the prefix cache.", static_cast<double>(s.counts.prompt_tokens));
  add("vllm:prefix_cache_hits", "counter", "Of these, found.", static_cast<double>(s.counts.cached_tokens));
  add("onggi_forced_tokens_total", "counter", "Tokens that a guide left no choice about.", static_cast<double>(s.counts.forced_tokens));
  add("onggi_cancelled_total", "counter", "Rows whose client left.", static_cast<double>(s.counts.cancelled_rows));
  add("onggi_open_tokens", "gauge", "Tokens of requests that are not done, as far as they can be foreseen.", static_cast<double>(open_tokens_));
  text += "# HELP vllm:request_success_total Requests by how they ended.\n# TYPE vllm:request_success_total counter\n";
  const std::lock_guard lock(mutex_);
  for (const auto& [reason, number] : ends_) {
    text += "vllm:request_success_total{model_name=\"" + models_.base_name() + "\",engine=\"0\",finished_reason=\"" + reason + "\"} " + std::to_string(number) + "\n";
  }
  return {.body = text, .content_type = "text/plain; version=0.0.4; charset=utf-8"};
}

}  // namespace onggi::server
