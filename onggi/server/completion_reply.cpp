#include "onggi/server/completion_reply.h"

#include <algorithm>
#include <cmath>
#include <ctime>
#include <utility>

#include "onggi/core/hash.h"
#include "onggi/runtime/fields.h"
#include "onggi/server/api_error.h"
#include "onggi/text/utf8.h"

namespace onggi::server {
namespace {

/// Bytes as a JSON text: what is no UTF-8 is shown as U+FFFD.
std::string dump(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace); }

/// Bytes at the end of `text` that may be the beginning of a stop text, so may not be sent yet.
std::size_t possible_stop(const std::string& text, const std::vector<std::string>& stops) {
  std::size_t longest = 0;
  for (const std::string& stop : stops) {
    for (std::size_t count = std::min(stop.size() - 1, text.size()); count > longest; --count) {
      if (text.ends_with(std::string_view(stop).substr(0, count))) longest = count;
    }
  }
  return longest;
}

Json bytes_json(std::string_view bytes) {
  Json list = Json::array();
  for (const char byte : bytes) list.push_back(static_cast<unsigned char>(byte));
  return list;
}

}  // namespace

CompletionReply::CompletionReply(std::shared_ptr<http::Exchange> exchange, CompletionRequest request, std::string model,
                                 std::shared_ptr<const text::Tokenizer> tokenizer,
                                 std::chrono::steady_clock::time_point deadline,
                                 std::function<void(const std::string&)> ended)
    : exchange_(std::move(exchange)),
      request_(std::move(request)),
      model_(std::move(model)),
      tokenizer_(std::move(tokenizer)),
      deadline_(deadline),
      ended_(std::move(ended)),
      id_((request_.is_chat ? "chatcmpl-" : "cmpl-") + exchange_->request().id),
      created_(request_.created.value_or(std::time(nullptr))),
      calls_hash_(request_.tools.may_call() ? sha256_hex(dump(request_.messages)) : std::string()) {}

void CompletionReply::attach(runtime::Job& job, int prompt, std::string prompt_text) {
  job.request.num_samples = request_.num_choices;
  const EchoedPrompt echo =
      request_.echoes ? echoed_prompt(*tokenizer_, job.request.prompt, std::move(prompt_text)) : EchoedPrompt();
  for (int s = 0; s < request_.num_choices; ++s) {
    choices_.push_back({.echo = echo, .calls = {}, .finished = nullptr});
    if (!request_.tools.may_call()) continue;
    const bool may_be_text = request_.tools.choice == ToolRequest::Choice::kAuto;
    choices_.back().calls = std::make_unique<CallReader>(request_.call_form, may_be_text);
  }
  prompt_tokens_ += static_cast<std::int64_t>(job.request.prompt.size());
  const auto self = shared_from_this();
  job.done = [self, prompt](runtime::Answer&& answer) { self->on_done(prompt, std::move(answer)); };
  job.started = [self](int num_cached) { self->cached_tokens_ += num_cached; };
  if (request_.is_streamed) {
    job.grown = [self, prompt](const runtime::Answer& answer, std::span<const int> samples) {
      self->on_grown(prompt, answer, samples);
    };
  }
  job.wish = [self] {
    if (self->exchange_->is_gone()) return runtime::Wish::kStop;
    if (self->deadline_ != std::chrono::steady_clock::time_point::max() &&
        std::chrono::steady_clock::now() > self->deadline_) {
      self->is_late_ = true;
      return runtime::Wish::kStop;
    }
    return self->exchange_->is_congested() ? runtime::Wish::kWait : runtime::Wish::kGoOn;
  };
}

Json CompletionReply::head(bool is_chunk) const {
  const char* object = request_.is_chat ? (is_chunk ? "chat.completion.chunk" : "chat.completion") : "text_completion";
  return {{"id", id_}, {"object", object}, {"created", created_}, {"model", model_}, {"system_fingerprint", "onggi"}};
}

Json CompletionReply::usage() const {
  Json json = {{"prompt_tokens", prompt_tokens_},
               {"completion_tokens", completion_tokens_},
               {"total_tokens", prompt_tokens_ + completion_tokens_}};
  if (!request_.created) json["prompt_tokens_details"] = {{"cached_tokens", cached_tokens_}};
  return json;
}

void CompletionReply::send(const Json& chunk) { exchange_->write("data: " + dump(chunk) + "\n\n"); }

/// Tokens [begin, end) of the answer, where it is wanted after the prompt's.
Json CompletionReply::log_probabilities(const Choice& choice, const runtime::Answer& answer, std::size_t begin,
                                        std::size_t end, bool with_prompt) const {
  if (!request_.wants_log_probabilities) return nullptr;
  const auto text_of = [&](int id) { return std::string(tokenizer_->token_bytes(id)); };
  if (request_.is_chat) {
    Json content = Json::array();
    const auto entry = [&](int id, float log_probability) {
      return Json{
          {"token", text_of(id)}, {"logprob", log_probability}, {"bytes", bytes_json(tokenizer_->token_bytes(id))}};
    };
    for (std::size_t t = begin; t < end; ++t) {
      Json item = entry(answer.tokens[t].id, answer.tokens[t].log_probability);
      item["top_logprobs"] = Json::array();
      if (request_.num_alternatives > 0) {
        for (const auto& other : answer.alternatives[t])
          item["top_logprobs"].push_back(entry(other.id, other.log_probability));
      }
      content.push_back(std::move(item));
    }
    return {{"content", std::move(content)}};
  }
  TokenLists lists(*tokenizer_);
  if (with_prompt) lists.add_prompt(choice.echo, *answer.reading);
  lists.add_answer(answer, begin, end, choice.echo.num_characters);
  return lists.take();
}

