#include "onggi/runtime/engine.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>
#include <iterator>
#include <numeric>

#include "onggi/core/error.h"
#include "onggi/runtime/log_probabilities.h"

namespace onggi::runtime {
namespace {

/// Samples of a row are computed as one while they are equal. Once they part they may fill this many times the batch.
constexpr std::size_t kSamplesPerBatchRow = 4;
/// Prompt tokens in a step that the whole head is computed for: others do not wait long for such a step.
constexpr std::size_t kScoredTokensPerStep = 128;

/// While urgent rows run, the others take part in one step of this many: neither waits for the other to end.
constexpr std::int64_t kPatientTurn = 4;

template <class Rows>
bool has_urgent(const Rows& rows) {
  return std::ranges::any_of(rows, [](const auto& row) { return row.job->is_urgent; });
}

/// What a guide throws where a row's text makes too large a language, or one that the vocabulary can't spell.
bool is_of_one_row(const Error& error) {
  return error.code() == ErrorCode::kExhausted || error.code() == ErrorCode::kNotFound;
}

Wish wish_of(const Job& job) { return job.wish ? job.wish() : Wish::kGoOn; }

std::int64_t prefix_length(const Job& job) {
  return job.prefix ? static_cast<std::int64_t>(job.prefix->tokens.size()) : 0;
}

}  // namespace

double Answer::log_probability_of(std::size_t begin, std::size_t end) const {
  double sum = 0.0;
  for (const auto& token : tokens) {
    if (token.begin_byte < end && token.end_byte > begin) sum += static_cast<double>(token.log_probability);
  }
  return sum;
}

struct Engine::Row {
  std::shared_ptr<const Job> job;
  nn::KvSequence sequence;
  std::unique_ptr<decode::GuideState> state;
  std::vector<int> pending;  ///< Chosen or given, not yet through the layers.
  Answer answer;             ///< Of every one of `samples`.
  bool finished = false;
  std::vector<int> samples;  ///< Numbers of the samples that are equal so far.
  PromptState prompt = {};

