#include "onggi/train/sft_step.h"

#include <algorithm>
#include <cstring>

#include "onggi/core/error.h"

namespace onggi::train {

std::int64_t Example::num_scored() const {
  if (allowed.empty()) return static_cast<std::int64_t>(answer.size());
  return std::count_if(allowed.begin(), allowed.end(), [](const auto& mask) { return !mask.empty(); });
}

std::int64_t ExampleSet::num_tokens() const {
  std::int64_t total = 0;
  for (const auto& e : examples) total += static_cast<std::int64_t>(prefix.size()) + e.num_tokens();
  return total;
}

std::int64_t ExampleSet::num_scored() const {
  std::int64_t total = 0;
  for (const auto& e : examples) total += e.num_scored();
  return total;
}

std::vector<std::pair<std::size_t, std::size_t>> cut_passes(const ExampleSet& set, std::span<const std::size_t> rows,
                                                            std::int64_t max_pass_tokens) {
  std::vector<std::pair<std::size_t, std::size_t>> passes;
  std::int64_t tokens = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::int64_t next = set.examples[rows[i]].num_tokens();
    if (passes.empty() || tokens + next > max_pass_tokens) {
      passes.emplace_back(i, 0);
      tokens = static_cast<std::int64_t>(set.prefix.size());
    }
    ++passes.back().second;
    tokens += next;
  }
  return passes;
}

PassSize pass_size(const ExampleSet& set, std::span<const std::size_t> rows) {
  PassSize size{.tokens = static_cast<std::int64_t>(set.prefix.size()), .rows = static_cast<std::int64_t>(rows.size())};
  for (const std::size_t row : rows) {
    size.tokens += set.examples[row].num_tokens() - 1;
    size.scored += set.examples[row].num_scored();
  }
  return size;
}

SupervisedStep::SupervisedStep(nn::Context& context, models::Decoder& decoder, nn::Adapter* adapter,
                               const models::HeadSubset* subset, StepOptions options)
    : context_(context), decoder_(decoder), adapter_(adapter), subset_(subset), options_(options), head_(decoder) {
  require(options.lora_dropout >= 0.0F && options.lora_dropout < 1.0F, "LoRA dropout must be at least 0 and below 1");
  trace_.recompute = options.recompute;
  dropout_.probability = options.lora_dropout;
  dropout_.seed = options.seed;
}

double SupervisedStep::accumulate(const ExampleSet& set, std::span<const std::size_t> rows, std::int64_t denominator,
                                  std::int64_t update) {
  dropout_.update = static_cast<std::uint64_t>(update);
  return run(set, rows, 1.0F / static_cast<float>(denominator), true);
}

double SupervisedStep::evaluate(const ExampleSet& set, std::span<const std::size_t> rows) {
  return run(set, rows, 0.0F, false);
}

double SupervisedStep::run(const ExampleSet& set, std::span<const std::size_t> rows, float gradient_scale,
                           bool with_gradient) {
  double total = 0.0;
  for (const auto& [first, count] : cut_passes(set, rows, options_.max_pass_tokens)) {
    total += pass(set, rows.subspan(first, count), gradient_scale, with_gradient);
  }
  return total;
}

void SupervisedStep::key_dropout(const ExampleSet& set, std::span<const std::size_t> rows, const models::Batch& batch) {
  dropout_.token_keys.assign(batch.tokens.size(), 0);
  const std::size_t num_prefixes = batch.rows.size() - rows.size();
  for (std::size_t r = 0; r < batch.rows.size(); ++r) {
    const models::BatchRow& row = batch.rows[r];
    // Row 0 is the prefix; the others begin after it.
    const std::uint64_t key = r < num_prefixes ? 0 : rows[r - num_prefixes] + 1;
    const std::uint64_t start = r < num_prefixes ? 0 : set.prefix.size();
    for (int t = 0; t < row.count; ++t) {
      dropout_.token_keys[static_cast<std::size_t>(row.first + t)] = nn::dropout_key(key, start + static_cast<std::uint64_t>(t));
    }
  }
}

double SupervisedStep::pass(const ExampleSet& set, std::span<const std::size_t> rows, float gradient_scale,
                            bool with_gradient) {
  models::Batch batch;
  std::vector<nn::KvSequence> sequences(rows.size() + 1, nn::KvSequence(decoder_.kv_shape()));
  std::vector<models::ScoredPosition> scored;
  const bool has_prefix = !set.prefix.empty();
  if (has_prefix) {
    batch.tokens = set.prefix;
    batch.rows.push_back({&sequences.back(), 0, static_cast<int>(set.prefix.size())});
  }
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const Example& e = set.examples[rows[r]];
    // The last answer token predicts nothing, so it is not computed.
    const std::int64_t first = batch.num_tokens();
    const auto count = static_cast<int>(e.num_tokens()) - 1;
    batch.rows.push_back({&sequences[r], first, count, has_prefix ? 0 : -1});
    batch.tokens.insert(batch.tokens.end(), e.prompt.begin(), e.prompt.end());
    batch.tokens.insert(batch.tokens.end(), e.answer.begin(), e.answer.end() - 1);
    for (std::size_t i = 0; i < e.answer.size(); ++i) {
      models::ScoredPosition p{first + static_cast<std::int64_t>(e.prompt.size() + i) - 1, e.answer[i], {}};
      if (!e.allowed.empty()) {
        if (e.allowed[i].empty()) continue;
        p.allowed = e.allowed[i];
      }
      scored.push_back(p);
    }
  }
  for (const auto& p : scored) batch.needed.push_back(p.token);
  if (with_gradient && dropout_.probability > 0.0F) {
    key_dropout(set, rows, batch);
    batch.dropout = &dropout_;
  }
  num_computed_tokens_ += batch.num_tokens();
  decoder_.forward(context_, batch, adapter_, h_, with_gradient ? &trace_ : nullptr);
  if (!with_gradient) return head_.loss(context_, h_, scored, subset_, 0.0F, nullptr);
  const std::int64_t size = batch.num_tokens() * decoder_.config().hidden_size;
  std::memset(dh_.resize(size), 0, static_cast<std::size_t>(size) * sizeof(float));
  const double loss = head_.loss(context_, h_, scored, subset_, gradient_scale, &dh_);
  decoder_.backward(context_, batch, trace_, adapter_, dh_);
  return loss;
}

}  // namespace onggi::train
