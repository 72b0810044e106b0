#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "onggi/models/decoder.h"
#include "onggi/models/head.h"
#include "onggi/runtime/prefix_cache.h"
#include "onggi/runtime/prompt_reader.h"
#include "onggi/runtime/request.h"
#include "onggi/text/tokenizer.h"

namespace onggi::runtime {

struct EngineOptions {
  int batch_rows = 16;        ///< Rows decoded side by side; samples that part make it up to 4 times as many.
  int prefill_tokens = 1024;  ///< New rows join a step up to this many prompt tokens.
  int chunk_tokens = 512;     ///< Of one prompt in one step: others do not wait for a long one to its end.
  std::int64_t cache_tokens =
      0;  ///< Of prompts' beginnings kept for those that come; only for requests with a cache key.
};

struct EngineCounts {
  std::int64_t prompt_tokens = 0;    ///< As written in the rows, the prefix counted for each.
  std::int64_t computed_tokens = 0;  ///< Run through the layers.
  std::int64_t generated_tokens = 0;
  std::int64_t forced_tokens = 0;  ///< Of these, left no choice by the guide.
  std::int64_t steps = 0;
  std::int64_t cached_tokens = 0;  ///< Of the prompts', found in the cache.
  std::int64_t cancelled_rows = 0;
  double mask_seconds = 0.0;  ///< Asking guides what may follow.
};

enum class Step {
  kIdle,     ///< Nothing to do.
  kWaiting,  ///< Every row waits for its reader.
  kComputed,
};

/// Answers requests with one model, each with its own adapter, guide and sampling. Requests join a running batch as
/// others leave it; an answer depends on its request and settings alone, whatever runs beside it and whatever the
/// options are. Confined to one thread.
class Engine {
 public:
  Engine(nn::Context& context, models::Decoder& decoder, const text::Tokenizer& tokenizer, EngineOptions options);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  /// Computes what many prompts begin with. `tokens` not empty.
  std::shared_ptr<const Prefix> compute_prefix(std::vector<int> tokens, const nn::Adapter* adapter);

  /// Puts jobs at the end of the queue. One that fails (too long for the model, cut at max_new_tokens, a guide that its
  /// slots break) is an Answer with `failure`; its neighbours are not touched.
  void submit(std::vector<Job> jobs);
  /// Ends what is not wanted any more, admits what has room and computes one batch.
  Step step();
  /// Ends everything that runs or waits, with this failure.
  void fail_all(const std::string& reason);
  bool is_idle() const { return queue_.empty() && patient_queue_.empty() && rows_.empty(); }
  std::size_t num_waiting() const { return queue_.size() + patient_queue_.size(); }
  std::size_t num_running() const;
  /// Whose keys and values rows hold, shared ones counted for each.
  std::int64_t num_held_tokens() const;
  /// Of prompts' beginnings in the cache.
  std::int64_t num_cached_tokens() const { return cache_.num_tokens(); }

  const EngineCounts& counts() const { return counts_; }

 private:
  struct Row;
  struct HeadGroup;
  bool has_room(const Job& job) const;
  void admit();
  void drop_unwanted();
  Row start(std::shared_ptr<const Job> job);
  std::vector<std::size_t> runnable() const;
  void compute(std::span<const std::size_t> turn, std::vector<std::int64_t>& last);
  void take_cached(Row& row);
  void read_prompt(Row& row, const PassedTokens& passed);
  void choose_all(std::span<const std::int64_t> last);
  /// Chooses the next token of the row's samples; appends the row, and one more for each further token that was chosen.
  void choose(Row&& chosen, const float* logits, const models::HeadSubset* subset, std::vector<Row>& rows);
  /// The row's logits after bias and penalties, in row_logits_.
  void adjust(const Row& row, std::span<const int> ids, const float* logits);
  /// Adds an id to the answer; marks the row finished where it ends.
  void take(Row& row, int id, float log_probability, std::vector<TokenAlternative> alternatives);
  /// Takes everything that the guide leaves no choice about: it needs no head and joins the next pass.
  void take_forced(Row& row);
  bool fits(const Job& job) const;
  void extend_subsets(std::span<const Job> jobs);
  std::span<const int> all_ids();
  /// What the row's guide allows next, and the time that took.
  std::span<const int> allowed(Row& row);

  nn::Context& context_;
  models::Decoder& decoder_;
  const text::Tokenizer& tokenizer_;
  EngineOptions options_;
  EngineCounts counts_;
  models::Head head_;
  PromptReader reader_;
  std::deque<std::shared_ptr<const Job>> queue_, patient_queue_;
  PrefixCache cache_;
  std::vector<Row> rows_;
  struct GuideColumns {
    std::weak_ptr<const decode::Guide> guide;
    std::unique_ptr<models::HeadSubset> subset;  ///< Null: the whole vocabulary.
    bool is_whole = false;
  };
  std::map<const decode::Guide*, GuideColumns> subsets_;
  nn::FloatBuffer h_;
  nn::FloatBuffer logits_;
  std::vector<int> all_ids_;
  std::vector<float> row_logits_;
};

}  // namespace onggi::runtime
