#include "onggi/runtime/prompt_reader.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "onggi/decode/log_softmax.h"
#include "onggi/runtime/log_probabilities.h"

// D model width
namespace onggi::runtime {
namespace {

std::vector<std::int64_t> numbers(std::int64_t first, std::int64_t count) {
  std::vector<std::int64_t> list(static_cast<std::size_t>(count));
  std::iota(list.begin(), list.end(), first);
  return list;
}

/// Padding of the vocabulary never comes.
float log_probability(const decode::LogSoftmax& log_softmax, std::span<const float> logits, int id) {
  const auto i = static_cast<std::size_t>(id);
  return i < logits.size() ? log_softmax.of(logits[i]) : -std::numeric_limits<float>::infinity();
}

}  // namespace

void PromptReader::add_states(const nn::FloatBuffer& h_TD, const PassedTokens& passed, std::vector<double>& sum,
                              StateSums* sums_at) {
  const auto d = static_cast<std::size_t>(decoder_.config().hidden_size);
  sum.resize(d, 0.0);
  const float* state = head_.normed_rows(context_, h_TD, numbers(passed.first, passed.count));
  for (int t = 0; t < passed.count; ++t, state += d) {
    for (std::size_t i = 0; i < d; ++i) sum[i] += static_cast<double>(state[i]);
    const int end = passed.position + t + 1;
    if (sums_at != nullptr && end % PrefixCache::kPieceTokens == 0)
      (*sums_at)[end] = std::make_shared<const std::vector<double>>(sum);
  }
}

void PromptReader::read(const nn::FloatBuffer& h_TD, PassedTokens passed, const Request& request,
                        const AnswerSettings& settings, int prefix_length, std::span<const int> ids,
                        PromptState& state) {
  const int length = prefix_length + static_cast<int>(request.prompt.size());
  // What a guide leaves no choice about may follow the prompt in the same pass.
  passed.count = std::min(passed.count, length - passed.position);
  if (passed.count <= 0) return;
  const PromptWishes& wishes = settings.prompt;
  PromptReading& reading = *state.reading;
  const bool is_last = passed.position + passed.count == length;
  const std::int64_t last = passed.first + passed.count - 1;
  if (wishes.pooling == Pooling::kMean) {
    add_states(h_TD, passed, state.sum, &state.sums_at);
    if (is_last) {
      for (const double sum : state.sum)
        reading.pooled.push_back(static_cast<float>(sum / static_cast<double>(length)));
    }
  }
  if (wishes.pooling == Pooling::kLast && is_last) {
    const float* pooled = head_.normed_rows(context_, h_TD, {&last, 1});
    reading.pooled.assign(pooled, pooled + decoder_.config().hidden_size);
  }
  if (wishes.scores) score(h_TD, passed, request, settings.num_alternatives, ids, reading);
  if (!wishes.next_ids.empty() && is_last) read_next(h_TD, last, wishes.next_ids, ids.size(), reading);
}

void PromptReader::score(const nn::FloatBuffer& h_TD, const PassedTokens& passed, const Request& request,
                         int num_alternatives, std::span<const int> ids, PromptReading& reading) {
  const auto& prompt = request.prompt;
  reading.log_probabilities.resize(prompt.size(), 0.0F);
  if (num_alternatives > 0) reading.alternatives.resize(prompt.size() - 1);
  // The last token's state says what comes after the prompt.
  const int end = std::min(passed.position + passed.count, static_cast<int>(prompt.size()) - 1);
  for (int begin = passed.position; begin < end; begin += kScoreChunk) {
    const int count = std::min(kScoreChunk, end - begin);
    head_.logits(context_, h_TD, numbers(passed.first + begin - passed.position, count), nullptr, logits_);
    context_.parallel_for(count, 1, [&](std::int64_t first, std::int64_t last, int) {
      for (std::int64_t i = first; i < last; ++i) {
        const std::span<const float> logits(logits_.data() + i * decoder_.head().rows, ids.size());
        const auto place = static_cast<std::size_t>(begin + i);
        const decode::LogSoftmax log_softmax(logits);
        reading.log_probabilities[place + 1] = log_probability(log_softmax, logits, prompt[place + 1]);
        if (num_alternatives > 0) reading.alternatives[place] = likeliest(ids, logits, num_alternatives);
      }
    });
  }
}

void PromptReader::read_next(const nn::FloatBuffer& h_TD, std::int64_t token, std::span<const int> next_ids,
                             std::size_t num_ids, PromptReading& reading) {
  head_.logits(context_, h_TD, {&token, 1}, nullptr, logits_);
  const std::span<const float> logits(logits_.data(), num_ids);
  const decode::LogSoftmax log_softmax(logits);
  for (const int id : next_ids) reading.next_log_probabilities.push_back(log_probability(log_softmax, logits, id));
}

}  // namespace onggi::runtime
