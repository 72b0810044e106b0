#include "onggi/runtime/generator.h"

#include <algorithm>
#include <numeric>

#include "onggi/core/error.h"

namespace onggi::runtime {
namespace {

/// Prompt tokens taken into one step: enough for efficient products, few enough that running rows are not held up.
constexpr std::int64_t kPrefillTokens = 1024;

/// Samples of a row are computed as one while they are equal. Once they part they may fill this many times the batch.
constexpr std::size_t kSamplesPerBatchRow = 4;

/// What a guide throws where a row's text makes too large a language, or one that the vocabulary can't spell.
bool is_of_one_row(const Error& error) { return error.code() == ErrorCode::kExhausted || error.code() == ErrorCode::kNotFound; }

}  // namespace

double Answer::log_probability_of(std::size_t begin, std::size_t end) const {
  double sum = 0.0;
  for (const auto& token : tokens) {
    if (token.begin_byte < end && token.end_byte > begin) sum += static_cast<double>(token.log_probability);
  }
  return sum;
}

struct Generator::Row {
  const Request* request = nullptr;
  nn::KvSequence sequence;
  std::unique_ptr<decode::GuideState> state;
  std::vector<int> pending;  ///< Chosen or given, not yet through the layers.
  Answer answer;             ///< Of every one of `samples`.
  bool finished = false;
  std::vector<int> samples;  ///< Numbers of the samples that are equal so far.
};

Generator::Generator(nn::Context& context, models::Decoder& decoder, const text::Tokenizer& tokenizer,
                     const nn::Adapter* adapter, std::shared_ptr<const decode::Guide> guide, std::vector<int> prefix,
                     GeneratorOptions options)
    : context_(context), decoder_(decoder), tokenizer_(tokenizer), adapter_(adapter), guide_(std::move(guide)),
      prefix_(std::move(prefix)), options_(options), head_(decoder) {
  require(options_.batch_rows >= 1 && options_.batch_rows <= 4096,
          [&] { return "batch rows is " + std::to_string(options_.batch_rows) + ", expected 1 to 4096"; });
  require(options_.max_new_tokens >= 1, "max new tokens must be at least 1");
}

bool Generator::fits(const Request& request) const {
  return static_cast<std::int64_t>(prefix_.size() + request.prompt.size()) + 1 <= decoder_.config().max_positions;
}

void Generator::prepare_subset(std::span<const Request> requests) {
  if (!guide_) {
    if (all_ids_.empty()) {
      // Rows of the table that are padding have no token.
      all_ids_.resize(static_cast<std::size_t>(std::min<std::int64_t>(tokenizer_.vocab_size(), decoder_.head().rows)));
      std::iota(all_ids_.begin(), all_ids_.end(), 0);
    }
    return;
  }
  std::vector<int> ids(guide_->reachable().begin(), guide_->reachable().end());
  for (const auto& request : requests) {
    if (!fits(request)) continue;
    try {
      const auto extra = guide_->reachable_from(request.slots);
      ids.insert(ids.end(), extra.begin(), extra.end());
    } catch (const Error& e) {  // The row fails when its turn comes, not its neighbours.
      if (!is_of_one_row(e)) throw;
    }
  }
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  if (subset_ && std::includes(subset_->ids().begin(), subset_->ids().end(), ids.begin(), ids.end())) return;
  subset_ = std::make_unique<models::HeadSubset>(context_, decoder_, std::move(ids));
}

void Generator::finish(Row&& row, const std::function<void(Answer&&)>& done) {
  for (const int sample : row.samples) {
    Answer answer = row.answer;
    answer.sample = sample;
    done(std::move(answer));
  }
}

Generator::Row Generator::admit(const Request& request) {
  Row row{&request, prefix_sequence_ ? prefix_sequence_->fork() : nn::KvSequence(decoder_.kv_shape()), nullptr, request.prompt, {}, false,
          std::vector<int>(static_cast<std::size_t>(request.num_samples))};
  std::iota(row.samples.begin(), row.samples.end(), request.first_sample);
  row.answer.index = request.index;
  const auto fail = [&](const std::string& reason) {
    row.answer.failure = reason;
    row.finished = true;
  };
  const auto length = static_cast<std::int64_t>(prefix_.size() + request.prompt.size());
  if (!fits(request)) {
    fail("prompt of " + std::to_string(length) + " tokens is longer than the model's context of " +
         std::to_string(decoder_.config().max_positions));
    return row;
  }
  if (request.prompt.empty()) {
    fail("prompt has no token after the shared prefix");
    return row;
  }
  if (guide_) {
    try {
      row.state = guide_->start(request.slots);
      take_forced(row);
    } catch (const Error& e) {
      fail(std::string("guide: ") + e.what());
      return row;
    }
  }
  counts_.prompt_tokens += length;
  return row;
}

void Generator::take(Row& row, int id, float log_probability) {
  Answer& answer = row.answer;
  const auto stop_ids = tokenizer_.stop_ids();
  const bool stops = std::find(stop_ids.begin(), stop_ids.end(), id) != stop_ids.end();
  if (row.state) row.state->advance(id);
  GeneratedToken token{id, log_probability, answer.text.size(), 0};
  if (!stops) answer.text += tokenizer_.token_bytes(id);
  token.end_byte = answer.text.size();
  answer.tokens.push_back(token);
  answer.log_probability += static_cast<double>(log_probability);
  counts_.generated_tokens += static_cast<std::int64_t>(row.samples.size());
  if (stops) {
    answer.complete = true;
    row.finished = true;
    return;
  }
  row.pending.push_back(id);
  if (static_cast<int>(answer.tokens.size()) >= options_.max_new_tokens) {
    answer.failure = "no end within " + std::to_string(options_.max_new_tokens) + " new tokens";
    row.finished = true;
  } else if (row.sequence.length() + static_cast<int>(row.pending.size()) + 1 > decoder_.config().max_positions) {
    answer.failure = "answer reached the model's context of " + std::to_string(decoder_.config().max_positions) + " tokens";
    row.finished = true;
  }
}

void Generator::take_forced(Row& row) {
  while (row.state && !row.finished) {
    const auto allowed = row.state->allowed();
    if (allowed.size() != 1) return;
    counts_.forced_tokens += static_cast<std::int64_t>(row.samples.size());
    take(row, allowed[0], 0.0F);
  }
}

void Generator::guarded(Row& row, const std::function<void()>& step) {
  try {
    step();
  } catch (const Error& e) {
    if (!is_of_one_row(e)) throw;
    row.answer.failure = std::string("guide: ") + e.what();
    row.finished = true;
  }
}

void Generator::choose(Row&& chosen, const float* logits, std::vector<Row>& rows) {
  const std::size_t at = rows.size();
  rows.push_back(std::move(chosen));
  std::span<const int> allowed = all_ids_;
  if (rows[at].state) {
    guarded(rows[at], [&] { allowed = rows[at].state->allowed(); });
    if (rows[at].finished) return;
    row_logits_.resize(allowed.size());
    for (std::size_t i = 0; i < allowed.size(); ++i) {
      const int column = subset_->index_of(allowed[i]);
      require(column >= 0, [&] { return "guide allows token " + std::to_string(allowed[i]) + " that it called unreachable"; },
              ErrorCode::kInternal);
      row_logits_[i] = logits[column];
    }
    logits = row_logits_.data();
  }
  struct Branch {
    decode::Choice choice;
    std::vector<int> samples;
  };
  std::vector<Branch> branches;
  for (const int sample : rows[at].samples) {
    const auto choice = decode::sample(allowed, {logits, allowed.size()}, options_.sampling, options_.seed,
                                       static_cast<std::uint64_t>(rows[at].request->index),
                                       static_cast<std::uint64_t>(sample) << 32 | rows[at].answer.tokens.size());
    auto branch = std::ranges::find(branches, choice.id, [](const Branch& b) { return b.choice.id; });
    if (branch == branches.end()) branch = branches.insert(branch, {choice, {}});
    branch->samples.push_back(sample);
  }
  for (std::size_t b = 1; b < branches.size(); ++b) {
    const Row& row = rows[at];
    rows.push_back({row.request, row.sequence.fork(), row.state ? row.state->fork() : nullptr, {}, row.answer, false, std::move(branches[b].samples)});
  }
  rows[at].samples = std::move(branches[0].samples);
  for (std::size_t b = 0; b < branches.size(); ++b) {
    Row& row = rows[at + b];
    guarded(row, [&] {
      take(row, branches[b].choice.id, branches[b].choice.log_probability);
      take_forced(row);
    });
  }
}

void Generator::run(std::span<const Request> requests, const std::function<void(Answer&&)>& done) {
  prepare_subset(requests);
  if (!prefix_.empty() && !prefix_sequence_) {
    prefix_sequence_.emplace(decoder_.kv_shape());
    models::Batch batch;
    batch.tokens = prefix_;
    batch.rows.push_back({&*prefix_sequence_, 0, static_cast<int>(prefix_.size())});
    decoder_.forward(context_, batch, adapter_, h_);
    counts_.computed_tokens += batch.num_tokens();
  }
  std::vector<Row> rows;
  std::size_t next = 0;
  while (next < requests.size() || !rows.empty()) {
    std::int64_t prompt_tokens = 0;
    const auto has_room = [&] {
      const auto limit = static_cast<std::size_t>(options_.batch_rows);
      auto num_samples = static_cast<std::size_t>(requests[next].num_samples);
      for (const auto& row : rows) num_samples += row.samples.size();
      return rows.empty() || (rows.size() < limit && num_samples <= kSamplesPerBatchRow * limit);
    };
    while (next < requests.size() && has_room() &&
           (prompt_tokens == 0 || prompt_tokens + static_cast<std::int64_t>(requests[next].prompt.size()) <= kPrefillTokens)) {
      prompt_tokens += static_cast<std::int64_t>(requests[next].prompt.size());
      Row row = admit(requests[next++]);
      if (row.finished) {
        finish(std::move(row), done);
      } else {
        rows.push_back(std::move(row));
      }
    }
    if (rows.empty()) continue;
    models::Batch batch;
    std::vector<std::int64_t> last;
    for (auto& row : rows) {
      batch.rows.push_back({&row.sequence, batch.num_tokens(), static_cast<int>(row.pending.size())});
      batch.tokens.insert(batch.tokens.end(), row.pending.begin(), row.pending.end());
      row.pending.clear();
      last.push_back(batch.num_tokens() - 1);
    }
    decoder_.forward(context_, batch, adapter_, h_);
    head_.logits(context_, h_, last, subset_.get(), logits_);
    counts_.computed_tokens += batch.num_tokens();
    ++counts_.steps;
    const std::int64_t columns = subset_ ? static_cast<std::int64_t>(subset_->ids().size()) : decoder_.head().rows;
    std::vector<Row> chosen, running;
    for (std::size_t i = 0; i < rows.size(); ++i) choose(std::move(rows[i]), logits_.data() + static_cast<std::int64_t>(i) * columns, chosen);
    for (auto& row : chosen) {
      if (row.finished) {
        finish(std::move(row), done);
      } else {
        running.push_back(std::move(row));
      }
    }
    rows = std::move(running);
  }
}

}  // namespace onggi::runtime