Json CompletionReply::field_probabilities(const runtime::Answer& answer) const {
  Json list = Json::array();
  for (const auto& field : runtime::find_fields(answer.text)) {
    list.push_back({{"field", field.pointer},
                    {"text", answer.text.substr(field.begin, field.end - field.begin)},
                    {"probability", std::exp(answer.log_probability_of(field.begin, field.end))}});
  }
  return list;
}

void CompletionReply::send_piece(int index, const runtime::Answer& answer, std::size_t end_byte, std::size_t end_token,
                                 bool is_end) {
  if (!has_begun_) {
    has_begun_ = true;
    exchange_->start_stream(
        {.content_type = "text/event-stream", .fields = {{"cache-control", "no-cache"}, {"x-accel-buffering", "no"}}});
  }
  Choice& choice = choices_[static_cast<std::size_t>(index)];
  const auto piece = [&](Json delta, const Json& probabilities, const Json& reason) {
    Json chunk = head(true);
    Json item = {{"index", index}};
    if (request_.is_chat) {
      item["delta"] = std::move(delta);
    } else {
      item["text"] = std::move(delta);
    }
    item["logprobs"] = probabilities;
    item["finish_reason"] = reason;
    if (request_.wants_field_probabilities && !reason.is_null())
      item["field_probabilities"] = field_probabilities(answer);
    chunk["choices"] = Json::array({std::move(item)});
    if (request_.includes_usage) chunk["usage"] = nullptr;
    send(chunk);
  };
  if (!choice.has_begun) {
    choice.has_begun = true;
    const bool is_calls = request_.tools.choice == ToolRequest::Choice::kRequired;
    if (request_.is_chat) piece({{"role", "assistant"}, {"content", is_calls ? Json() : Json("")}}, nullptr, nullptr);
    if (request_.echoes) piece(choice.echo.text, log_probabilities(choice, answer, 0, 0, true), nullptr);
  }
  const std::string text =
      text::repair_utf8(std::string_view(answer.text).substr(choice.num_sent_bytes, end_byte - choice.num_sent_bytes));
  Json probabilities = log_probabilities(choice, answer, choice.num_sent_tokens, end_token, false);
  const bool has_tokens = request_.wants_log_probabilities && end_token > choice.num_sent_tokens;
  choice.num_sent_bytes = end_byte;
  choice.num_sent_tokens = end_token;
  if (!request_.is_chat) {
    if (!text.empty() || has_tokens || is_end)
      piece(text, probabilities, is_end ? finish_reason(choice, answer) : Json());
    return;
  }
  std::vector<Json> deltas;
  if (choice.calls) {
    for (const auto& part : choice.calls->read(std::string_view(answer.text).substr(0, end_byte), is_end))
      deltas.push_back(call_delta(index, part));
  } else if (!text.empty()) {
    deltas.push_back({{"content", text}});
  }
  if (deltas.empty() && has_tokens) deltas.push_back({{"content", ""}});
  for (Json& delta : deltas) piece(std::move(delta), std::exchange(probabilities, nullptr), nullptr);
  if (is_end) piece(Json::object(), nullptr, finish_reason(choice, answer));
}

void CompletionReply::on_grown(int prompt, const runtime::Answer& answer, std::span<const int> samples) {
  if (has_ended_) return;
  const std::size_t held =
      std::max(possible_stop(answer.text, request_.stop_texts), text::incomplete_utf8_suffix(answer.text));
  const std::size_t end = answer.text.size() - held;
  for (const int sample : samples) {
    const int index = choice_index(prompt, sample);
    const Choice& choice = choices_[static_cast<std::size_t>(index)];
    std::size_t end_token = choice.num_sent_tokens;
    while (end_token < answer.tokens.size() && answer.tokens[end_token].end_byte <= end) ++end_token;
    if (end > choice.num_sent_bytes) send_piece(index, answer, end, end_token, false);
  }
}

Json CompletionReply::finish_reason(const Choice& choice, const runtime::Answer& answer) const {
  if (!answer.complete) return "length";
  if (!choice.calls || choice.calls->num_calls() == 0 || choice.calls->is_in_call()) return "stop";
  return request_.tools.is_legacy ? "function_call" : "tool_calls";
}

std::string CompletionReply::call_id(int index, int call) const {
  constexpr std::size_t kDigits = 24;
  return "call_" +
         sha256_hex(calls_hash_ + "/" + std::to_string(index) + "/" + std::to_string(call)).substr(0, kDigits);
}

