#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "onggi/core/json.h"
#include "onggi/http/server.h"
#include "onggi/runtime/request.h"
#include "onggi/server/api_error.h"
#include "onggi/server/call_reader.h"
#include "onggi/server/completion_request.h"
#include "onggi/server/echoed_prompt.h"
#include "onggi/text/tokenizer.h"

namespace onggi::server {

/// Turns the answers of one request's jobs into OpenAI's bodies or chunks. Made before the jobs are submitted;
/// afterwards confined to the engine's thread.
class CompletionReply : public std::enable_shared_from_this<CompletionReply> {
 public:
  /// `deadline`: when the answer is no use any more. `ended`: told "stop", "length", "error", "late" or "cancelled".
  CompletionReply(std::shared_ptr<http::Exchange> exchange, CompletionRequest request, std::string model,
                  std::shared_ptr<const text::Tokenizer> tokenizer, std::chrono::steady_clock::time_point deadline,
                  std::function<void(const std::string&)> ended);

  /// Job for prompt number `prompt` (its text, empty for one of ids, is wanted for `echo` only).
  void attach(runtime::Job& job, int prompt, std::string prompt_text);

 private:
  struct Choice {
    EchoedPrompt echo;                ///< Empty unless it is wanted.
    std::size_t num_sent_bytes = 0;   ///< Of the answer's text.
    std::size_t num_sent_tokens = 0;  ///< Whose log-probabilities are out.
    bool has_begun = false;
    std::unique_ptr<CallReader> calls;  ///< Where there may be some.
    Json finished;                      ///< The whole choice, not streamed.
  };
  int choice_index(int prompt, int sample) const { return prompt * request_.num_choices + sample; }
  void on_grown(int prompt, const runtime::Answer& answer, std::span<const int> samples);
  void on_done(int prompt, runtime::Answer&& answer);
  void fail(const runtime::Answer& answer);
  void fail(const ApiError& error);
  void send_piece(int index, const runtime::Answer& answer, std::size_t end_byte, std::size_t end_token, bool is_end);
  void finish();
  /// "stop", "length" or, where a complete answer ends with calls, "tool_calls".
  Json finish_reason(const Choice& choice, const runtime::Answer& answer) const;
  Json message_json(int index, const runtime::Answer& answer);
  Json call_delta(int index, const CallReader::Piece& piece) const;
  std::string call_id(int index, int call) const;
  Json head(bool is_chunk) const;
  Json choice_json(int index, const runtime::Answer& answer);
  Json log_probabilities(const Choice& choice, const runtime::Answer& answer, std::size_t begin, std::size_t end,
                         bool with_prompt) const;
  /// Of each value of an answer that is JSON.
  Json field_probabilities(const runtime::Answer& answer) const;
  Json usage() const;
  void send(const Json& chunk);

  const std::shared_ptr<http::Exchange> exchange_;
  const CompletionRequest request_;
  const std::string model_;
  const std::shared_ptr<const text::Tokenizer> tokenizer_;
  const std::chrono::steady_clock::time_point deadline_;
  const std::function<void(const std::string&)> ended_;
  const std::string id_;
  const std::int64_t created_;
  const std::string calls_hash_;  ///< Of the messages: what ids of calls are made of, so that they are the same again.
  std::vector<Choice> choices_;
  std::size_t num_done_ = 0;
  std::int64_t prompt_tokens_ = 0, cached_tokens_ = 0, completion_tokens_ = 0;
  std::string reason_ = "stop";
  bool has_begun_ = false, has_ended_ = false, is_late_ = false;
};

}  // namespace onggi::server
