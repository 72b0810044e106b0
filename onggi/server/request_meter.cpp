#include "onggi/server/request_meter.h"

#include <algorithm>
#include <vector>

namespace onggi::server {
namespace {

using Clock = RequestMeter::Clock;

double ms(Clock::duration time) { return std::chrono::duration<double, std::milli>(time).count(); }
double seconds(Clock::duration time) { return std::chrono::duration<double>(time).count(); }

/// One job on its way. On the engine's thread.
class JobTimes {
 public:
  JobTimes(ServerMetrics& metrics, std::shared_ptr<CallRecord> record, Clock::time_point arrived,
           const runtime::Job& job, std::string adapter)
      : metrics_(metrics),
        adapter_(std::move(adapter)),
        record_(std::move(record)),
        arrived_(arrived),
        num_prompt_tokens_(job.request.prompt.size()),
        first_sample_(job.request.first_sample),
        samples_(static_cast<std::size_t>(job.request.num_samples)) {
    metrics_.asked_choices.observe(job.request.num_samples);
    metrics_.asked_max_tokens.observe(job.settings->max_new_tokens);
    metrics_.adapters.change(adapter_, state_, +1);
  }
  ~JobTimes() { metrics_.adapters.change(adapter_, state_, -1); }
  JobTimes(const JobTimes&) = delete;
  JobTimes& operator=(const JobTimes&) = delete;

  void started(int num_cached_tokens) {
    started_ = Clock::now();
    metrics_.adapters.change(adapter_, AdapterUse::State::kRunning, +1);
    metrics_.adapters.change(adapter_, state_, -1);
    state_ = AdapterUse::State::kRunning;
    metrics_.queue_time.observe(seconds(started_ - arrived_));
    note([&](CallFacts& facts) {
      if (!facts.queue_ms) facts.queue_ms = ms(started_ - arrived_);
      facts.prompt_tokens += static_cast<std::int64_t>(num_prompt_tokens_);
      facts.cached_tokens += num_cached_tokens;
    });
  }

  void grew(std::size_t num_tokens, std::span<const int> samples) {
    if (num_tokens == 0) return;
    const auto now = Clock::now();
    if (num_tokens_ == 0) {
      first_token_ = now;
      metrics_.time_to_first_token.observe(seconds(now - arrived_));
      metrics_.prefill_time.observe(seconds(now - started_));
      note([&](CallFacts& facts) {
        if (!facts.first_token_ms) facts.first_token_ms = ms(now - arrived_);
      });
    }
    num_tokens_ = std::max(num_tokens_, num_tokens);
    last_token_ = now;
    for (const int number : samples) {
      Sample& sample = samples_[static_cast<std::size_t>(number - first_sample_)];
      if (num_tokens <= sample.num_tokens) continue;
      if (sample.num_tokens > 0) {
        const double interval = seconds(now - sample.last_token);
        metrics_.inter_token_latency.observe(interval);
        metrics_.time_per_output_token.observe(interval);
      }
      sample = {num_tokens, now};
    }
  }

  void done(const runtime::Answer& answer) {
    grew(answer.tokens.size(), {&answer.sample, 1});
    note([&](CallFacts& facts) {
      facts.generated_tokens += static_cast<std::int64_t>(answer.tokens.size());
      facts.total_ms = ms(Clock::now() - arrived_);
    });
    const bool is_answered = answer.complete || answer.is_cut;
    if (is_answered) metrics_.generation_tokens.observe(static_cast<double>(answer.tokens.size()));
    has_failed_ = has_failed_ || !is_answered;
    if (++num_done_ < samples_.size() || has_failed_) return;
    if (num_tokens_ == 0) first_token_ = last_token_ = Clock::now();  // Only the prompt was wanted.
    metrics_.prompt_tokens.observe(static_cast<double>(num_prompt_tokens_));
    metrics_.max_generation_tokens.observe(static_cast<double>(num_tokens_));
    metrics_.end_to_end.observe(seconds(last_token_ - arrived_));
    metrics_.request_seconds.observe(seconds(last_token_ - arrived_));
    metrics_.inference_time.observe(seconds(last_token_ - started_));
    metrics_.decode_time.observe(seconds(last_token_ - first_token_));
    if (num_tokens_ > 1) {
      metrics_.time_per_request_token.observe(seconds(last_token_ - first_token_) /
                                              static_cast<double>(num_tokens_ - 1));
    }
  }

 private:
  template <class Change>
  void note(Change change) {
    if (record_) record_->update(change);
  }
  struct Sample {
    std::size_t num_tokens = 0;
    Clock::time_point last_token;
  };
  ServerMetrics& metrics_;
  const std::string adapter_;
  AdapterUse::State state_ = AdapterUse::State::kWaiting;
  const std::shared_ptr<CallRecord> record_;
  const Clock::time_point arrived_;
  const std::size_t num_prompt_tokens_;
  const int first_sample_;
  std::vector<Sample> samples_;
  Clock::time_point started_ = arrived_, first_token_ = arrived_, last_token_ = arrived_;
  std::size_t num_tokens_ = 0;  ///< Of the longest sample.
  std::size_t num_done_ = 0;
  bool has_failed_ = false;
};

}  // namespace

void RequestMeter::attach(runtime::Job& job, const std::string& adapter) const {
  const auto times = std::make_shared<JobTimes>(metrics_, record_, arrived_, job, adapter);
  job.started = [times, next = std::move(job.started)](int num_cached_tokens) {
    times->started(num_cached_tokens);
    if (next) next(num_cached_tokens);
  };
  job.grown = [times, next = std::move(job.grown)](const runtime::Answer& answer, std::span<const int> samples) {
    times->grew(answer.tokens.size(), samples);
    if (next) next(answer, samples);
  };
  job.done = [times, next = std::move(job.done)](runtime::Answer&& answer) {
    times->done(answer);
    next(std::move(answer));
  };
}

void count_tokens(runtime::Job& job, const std::shared_ptr<CallRecord>& record) {
  job.started = [record, prompt = static_cast<std::int64_t>(job.request.prompt.size()),
                 next = std::move(job.started)](int num_cached_tokens) {
    record->update([&](CallFacts& facts) {
      facts.prompt_tokens += prompt;
      facts.cached_tokens += num_cached_tokens;
    });
    if (next) next(num_cached_tokens);
  };
  job.done = [record, next = std::move(job.done)](runtime::Answer&& answer) {
    record->update(
        [&](CallFacts& facts) { facts.generated_tokens += static_cast<std::int64_t>(answer.tokens.size()); });
    next(std::move(answer));
  };
}

}  // namespace onggi::server
