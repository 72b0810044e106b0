#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "onggi/core/json.h"
#include "onggi/runtime/request.h"
#include "onggi/text/tokenizer.h"

namespace onggi::server {

/// A prompt as an answer of /v1/completions repeats it.
struct EchoedPrompt {
  std::string text;
  std::size_t num_characters = 0;
  std::vector<int> ids;
  std::vector<std::size_t> begin_bytes;  ///< Where each id's bytes stand in the text.
};

/// Of a prompt's ids and its text; of ids alone where the text is empty: without control tokens.
EchoedPrompt echoed_prompt(const text::Tokenizer& tokenizer, std::span<const int> ids, std::string text);

/// {"tokens", "token_logprobs", "top_logprobs", "text_offset"} of /v1/completions. Offsets count characters (a token
/// that begins inside one has that one's); the likeliest of a token's alternatives include itself.
class TokenLists {
 public:
  explicit TokenLists(const text::Tokenizer& tokenizer) : tokenizer_(tokenizer) {}

  /// The first token has nothing before it: null.
  void add_prompt(const EchoedPrompt& prompt, const runtime::PromptReading& reading);
  /// Tokens [begin, end); `first_character` stands before the answer.
  void add_answer(const runtime::Answer& answer, std::size_t begin, std::size_t end, std::size_t first_character);
  Json take() { return std::move(lists_); }

 private:
  void add(int id, float log_probability, std::span<const runtime::TokenAlternative> alternatives, std::size_t offset);

  const text::Tokenizer& tokenizer_;
  Json lists_ = {{"tokens", Json::array()},
                 {"token_logprobs", Json::array()},
                 {"top_logprobs", Json::array()},
                 {"text_offset", Json::array()}};
};

}  // namespace onggi::server
