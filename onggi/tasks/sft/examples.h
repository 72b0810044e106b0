#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "onggi/decode/guide.h"
#include "onggi/models/head.h"
#include "onggi/text/tokenizer.h"
#include "onggi/train/sft_step.h"

namespace onggi::tasks {

/// A row as text: what stands between the shared prefix and the answer, and the answer.
struct TextRow {
  std::string prompt;
  std::string answer;
  decode::Slots slots;          ///< What a guide may quote from this row.
  std::int64_t source_row = 0;  ///< Index in its data set.
  std::string where;            ///< "file:line", for messages.
};

struct TextSet {
  std::string prefix;  ///< The template's text before its first slot: the same for every row.
  std::vector<TextRow> rows;
};

/// Ids of the shared prefix: BOS where the tokenizer wants one, then the text. Training, evaluation and serving all cut a
/// prompt here, so the same text always has the same ids.
std::vector<int> encode_prefix(const text::Tokenizer& tokenizer, const std::string& prefix);
/// Ids of a row's own prompt text, read literally: nothing in it can become a control token.
std::vector<int> encode_prompt(const text::Tokenizer& tokenizer, const std::string& prompt);

struct EncodeReport {
  std::int64_t num_too_long = 0;     ///< Left out: longer than max_tokens.
  std::int64_t num_unreachable = 0;  ///< Left out: the guide can't produce the answer.
  std::string first_unreachable;     ///< Where the first such row stands and why, for messages.
};

/// Rows to ids, one end token after each answer. Rows longer than `max_tokens` (prefix included) are left out and
/// counted. With a guide, the answer's positions get their masks over `columns` (ascending ids of the head subset), and
/// rows whose answer the guide can't produce are left out and counted. Throws kInvalidArgument naming the row if its
/// prompt or answer is empty.
train::ExampleSet encode_examples(const text::Tokenizer& tokenizer, const TextSet& set, std::int64_t max_tokens,
                                  const decode::Guide* guide, std::span<const int> columns, EncodeReport& report);

/// Union of what the guide can allow in any of the sets' rows: the columns of the head subset.
std::vector<int> guide_columns(const decode::Guide& guide, std::span<const TextSet* const> sets);

}  // namespace onggi::tasks
