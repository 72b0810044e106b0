#include "onggi/train/sampler.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <string>

#include "onggi/core/error.h"
#include "onggi/core/hash.h"
#include "onggi/core/random.h"

namespace onggi::train {
namespace {

/// Streams of the seed: what the number is for in the upper half, the epoch in the lower.
constexpr std::uint64_t kRowStream = std::uint64_t{0x5A01} << 32;
constexpr std::uint64_t kBatchStream = std::uint64_t{0x5A02} << 32;
/// Batches whose rows are sorted together: enough for even lengths, few enough that batches differ between epochs.
constexpr std::int64_t kWindowBatches = 32;
constexpr double kMaxPlannedRows = 5e8;

void shuffle(std::vector<std::int64_t>& items, std::uint64_t seed, std::uint64_t stream) {
  for (std::size_t i = items.size(); i > 1; --i) {
    std::swap(items[i - 1], items[uniform_int(seed, stream, i - 1, i)]);
  }
}

/// Sorts by length inside windows, then puts whole batches in a random order. The short batch, if any, stays last.
std::vector<std::int64_t> group_by_length(std::vector<std::int64_t> order, std::span<const RowSize> rows,
                                          const SamplerOptions& options, std::int64_t epoch) {
  const auto n = static_cast<std::int64_t>(order.size());
  const std::int64_t full = n / options.batch_rows;
  const std::int64_t window = options.batch_rows * kWindowBatches;
  for (std::int64_t begin = 0; begin < n; begin += window) {
    std::stable_sort(order.begin() + begin, order.begin() + std::min(begin + window, n),
                     [&](std::int64_t a, std::int64_t b) {
                       return rows[static_cast<std::size_t>(a)].tokens > rows[static_cast<std::size_t>(b)].tokens;
                     });
  }
  std::vector<std::int64_t> batches(static_cast<std::size_t>(full));
  std::iota(batches.begin(), batches.end(), 0);
  if (options.shuffle) shuffle(batches, options.seed, kBatchStream + static_cast<std::uint64_t>(epoch));
  std::vector<std::int64_t> grouped;
  grouped.reserve(order.size());
  for (const std::int64_t batch : batches) {
    const auto begin = order.begin() + batch * options.batch_rows;
    grouped.insert(grouped.end(), begin, begin + options.batch_rows);
  }
  grouped.insert(grouped.end(), order.begin() + full * options.batch_rows, order.end());
  return grouped;
}

void check(std::span<const RowSize> rows, const SamplerOptions& options) {
  require(!rows.empty(), "the training set has no rows");
  require(options.batch_rows >= 1 && options.batch_rows <= 1'000'000, "a batch has from 1 to 1,000,000 rows");
  require(options.micro_batch_rows >= 0, "rows computed at once must not be negative");
  require(options.epochs >= 1 && options.epochs <= 1'000'000, "epochs must be from 1 to 1,000,000");
  require(options.max_steps >= 0, "the number of steps must not be negative");
  const auto number = [](auto count) { return static_cast<double>(count); };
  const bool few_epochs = number(options.epochs) * number(rows.size()) <= kMaxPlannedRows;
  const bool few_steps =
      options.max_steps > 0 && number(options.max_steps) * number(options.batch_rows) <= kMaxPlannedRows;
  require(few_epochs || few_steps, "the plan would visit more than 500 million rows; lower the epochs or the steps");
  for (std::size_t i = 0; i < rows.size(); ++i) {
    require(rows[i].supervised > 0, [&] {
      return "training row " + std::to_string(i + 1) +
             " has no position that is scored: its answer is empty or cut off";
    });
    require(rows[i].tokens >= rows[i].supervised && rows[i].tokens < (std::int64_t{1} << 31),
            [&] { return "training row " + std::to_string(i + 1) + " has an impossible number of tokens"; });
  }
}

std::string plan_hash(const TrainPlan& plan, const SamplerOptions& options) {
  std::string text = "onggi plan 1 micro " + std::to_string(options.micro_batch_rows) + "\n";
  for (const PlanStep& step : plan.steps) {
    text += std::to_string(step.epoch) + " " + std::to_string(step.index) + " " + std::to_string(step.tokens) + " " +
            std::to_string(step.supervised) + ":";
    for (const std::int64_t row : step.rows) text += " " + std::to_string(row);
    text += "\n";
  }
  return sha256_hex(text);
}

}  // namespace

std::vector<std::int64_t> epoch_order(std::uint64_t seed, std::int64_t epoch, std::int64_t num_rows) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(num_rows));
  std::iota(order.begin(), order.end(), 0);
  shuffle(order, seed, kRowStream + static_cast<std::uint64_t>(epoch));
  return order;
}

TrainPlan make_plan(std::span<const RowSize> rows, const SamplerOptions& options) {
  check(rows, options);
  const auto n = static_cast<std::int64_t>(rows.size());
  TrainPlan plan;
  plan.steps_per_epoch = (n + options.batch_rows - 1) / options.batch_rows;
  const auto limit = options.max_steps > 0 ? options.max_steps : std::numeric_limits<std::int64_t>::max();
  for (std::int64_t epoch = 0; epoch < options.epochs; ++epoch) {
    std::vector<std::int64_t> order(rows.size());
    std::iota(order.begin(), order.end(), 0);
    if (options.shuffle) order = epoch_order(options.seed, epoch, n);
    if (options.group_by_length) order = group_by_length(std::move(order), rows, options, epoch);
    for (std::int64_t begin = 0; begin < n; begin += options.batch_rows) {
      if (static_cast<std::int64_t>(plan.steps.size()) == limit) break;
      PlanStep step{.epoch = epoch, .index = begin};
      step.rows.assign(order.begin() + begin, order.begin() + std::min(begin + options.batch_rows, n));
      for (const std::int64_t row : step.rows) {
        step.tokens += rows[static_cast<std::size_t>(row)].tokens;
        step.supervised += rows[static_cast<std::size_t>(row)].supervised;
      }
      plan.tokens += step.tokens;
      plan.supervised += step.supervised;
      plan.steps.push_back(std::move(step));
    }
    if (static_cast<std::int64_t>(plan.steps.size()) == limit) break;
  }
  plan.hash = plan_hash(plan, options);
  return plan;
}

std::vector<std::span<const std::int64_t>> micro_batches(const PlanStep& step, std::int64_t micro_batch_rows) {
  const std::size_t size = micro_batch_rows > 0 ? static_cast<std::size_t>(micro_batch_rows) : step.rows.size();
  std::vector<std::span<const std::int64_t>> pieces;
  const std::span<const std::int64_t> all = step.rows;
  for (std::size_t begin = 0; begin < all.size(); begin += size) {
    pieces.push_back(all.subspan(begin, std::min(size, all.size() - begin)));
  }
  return pieces;
}

}  // namespace onggi::train
