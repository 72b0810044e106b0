#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace onggi::train {

/// What the plan needs to know of one training row.
struct RowSize {
  std::int64_t tokens = 0;      ///< All of its tokens.
  std::int64_t supervised = 0;  ///< Positions that are scored.
};

struct SamplerOptions {
  std::uint64_t seed = 0;
  std::int64_t batch_rows = 8;        ///< Rows of one update (the whole accumulation window).
  std::int64_t micro_batch_rows = 0;  ///< Rows computed at once; 0 is all of the update's. Never changes the order.
  bool shuffle = true;
  bool group_by_length = false;  ///< Rows of like length share a batch, for less padding; still seeded.
  std::int64_t epochs = 1;
  std::int64_t max_steps = 0;  ///< Stops the plan early (or, above the epochs' steps, is ignored); 0 is no limit.
};

/// One update of the plan. Position in the data = (epoch, index of its first row in the epoch's order).
struct PlanStep {
  std::int64_t epoch = 0;
  std::int64_t index = 0;
  std::vector<std::int64_t> rows;  ///< Into the training set, in the order they are computed.
  std::int64_t tokens = 0;
  std::int64_t supervised = 0;  ///< Denominator of the loss: scored positions of all its rows.
};

/// The whole run, known before it starts, so that denominators are exact and a resumed run repeats nothing.
struct TrainPlan {
  std::vector<PlanStep> steps;
  std::int64_t steps_per_epoch = 0;
  std::int64_t tokens = 0;
  std::int64_t supervised = 0;
  std::string hash;  ///< SHA-256 over the options that shape it and every step.
};

/// Rows [0, num_rows) in the order of `epoch`: Fisher-Yates over Philox(seed, epoch), the same on every machine.
std::vector<std::int64_t> epoch_order(std::uint64_t seed, std::int64_t epoch, std::int64_t num_rows);

/// Makes the plan. The last batch of an epoch may be shorter; no batch spans two epochs. Throws kInvalidArgument on no
/// rows, a row without scored positions (its number is in the message), or options out of range.
TrainPlan make_plan(std::span<const RowSize> rows, const SamplerOptions& options);

/// The step's rows in pieces of `micro_batch_rows` (0: one piece).
std::vector<std::span<const std::int64_t>> micro_batches(const PlanStep& step, std::int64_t micro_batch_rows);

}  // namespace onggi::train