  const AnswerSettings& settings() const { return *job->settings; }
  void fail(const std::string& reason) {
    answer.failure = reason;
    finished = true;
  }
  void cut(const std::string& reason) {
    answer.is_cut = true;
    fail(reason);
  }
  void cancel() {
    answer.is_cancelled = true;
    fail("cancelled");
  }
  int num_prompt_tokens() const { return static_cast<int>(job->request.prompt.size()); }
  bool is_scored_next() const { return settings().prompt.scores && sequence.length() < num_prompt_tokens(); }
  /// Fails where the guide can't go on for this row's text; other errors are thrown on.
  template <class Step>
  void guarded(Step step) {
    try {
      step();
    } catch (const Error& e) {
      if (!is_of_one_row(e)) throw;
      fail(std::string("guide: ") + e.what());
    }
  }
  void finish() const {
    for (const int sample : samples) {
      Answer copy = answer;
      copy.sample = sample;
      job->done(std::move(copy));
    }
  }
};

/// Rows whose logits have the same columns.
struct Engine::HeadGroup {
  const models::HeadSubset* subset = nullptr;  ///< Null: the whole vocabulary.
  std::vector<std::size_t> rows;
  std::vector<std::int64_t> last;
};

Engine::Engine(nn::Context& context, models::Decoder& decoder, const text::Tokenizer& tokenizer, EngineOptions options)
    : context_(context),
      decoder_(decoder),
      tokenizer_(tokenizer),
      options_(options),
      head_(decoder),
      reader_(context, decoder, head_),
      cache_(options.cache_tokens) {
  require(options_.batch_rows >= 1 && options_.batch_rows <= 4096,
          [&] { return "batch rows is " + std::to_string(options_.batch_rows) + ", expected 1 to 4096"; });
  require(options_.chunk_tokens >= 1,
          [&] { return "chunk tokens is " + std::to_string(options_.chunk_tokens) + ", expected at least 1"; });
  require(options_.cache_tokens >= 0,
          [&] { return "cache tokens is " + std::to_string(options_.cache_tokens) + ", expected at least 0"; });
}

Engine::~Engine() = default;

std::shared_ptr<const Prefix> Engine::compute_prefix(std::vector<int> tokens, const nn::Adapter* adapter) {
  const auto prefix = std::make_shared<Prefix>(Prefix{std::move(tokens), nn::KvSequence(decoder_.kv_shape()), {}});
  models::Batch batch;
  batch.tokens = prefix->tokens;
  batch.rows.push_back({&prefix->sequence, 0, static_cast<int>(prefix->tokens.size())});
  decoder_.forward(context_, batch, adapter, h_);
  reader_.add_states(h_, {.first = 0, .count = static_cast<int>(batch.num_tokens())}, prefix->state_sum);
  counts_.computed_tokens += batch.num_tokens();
  return prefix;
}

bool Engine::fits(const Job& job) const {
  const int room = job.settings->max_new_tokens > 0 ? 1 : 0;
  return prefix_length(job) + static_cast<std::int64_t>(job.request.prompt.size()) + room <=
         decoder_.config().max_positions;
}

void Engine::extend_subsets(std::span<const Job> jobs) {
  std::erase_if(subsets_, [](const auto& entry) { return entry.second.guide.expired(); });
  std::map<const decode::Guide*, std::vector<int>> wanted;
  for (const Job& job : jobs) {
    const auto& guide = job.settings->guide;
    if (!guide || !fits(job)) continue;
    auto [ids, is_new] = wanted.try_emplace(guide.get(), guide->reachable().begin(), guide->reachable().end());
    subsets_[guide.get()].guide = guide;
    try {
      const auto extra = guide->reachable_from(job.request.slots);
      ids->second.insert(ids->second.end(), extra.begin(), extra.end());
    } catch (const Error& e) {  // The row fails when its turn comes, not its neighbours.
      if (!is_of_one_row(e)) throw;
    }
  }
  for (auto& [guide, ids] : wanted) {
    GuideColumns& columns = subsets_.at(guide);
    auto& subset = columns.subset;
    if (columns.is_whole && !is_idle()) continue;  // Rows that run or wait read it as it is.
    std::sort(ids.begin(), ids.end());
    ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
    // Where most tokens can be reached, the whole head costs no more than a copy of most of it.
    columns.is_whole = ids.size() > static_cast<std::size_t>(decoder_.head().rows) / 2;
    if (columns.is_whole) {
      subset = nullptr;
      continue;
    }
    if (subset && std::ranges::includes(subset->ids(), ids)) continue;
    if (subset && !is_idle()) {  // Rows that run or wait need what is there.
      std::vector<int> both;
      std::ranges::set_union(subset->ids(), ids, std::back_inserter(both));
      ids = std::move(both);
    }
    subset = std::make_unique<models::HeadSubset>(context_, decoder_, std::move(ids));
  }
}

void Engine::submit(std::vector<Job> jobs) {
  for (const Job& job : jobs) {
    const auto& prompt = job.settings->prompt;
    require(job.settings->max_new_tokens >= 0, "max new tokens must be at least 0");
    require(!prompt.scores || !job.prefix, "a prompt that is scored has no shared prefix", ErrorCode::kInternal);
  }
  extend_subsets(jobs);
  for (Job& job : jobs) {
    auto& queue = job.is_urgent ? queue_ : patient_queue_;
    queue.push_back(std::make_shared<const Job>(std::move(job)));
  }
}

bool Engine::has_room(const Job& job) const {
  const auto limit = static_cast<std::size_t>(options_.batch_rows);
  auto num_samples = static_cast<std::size_t>(job.request.num_samples);
  std::size_t num_rows = 0;
  for (const auto& row : rows_) {
    if (job.is_urgent && !row.job->is_urgent) continue;  // They keep their places and make none scarce.
    num_samples += row.samples.size();
    ++num_rows;
  }
  return num_rows == 0 || (num_rows < limit && num_samples <= kSamplesPerBatchRow * limit);
}

void Engine::admit() {
  std::int64_t prompt_tokens = 0;
  while (num_waiting() > 0) {
    auto& queue = queue_.empty() ? patient_queue_ : queue_;
    if (queue_.empty() && has_urgent(rows_) && (counts_.steps % kPatientTurn != 0 || prompt_tokens > 0)) return;
    if (!has_room(*queue.front())) return;
    const auto count =
        std::min<std::int64_t>(options_.chunk_tokens, static_cast<std::int64_t>(queue.front()->request.prompt.size()));
    if (prompt_tokens > 0 && prompt_tokens + count > options_.prefill_tokens) return;
    prompt_tokens += count;
    auto job = std::move(queue.front());
    queue.pop_front();
    Row row = start(std::move(job));
    if (row.finished) {
      row.finish();
    } else {
      rows_.push_back(std::move(row));
    }
  }
}

void Engine::drop_unwanted() {
  for (auto* queue : {&queue_, &patient_queue_}) {
    std::erase_if(*queue, [&](const auto& job) {
      if (wish_of(*job) != Wish::kStop) return false;
      ++counts_.cancelled_rows;
      for (int s = 0; s < job->request.num_samples; ++s) {
        job->done({.index = job->request.index,
                   .sample = job->request.first_sample + s,
                   .is_cancelled = true,
                   .failure = "cancelled"});
      }
      return true;
    });
  }
  std::erase_if(rows_, [&](Row& row) {
    if (wish_of(*row.job) != Wish::kStop) return false;
    ++counts_.cancelled_rows;
    row.cancel();
    row.finish();
    return true;
  });
}

/// What the cache has of the row's prompt. A prompt that is scored needs the states of all its tokens, a mean their
/// sum.
void Engine::take_cached(Row& row) {
  const AnswerSettings& settings = row.settings();
  if (settings.cache_key.empty() || row.job->prefix || settings.prompt.scores) return;
  const bool needs_sum = settings.prompt.pooling == Pooling::kMean;
  auto cached = cache_.find(settings.cache_key, row.pending, needs_sum);
  if (!cached) return;
  row.sequence = std::move(cached->sequence);
  if (needs_sum) row.prompt.sum = *cached->state_sum;
  row.pending.erase(row.pending.begin(), row.pending.begin() + row.sequence.length());
  counts_.cached_tokens += row.sequence.length();
}

/// A row ready to run, or one that has failed.
Engine::Row Engine::start(std::shared_ptr<const Job> job) {
  const Request& request = job->request;
  Row row{.job = job,
          .sequence = job->prefix ? job->prefix->sequence.fork() : nn::KvSequence(decoder_.kv_shape()),
          .state = nullptr,
          .pending = request.prompt,
          .answer = {},
          .finished = false,
          .samples = std::vector<int>(static_cast<std::size_t>(request.num_samples))};
  std::iota(row.samples.begin(), row.samples.end(), request.first_sample);
  row.answer.index = request.index;
  const std::int64_t length = prefix_length(*job) + static_cast<std::int64_t>(request.prompt.size());
  if (!fits(*job)) {
    row.fail("prompt of " + std::to_string(length) + " tokens is longer than the model's context of " +
             std::to_string(decoder_.config().max_positions));
    return row;
  }
  if (request.prompt.empty()) {
    row.fail("prompt has no token after the shared prefix");
    return row;
  }
  if (job->settings->prompt.any()) {
    row.prompt.reading = std::make_shared<PromptReading>();
    row.answer.reading = row.prompt.reading;
    if (job->prefix) row.prompt.sum = job->prefix->state_sum;
  }
  take_cached(row);
  if (const auto& guide = job->settings->guide; guide && job->settings->max_new_tokens > 0) {
    try {
      row.state = guide->start(request.slots);
      take_forced(row);
    } catch (const Error& e) {
      row.fail(std::string("guide: ") + e.what());
      return row;
    }
  }
  counts_.prompt_tokens += length;
  if (job->started) job->started(row.sequence.length());
  return row;
}

void Engine::take(Row& row, int id, float log_probability, std::vector<TokenAlternative> alternatives) {
  Answer& answer = row.answer;
  const AnswerSettings& settings = row.settings();
  const auto stop_ids = tokenizer_.stop_ids();
  bool stops = std::find(stop_ids.begin(), stop_ids.end(), id) != stop_ids.end();
  if (row.state) row.state->advance(id);
  GeneratedToken token{id, log_probability, answer.text.size(), 0};
  if (!stops) answer.text += tokenizer_.token_bytes(id);
  for (const std::string& text : settings.stop_texts) {
    const auto found = answer.text.find(text, token.begin_byte - std::min(token.begin_byte, text.size() - 1));
    if (found == std::string::npos) continue;
    answer.text.resize(found);
    stops = true;
  }
  token.end_byte = answer.text.size();
  token.begin_byte = std::min(token.begin_byte, token.end_byte);
  answer.tokens.push_back(token);
  if (settings.num_alternatives > 0) answer.alternatives.push_back(std::move(alternatives));
  answer.log_probability += static_cast<double>(log_probability);
  counts_.generated_tokens += static_cast<std::int64_t>(row.samples.size());
  if (stops) {
    answer.complete = true;
    row.finished = true;
    return;
  }
  row.pending.push_back(id);
  if (static_cast<int>(answer.tokens.size()) >= settings.max_new_tokens) {
    row.cut("no end within " + std::to_string(settings.max_new_tokens) + " new tokens");
  } else if (row.sequence.length() + static_cast<int>(row.pending.size()) + 1 > decoder_.config().max_positions) {
    row.cut("answer reached the model's context of " + std::to_string(decoder_.config().max_positions) + " tokens");
  }
}

void Engine::take_forced(Row& row) {
  while (row.state && !row.finished) {
    const auto ids = allowed(row);
    if (ids.size() != 1) return;
    counts_.forced_tokens += static_cast<std::int64_t>(row.samples.size());
    const int id = ids[0];
    take(row, id, 0.0F, {{id, 0.0F}});
  }
}

std::span<const int> Engine::allowed(Row& row) {
  const auto began = std::chrono::steady_clock::now();
  const auto ids = row.state->allowed();
  counts_.mask_seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  return ids;
}

std::span<const int> Engine::all_ids() {
  if (all_ids_.empty()) {
    // Rows of the table that are padding have no token.
    all_ids_.resize(static_cast<std::size_t>(std::min<std::int64_t>(tokenizer_.vocab_size(), decoder_.head().rows)));
    std::iota(all_ids_.begin(), all_ids_.end(), 0);
  }
  return all_ids_;
}

void Engine::adjust(const Row& row, std::span<const int> ids, const float* logits) {
  const AnswerSettings& settings = row.settings();
  if (logits != row_logits_.data()) row_logits_.assign(logits, logits + ids.size());
  const auto at = [&](int id) -> float* {
    const auto found = std::ranges::lower_bound(ids, id);
    return found != ids.end() && *found == id ? &row_logits_[static_cast<std::size_t>(found - ids.begin())] : nullptr;
  };
  std::map<int, int> counts;
  for (const auto& token : row.answer.tokens) ++counts[token.id];
  for (const auto& [id, count] : counts) {
    if (float* logit = at(id))
      *logit -= settings.presence_penalty + settings.frequency_penalty * static_cast<float>(count);
  }
  if (settings.repetition_penalty != 1.0F) {
    for (const int id : row.job->request.prompt) counts.try_emplace(id, 0);
    for (const auto& [id, count] : counts) {
      if (float* logit = at(id))
        *logit = *logit > 0.0F ? *logit / settings.repetition_penalty : *logit * settings.repetition_penalty;
    }
  }
  for (const auto& [id, bias] : settings.logit_bias) {
    if (float* logit = at(id)) *logit += bias;
  }
}

void Engine::choose(Row&& chosen, const float* logits, const models::HeadSubset* subset, std::vector<Row>& rows) {
  const std::size_t at = rows.size();
  rows.push_back(std::move(chosen));
  std::span<const int> ids;
  if (rows[at].state) {
    rows[at].guarded([&] { ids = allowed(rows[at]); });
    if (rows[at].finished) return;
    row_logits_.resize(ids.size());
    for (std::size_t i = 0; i < ids.size(); ++i) {
      const int column = subset != nullptr ? subset->index_of(ids[i]) : ids[i] < decoder_.head().rows ? ids[i] : -1;
      require(
          column >= 0, [&] { return "guide allows token " + std::to_string(ids[i]) + " that it called unreachable"; },
          ErrorCode::kInternal);
      row_logits_[i] = logits[column];
    }
    logits = row_logits_.data();
  } else {
    ids = all_ids();
  }
  if (!rows[at].settings().is_plain()) {
    adjust(rows[at], ids, logits);
    logits = row_logits_.data();
  }
  struct Branch {
    decode::Choice choice;
    std::vector<int> samples;
  };
  std::vector<Branch> branches;
  const AnswerSettings& settings = rows[at].settings();
  const auto alternatives = settings.num_alternatives > 0
                                ? likeliest(ids, {logits, ids.size()}, settings.num_alternatives)
                                : std::vector<TokenAlternative>();
  for (const int sample : rows[at].samples) {
    const auto choice = decode::sample(ids, {logits, ids.size()}, settings.sampling, settings.seed,
                                       static_cast<std::uint64_t>(rows[at].answer.index),
                                       static_cast<std::uint64_t>(sample) << 32 | rows[at].answer.tokens.size());
    auto branch = std::ranges::find(branches, choice.id, [](const Branch& b) { return b.choice.id; });
    if (branch == branches.end()) branch = branches.insert(branch, {choice, {}});
    branch->samples.push_back(sample);
  }
  for (std::size_t b = 1; b < branches.size(); ++b) {
    const Row& row = rows[at];
    rows.push_back({.job = row.job,
                    .sequence = row.sequence.fork(),
                    .state = row.state ? row.state->fork() : nullptr,
                    .pending = {},
                    .answer = row.answer,
                    .finished = false,
                    .samples = std::move(branches[b].samples)});
  }
  rows[at].samples = std::move(branches[0].samples);
  for (std::size_t b = 0; b < branches.size(); ++b) {
    Row& row = rows[at + b];
    row.guarded([&] {
      take(row, branches[b].choice.id, branches[b].choice.log_probability, alternatives);
      take_forced(row);
    });
    if (!row.finished && row.job->grown) row.job->grown(row.answer, row.samples);
  }
}

/// Rows that are computed in this step.
std::vector<std::size_t> Engine::runnable() const {
  std::vector<std::size_t> turn;
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    if (wish_of(*rows_[i].job) != Wish::kWait) turn.push_back(i);
  }
  const auto is_urgent = [&](std::size_t i) { return rows_[i].job->is_urgent; };
  if (counts_.steps % kPatientTurn != 0 && std::ranges::any_of(turn, is_urgent))
    std::erase_if(turn, std::not_fn(is_urgent));
  return turn;
}