Json CompletionReply::call_delta(int index, const CallReader::Piece& piece) const {
  using Kind = CallReader::Piece::Kind;
  if (piece.kind == Kind::kText) return {{"content", text::repair_utf8(piece.text)}};
  Json function = {{"arguments", piece.kind == Kind::kName ? std::string() : piece.text}};
  if (piece.kind == Kind::kName) function = {{"name", piece.text}, {"arguments", ""}};
  if (request_.tools.is_legacy) return {{"function_call", std::move(function)}};
  Json call = {{"index", piece.call}};
  if (piece.kind == Kind::kName) {
    call["id"] = call_id(index, piece.call);
    call["type"] = "function";
  }
  call["function"] = std::move(function);
  return {{"tool_calls", Json::array({std::move(call)})}};
}

Json CompletionReply::message_json(int index, const runtime::Answer& answer) {
  Json message = {{"role", "assistant"}, {"content", text::repair_utf8(answer.text)}, {"refusal", nullptr}};
  const auto& calls = choices_[static_cast<std::size_t>(index)].calls;
  if (!calls) return message;
  using Kind = CallReader::Piece::Kind;
  std::string text;
  Json list = Json::array();
  for (const auto& piece : calls->read(answer.text, true)) {
    if (piece.kind == Kind::kText) {
      text += piece.text;
    } else if (piece.kind == Kind::kName) {
      list.push_back({{"id", call_id(index, piece.call)},
                      {"type", "function"},
                      {"function", {{"name", piece.text}, {"arguments", ""}}}});
    } else {
      list.back()["function"]["arguments"].get_ref<std::string&>() += piece.text;
    }
  }
  message["content"] = text.empty() && !list.empty() ? Json() : Json(text::repair_utf8(text));
  if (list.empty()) return message;
  if (request_.tools.is_legacy) {
    message["function_call"] = list[0]["function"];
  } else {
    message["tool_calls"] = std::move(list);
  }
  return message;
}

Json CompletionReply::choice_json(int index, const runtime::Answer& answer) {
  const Choice& choice = choices_[static_cast<std::size_t>(index)];
  Json json = {{"index", index}};
  if (request_.is_chat) {
    json["message"] = message_json(index, answer);
  } else {
    json["text"] = text::repair_utf8(choice.echo.text) + text::repair_utf8(answer.text);
  }
  json["logprobs"] = log_probabilities(choice, answer, 0, answer.tokens.size(), request_.echoes);
  json["finish_reason"] = finish_reason(choice, answer);
  if (request_.wants_field_probabilities) json["field_probabilities"] = field_probabilities(answer);
  return json;
}

void CompletionReply::fail(const runtime::Answer& answer) {
  const bool is_of_guide = answer.failure.starts_with("guide: ");
  const bool is_of_prompt = answer.failure.starts_with("prompt ");
  const ApiError error(is_of_guide || is_of_prompt ? 400 : 500, answer.failure,
                       is_of_prompt ? "context_length_exceeded" : "", is_of_guide ? request_.guide_param : "");
  fail(error);
}

void CompletionReply::fail(const ApiError& error) {
  has_ended_ = true;
  if (has_begun_) {
    exchange_->write("data: " + error_body(error) + "\n\n");
    exchange_->finish();
  } else {
    exchange_->respond(error_response(error));
  }
}

void CompletionReply::on_done(int prompt, runtime::Answer&& answer) {
  ++num_done_;
  completion_tokens_ += static_cast<std::int64_t>(answer.tokens.size());
  const int index = choice_index(prompt, answer.sample);
  if (!has_ended_) {
    if (answer.is_cancelled) {
      reason_ = is_late_ ? "late" : "cancelled";
      if (is_late_) {
        fail(ApiError(408, "the answer was not there in the time that the request gave", "deadline_exceeded"));
      }
      has_ended_ = true;
    } else if (!answer.complete && !answer.is_cut) {
      reason_ = "error";
      fail(answer);
    } else {
      if (answer.is_cut) reason_ = "length";
      if (request_.is_streamed) {
        send_piece(index, answer, answer.text.size(), answer.tokens.size(), true);
      } else {
        choices_[static_cast<std::size_t>(index)].finished = choice_json(index, answer);
      }
    }
  }
  if (num_done_ == choices_.size()) finish();
}

void CompletionReply::finish() {
  if (!has_ended_ && request_.is_streamed) {
    if (request_.includes_usage) {
      Json chunk = head(true);
      chunk["choices"] = Json::array();
      chunk["usage"] = usage();
      send(chunk);
    }
    exchange_->write("data: [DONE]\n\n");
    exchange_->finish();
  } else if (!has_ended_) {
    Json body = head(false);
    body["choices"] = Json::array();
    for (auto& choice : choices_) body["choices"].push_back(std::move(choice.finished));
    body["usage"] = usage();
    exchange_->respond({.body = dump(body)});
  }
  has_ended_ = true;
  ended_(reason_);
}

}  // namespace onggi::server
