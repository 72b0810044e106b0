#include "onggi/server/echoed_prompt.h"

#include <algorithm>
#include <string_view>

#include "onggi/text/utf8.h"

namespace onggi::server {
namespace {

/// Numbers of the characters that hold bytes, asked for in ascending order. A byte that is no part of a character
/// counts as one, as it is shown.
class CharacterCounter {
 public:
  explicit CharacterCounter(std::string_view text) : text_(text) {}

  std::size_t at(std::size_t byte) {
    while (begin_ < text_.size()) {
      const std::size_t end = begin_ + static_cast<std::size_t>(text::next_utf8(text_, begin_).length);
      if (end > byte) break;
      begin_ = end;
      ++num_before_;
    }
    return num_before_;
  }

 private:
  std::string_view text_;
  std::size_t begin_ = 0;  ///< Of the character number num_before_.
  std::size_t num_before_ = 0;
};

}  // namespace

EchoedPrompt echoed_prompt(const text::Tokenizer& tokenizer, std::span<const int> ids, std::string text) {
  EchoedPrompt prompt{.text = std::move(text), .ids = {ids.begin(), ids.end()}};
  std::size_t num_bytes = 0;
  for (const int id : ids) {
    prompt.begin_bytes.push_back(num_bytes);
    if (!tokenizer.is_control(id)) num_bytes += tokenizer.token_bytes(id).size();
  }
  if (prompt.text.empty()) prompt.text = tokenizer.decode(ids);
  // A space that the vocabulary puts before every text is in the tokens alone.
  const std::size_t added = num_bytes - std::min(num_bytes, prompt.text.size());
  for (std::size_t& begin : prompt.begin_bytes) begin -= std::min(begin, added);
  prompt.num_characters = CharacterCounter(prompt.text).at(prompt.text.size());
  return prompt;
}

void TokenLists::add(int id, float log_probability, std::span<const runtime::TokenAlternative> alternatives,
                     std::size_t offset) {
  const auto text_of = [&](int token) { return std::string(tokenizer_.token_bytes(token)); };
  lists_["tokens"].push_back(text_of(id));
  lists_["token_logprobs"].push_back(log_probability);
  lists_["text_offset"].push_back(offset);
  Json top = Json::object();
  // Likeliest first: of parts of characters, which look alike, the first stays.
  for (const auto& other : alternatives) top.emplace(text::repair_utf8(text_of(other.id)), other.log_probability);
  top.emplace(text::repair_utf8(text_of(id)), log_probability);
  lists_["top_logprobs"].push_back(std::move(top));
}

void TokenLists::add_prompt(const EchoedPrompt& prompt, const runtime::PromptReading& reading) {
  CharacterCounter characters(prompt.text);
  for (std::size_t i = 0; i < prompt.ids.size(); ++i) {
    std::span<const runtime::TokenAlternative> alternatives;
    if (i > 0 && !reading.alternatives.empty()) alternatives = reading.alternatives[i - 1];
    add(prompt.ids[i], reading.log_probabilities[i], alternatives, characters.at(prompt.begin_bytes[i]));
  }
  if (prompt.ids.empty()) return;
  lists_["token_logprobs"][0] = nullptr;
  lists_["top_logprobs"][0] = nullptr;
}

void TokenLists::add_answer(const runtime::Answer& answer, std::size_t begin, std::size_t end,
                            std::size_t first_character) {
  CharacterCounter characters(answer.text);
  for (std::size_t t = begin; t < end; ++t) {
    std::span<const runtime::TokenAlternative> alternatives;
    if (!answer.alternatives.empty()) alternatives = answer.alternatives[t];
    const auto& token = answer.tokens[t];
    add(token.id, token.log_probability, alternatives, first_character + characters.at(token.begin_byte));
  }
}

}  // namespace onggi::server