/// What is pending, up to a chunk a row, through the layers; last[i] is the token of the batch that ends row i, -1
/// where it has more to come or is not in this step.
void Engine::compute(std::span<const std::size_t> turn, std::vector<std::int64_t>& last) {
  // Rows of one adapter side by side, adapters in the order of their first row.
  std::vector<const nn::Adapter*> adapters;
  for (const std::size_t i : turn) {
    const nn::Adapter* adapter = rows_[i].settings().adapter.get();
    if (std::ranges::find(adapters, adapter) == adapters.end()) adapters.push_back(adapter);
  }
  models::Batch batch;
  std::vector<std::size_t> order;  // The rows as the batch has them.
  std::size_t scored_left = kScoredTokensPerStep;
  last.assign(rows_.size(), -1);
  for (const nn::Adapter* adapter : adapters) {
    for (const std::size_t i : turn) {
      Row& row = rows_[i];
      if (row.settings().adapter.get() != adapter) continue;
      auto count = std::min(row.pending.size(), static_cast<std::size_t>(options_.chunk_tokens));
      if (row.is_scored_next()) {
        count = std::min(count, scored_left);
        scored_left -= count;
        if (count == 0) continue;
      }
      batch.rows.push_back({&row.sequence, batch.num_tokens(), static_cast<int>(count)});
      batch.row_adapters.push_back(adapter);
      batch.tokens.insert(batch.tokens.end(), row.pending.begin(),
                          row.pending.begin() + static_cast<std::ptrdiff_t>(count));
      row.pending.erase(row.pending.begin(), row.pending.begin() + static_cast<std::ptrdiff_t>(count));
      if (row.pending.empty()) last[i] = batch.num_tokens() - 1;
      order.push_back(i);
    }
  }
  decoder_.forward(context_, batch, nullptr, h_);
  counts_.computed_tokens += batch.num_tokens();
  ++counts_.steps;
  for (std::size_t b = 0; b < order.size(); ++b) {
    Row& row = rows_[order[b]];
    const models::BatchRow& passed = batch.rows[b];
    const int position = row.sequence.length() - passed.count;
    read_prompt(row, {.first = passed.first, .count = passed.count, .position = position});
    if (row.pending.empty() && row.settings().max_new_tokens == 0) row.cut("no end within 0 new tokens");
  }
}

