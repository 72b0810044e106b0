#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "onggi/nn/parameter.h"
#include "onggi/train/sampler.h"

namespace onggi::train {

enum class Severity {
  kWarning,  ///< Worth a look; training goes on.
  kError,    ///< The run would teach the wrong thing or nothing: refuse it.
};

/// One thing that would go wrong without a word. `code` is stable ("double_bos"); the message names row, file or key.
struct Finding {
  std::string code;
  Severity severity = Severity::kError;
  std::string message;
};

/// A row as training will see it. Empty members are not examined.
struct DoctorRow {
  std::string where;                     ///< "train.jsonl, line 12"
  std::vector<std::int32_t> ids;         ///< Prompt and answer as they are fed.
  std::vector<std::uint8_t> supervised;  ///< As long as ids: 1 where the id is a target of the loss.
  std::string prompt;                    ///< Rendered text before the answer.
  std::string answer;
  std::vector<std::string> inputs;      ///< The user's text in each slot of the template.
  std::string group;                    ///< Product, user ...: must not be on both sides of a split.
  std::vector<std::string> labels;      ///< Classes named in the answer.
  std::vector<std::string> roles;       ///< Of a chat, in order.
  std::vector<std::string> renderings;  ///< Of a chat after each turn: each must begin with the one before.
  bool answer_cut = false;              ///< Cut by the length limit.
};

/// A hash as it is and as it should be, with the key and the words for a difference.
struct DoctorHash {
  std::string name;  ///< "tokenizer", "template" or "serving_prompt": the finding is <name>_differs.
  std::string now;
  std::string expected;  ///< Empty: unknown, not compared.
};

struct DoctorInput {
  std::vector<DoctorRow> train;
  std::vector<DoctorRow> validation;

  // Tokens
  std::optional<std::int32_t> bos_id;  ///< Set where the model needs a BOS.
  std::optional<std::int32_t> end_id;  ///< End of turn.
  std::optional<std::int32_t> pad_id;
  std::int64_t vocab_size = 0;             ///< Rows of the base's embedding; 0: not examined.
  bool trains_embedding = false;           ///< Whether tokens above the vocabulary have rows that learn.
  std::vector<std::string> special_texts;  ///< "<end_of_turn>" ...
  std::int64_t max_tokens = 0;             ///< 0: no limit.
  double max_long_share = 0.01;            ///< Rows above the limit that are taken in silence.

  // Answers
  std::vector<std::string> closed_labels;  ///< Empty: any label.
  std::string response_marker;             ///< Text that ends the prompt, where masks were made from it.
  /// What is wrong with an answer, or nullopt. Empty: any answer is good.
  std::function<std::optional<std::string>(std::string_view answer)> answer_problem;

  // Optimisation
  std::optional<double> learning_rate;
  std::int64_t warmup_steps = 0;
  std::int64_t total_steps = 0;  ///< 0: not examined.
  std::int64_t batch_rows = 0;
  bool has_seed = true;
  bool trains_all_weights = false;
  bool base_is_quantised = false;
  double weight_decay = 0.0;
  std::optional<std::vector<const nn::Parameter*>> parameters;  ///< What the optimiser will get.
  const TrainPlan* plan = nullptr;                              ///< Its denominators are checked against the rows.

  // Base and files
  std::vector<std::pair<std::string, std::int64_t>> non_finite_weights;  ///< Tensor and how many values.
  std::vector<DoctorHash> hashes;
  bool has_tied_head = false;
  std::vector<std::string> adapted_paths;  ///< Modules that the adapter changes.
};

/// Looks for the failures that show in no loss curve, before step 1. Findings in a fixed order; none on clean input.
std::vector<Finding> examine(const DoctorInput& input);

/// Every code that `examine` may give, sorted.
std::vector<std::string> doctor_codes();

/// Counts that a person should see before a run.
struct TokenSummary {
  std::int64_t num_rows = 0;
  std::int64_t shortest = 0;
  std::int64_t median = 0;
  std::int64_t longest = 0;
  std::int64_t num_tokens = 0;
  std::int64_t num_supervised = 0;
  std::vector<std::pair<std::int64_t, std::int64_t>> histogram;    ///< (tokens up to, rows): powers of two.
  std::vector<std::pair<std::string, std::int64_t>> label_counts;  ///< Most frequent first, then by name.
};
TokenSummary summarize_tokens(std::span<const DoctorRow> rows);

/// The row's text with what is scored set apart: in green on a terminal, else between "[[" and "]]". `piece` gives the
/// text of one id; control characters are shown as escapes.
std::string mask_preview(const DoctorRow& row, const std::function<std::string(std::int32_t id)>& piece, bool colour);

}  // namespace onggi::train
