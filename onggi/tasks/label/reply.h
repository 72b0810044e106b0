#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace onggi::tasks {

/// A chat completion as an OpenAI-compatible server sends it: its first choice.
struct ChatReply {
  struct Token {
    std::size_t begin_byte = 0, end_byte = 0;  ///< In the text.
    double log_probability = 0;
  };
  std::string text;
  std::string refusal;        ///< Not empty where the teacher declined.
  std::string finish_reason;  ///< "stop", "length", "content_filter" ...
  std::vector<Token> tokens;  ///< Empty where the server gives no log-probabilities, or some that are not the text's.
  bool has_usage = false;
  std::int64_t prompt_tokens = 0, cached_tokens = 0, completion_tokens = 0;
};

/// Throws kCorrupt, naming the member, where the body is no chat completion.
ChatReply parse_chat_reply(std::string_view body);
/// The reply's own body with its text, finish reason and usage as OpenAI's would be: what a local teacher "sends".
std::string chat_reply_body(const ChatReply& reply);

/// An error body's own words, in one line of at most 300 bytes: {"error": {"message"}}, {"error": "..."}, {"message"},
/// {"detail"}, else the body's beginning.
std::string error_words(std::string_view body);
/// {"error": {"code"}} or {"error": {"type"}}; empty where there is none.
std::string error_kind(std::string_view body);

}  // namespace onggi::tasks
