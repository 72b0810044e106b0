#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "onggi/core/json.h"
#include "onggi/decode/guide.h"
#include "onggi/models/decoder.h"
#include "onggi/tasks/sft/examples.h"
#include "onggi/text/tokenizer.h"

namespace onggi::tasks {

/// What one prompt template cost and brought, but for its answers' figures.
struct PromptFigures {
  std::string name;
  std::int64_t template_characters = 0;  ///< Template text of the prompt.
  std::int64_t prefix_tokens = 0;        ///< Of the prompt, the beginning that all rows share; computed once.
  double prompt_tokens = 0.0;            ///< Mean of the rows, shared beginning included.
  double eval_loss = 0.0;                ///< Nats a scored token of the rows' answers.
  std::int64_t scored_tokens = 0;        ///< Tokens of that mean.
  std::int64_t updates = 0;
  double training_tokens_per_s = 0.0;  ///< Tokens as the rows are written, the shared beginning counted in each.
  double rows_per_s = 0.0;             ///< Of generation.
  std::int64_t num_failed = 0;         ///< Rows without an answer.

  Json to_json() const;
  /// Throws kCorrupt naming the member.
  static PromptFigures from_json(const Json& json, std::string_view where);
};

/// Sets prefix_tokens and prompt_tokens.
void count_prompt_tokens(const text::Tokenizer& tokenizer, const TextSet& rows, PromptFigures& figures);

/// Sets eval_loss and scored_tokens: the loss of `sft` on rows with answers, under the guide where there is one. Rows
/// longer than the model's context and answers that the guide can't produce are left out. Throws kInvalidArgument if
/// none is left.
void measure_loss(nn::Context& context, models::Decoder& decoder, nn::Adapter* adapter,
                  const text::Tokenizer& tokenizer, const TextSet& rows, const decode::Guide* guide,
                  PromptFigures& figures);

/// Of generation at this many rows a second on a machine of this price.
double cost_per_million_rows(double rows_per_s, double price_per_hour);

}  // namespace onggi::tasks
