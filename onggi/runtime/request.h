#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "onggi/decode/guide.h"
#include "onggi/decode/sampler.h"
#include "onggi/nn/kv_cache.h"
#include "onggi/nn/lora.h"

namespace onggi::runtime {

/// One row to be answered.
struct Request {
  std::int64_t index = 0;   ///< The row's number in its job: keys its random numbers, with the sample's.
  std::vector<int> prompt;  ///< Ids after the prefix, if there is one.
  decode::Slots slots;      ///< What the guide may quote from this row.
  int num_samples = 1;      ///< Answers wanted; the prompt is computed once.
  int first_sample = 0;     ///< Number of the first; the others follow.
};

struct GeneratedToken {
  int id = 0;
  float log_probability = 0.0F;  ///< Under the served distribution: the model's, over what the guide allows.
  std::size_t begin_byte = 0;    ///< Where its bytes stand in the answer.
  std::size_t end_byte = 0;
};

struct TokenAlternative {
  int id = 0;
  float log_probability = 0.0F;
};

/// How the hidden states of a prompt's tokens become one vector.
enum class Pooling {
  kNone,  ///< No vector is wanted.
  kMean,  ///< The mean over all tokens, the beginning token included.
  kLast,  ///< That of the last token.
};

/// What is read of a prompt itself, beside or in place of an answer.
struct PromptWishes {
  Pooling pooling = Pooling::kNone;  ///< Of the states after the final norm.
  bool scores = false;               ///< Log-probabilities of the prompt's tokens; goes with no shared prefix.
  std::vector<int> next_ids;         ///< Ids whose log-probabilities at the place after the prompt are wanted.

  bool any() const { return pooling != Pooling::kNone || scores || !next_ids.empty(); }
};

/// What was read. Log-probabilities are the model's own over the whole vocabulary: no guide, bias or temperature.
struct PromptReading {
  std::vector<float> pooled;             ///< [D], as it is: neither cut nor normalised.
  std::vector<float> log_probabilities;  ///< [n] of the tokens, given all before; the first has none and is 0.
  /// Of each token but the first, where the settings ask for alternatives: the likeliest ids in its place.
  std::vector<std::vector<TokenAlternative>> alternatives;
  std::vector<float> next_log_probabilities;  ///< Of PromptWishes::next_ids, in their order.
};

struct Answer {
  std::int64_t index = 0;
  int sample = 0;
  std::string text;
  std::vector<GeneratedToken> tokens;
  double log_probability = 0.0;
  bool complete = false;      ///< Ended by a stop token, a stop text or the guide.
  bool is_cut = false;        ///< Not complete because max_new_tokens or the model's context was reached.
  bool is_cancelled = false;  ///< Not complete because nobody wanted it any more.
  std::string failure;        ///< Why not complete; empty if complete.
  /// For each token the likeliest ids with their log-probabilities, where the settings ask for them.
  std::vector<std::vector<TokenAlternative>> alternatives;

  /// Null unless the settings ask for it; whole once the prompt is through the layers.
  std::shared_ptr<const PromptReading> reading;

  /// Sum over the tokens that overlap bytes [begin, end) of the text.
  double log_probability_of(std::size_t begin, std::size_t end) const;
};

/// What answers are drawn with; the same for many requests.
struct AnswerSettings {
  std::shared_ptr<const nn::Adapter> adapter;  ///< Null = the base alone.
  std::shared_ptr<const decode::Guide> guide;  ///< Null = free.
  decode::SamplingOptions sampling;
  int max_new_tokens = 256;  ///< 0: only the prompt is read, and the answer is cut.
  PromptWishes prompt;
  std::uint64_t seed = 0;
  /// The answer ends before the first of these that it would hold; none is empty.
  std::vector<std::string> stop_texts;
  int num_alternatives = 0;                       ///< Likeliest ids given with each token.
  std::vector<std::pair<int, float>> logit_bias;  ///< Added to the logits of these ids.
  float presence_penalty = 0.0F;                  ///< Off the logits of ids that the answer has already.
  float frequency_penalty = 0.0F;                 ///< Off them for each time that it has.
  float repetition_penalty =
      1.0F;  ///< Logits of ids in prompt or answer are divided by it, negative ones multiplied (Keskar et al. 2019).

  /// Whether the model's logits are drawn from as they are.
  bool is_plain() const {
    return logit_bias.empty() && presence_penalty == 0.0F && frequency_penalty == 0.0F && repetition_penalty == 1.0F;
  }
  /// What the keys and values of a prompt depend on beside its tokens: the adapter's content. Prompts with the same key
  /// share their beginnings in the engine's cache; empty: not cached.
  std::string cache_key;
};

/// What comes before the prompts of many requests, computed once with the adapter that continues it.
struct Prefix {
  std::vector<int> tokens;
  nn::KvSequence sequence;
  std::vector<double> state_sum;  ///< [D] of its tokens' states after the final norm.
};

/// Whether a row goes on.
enum class Wish {
  kGoOn,
  kWait,  ///< Stays, but nothing of it is computed now: its reader is slow.
  kStop,  ///< Ends as cancelled.
};

/// A request on its way through an engine.
struct Job {
  Request request;
  std::shared_ptr<const AnswerSettings> settings;
  std::shared_ptr<const Prefix> prefix;  ///< May be null.
  std::function<void(Answer&&)> done;    ///< Once a sample, on the engine's thread.
  /// After each step in which the answer of these samples grew without ending; may be empty.
  std::function<void(const Answer&, std::span<const int> samples)> grown;
  /// Asked before each step; empty: goes on.
  std::function<Wish()> wish;
  bool is_urgent = true;                               ///< Before all that are not.
  std::function<void(int num_cached_tokens)> started;  ///< When it has its place in the batch; may be empty.
};

}  // namespace onggi::runtime