/// What the row wants of its prompt, and what the cache keeps of it.
void Engine::read_prompt(Row& row, const PassedTokens& passed) {
  const Job& job = *row.job;
  if (row.prompt.reading) {
    reader_.read(h_, passed, job.request, row.settings(), static_cast<int>(prefix_length(job)), all_ids(), row.prompt);
  }
  const auto& key = row.settings().cache_key;
  if (!key.empty() && !job.prefix && passed.position < row.num_prompt_tokens())
    cache_.insert(key, job.request.prompt, row.sequence, passed.position, row.prompt.sums_at);
  row.prompt.sums_at.clear();
}

void Engine::choose_all(std::span<const std::int64_t> last) {
  std::vector<HeadGroup> groups;
  std::vector<Row> chosen, running;
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    if (last[i] < 0 || rows_[i].finished) continue;
    const auto& guide = rows_[i].settings().guide;
    const models::HeadSubset* subset = guide ? subsets_.at(guide.get()).subset.get() : nullptr;
    auto group = std::ranges::find(groups, subset, &HeadGroup::subset);
    if (group == groups.end()) group = groups.insert(group, HeadGroup{.subset = subset, .rows = {}, .last = {}});
    group->rows.push_back(i);
    group->last.push_back(last[i]);
  }
  for (const HeadGroup& group : groups) {
    head_.logits(context_, h_, group.last, group.subset, logits_);
    const std::int64_t columns =
        group.subset ? static_cast<std::int64_t>(group.subset->ids().size()) : decoder_.head().rows;
    for (std::size_t i = 0; i < group.rows.size(); ++i) {
      choose(std::move(rows_[group.rows[i]]), logits_.data() + static_cast<std::int64_t>(i) * columns, group.subset,
             chosen);
    }
  }
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    if (rows_[i].finished) {
      rows_[i].finish();
    } else if (last[i] < 0) {
      running.push_back(std::move(rows_[i]));
    }
  }
  for (auto& row : chosen) {
    if (row.finished) {
      row.finish();
    } else {
      running.push_back(std::move(row));
    }
  }
  rows_ = std::move(running);
}

void Engine::fail_all(const std::string& reason) {
  for (auto* queue : {&queue_, &patient_queue_}) {
    for (const auto& job : *queue) {
      for (int s = 0; s < job->request.num_samples; ++s)
        job->done({.index = job->request.index, .sample = job->request.first_sample + s, .failure = reason});
    }
    queue->clear();
  }
  for (Row& row : rows_) {
    row.fail(reason);
    row.finish();
  }
  rows_.clear();
}

std::size_t Engine::num_running() const { return rows_.size(); }

std::int64_t Engine::num_held_tokens() const {
  std::int64_t total = 0;
  for (const Row& row : rows_) total += row.sequence.length();
  return total;
}

Step Engine::step() {
  if (is_idle()) return Step::kIdle;
  drop_unwanted();
  admit();
  const auto turn = runnable();
  if (turn.empty()) return rows_.empty() ? Step::kComputed : Step::kWaiting;
  std::vector<std::int64_t> last;
  compute(turn, last);
  choose_all(last);
  return Step::kComputed;
}

}  // namespace onggi::runtime
