#include "onggi/runtime/prompt_reader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "onggi/decode/log_softmax.h"
#include "onggi/models/adapter_io.h"
#include "onggi/runtime/engine.h"
#include "onggi/runtime/test_support.h"
#include "tests/support/shared.h"

namespace onggi::runtime {
namespace {

struct Fixture {
  explicit Fixture(int threads = 2) : pool(threads), context(pool) {
    const auto folder = testing::shared_folder() / "fixtures/tiny/gemma3";
    decoder = models::Decoder::load(formats::open_checkpoint(folder), context, models::Compute::kF32);
    adapter = std::make_shared<nn::Adapter>(
        models::adapter_from_files(context, *decoder, nn::read_adapter(folder / "adapter-lora"), "adapter-lora"));
  }

  /// Wish r: its own length, adapter and kind of reading, some with an answer after it; many begin alike.
  Job job(int r) {
    auto settings = std::make_shared<AnswerSettings>();
    if (r % 2 == 1) settings->adapter = adapter;
    settings->cache_key = "adapter " + std::to_string(r % 2);
    settings->max_new_tokens = r % 3 == 0 ? 0 : r % 5;
    settings->sampling.temperature = 0.0F;
    settings->num_alternatives = r % 4;
    settings->prompt.pooling =
        std::array{Pooling::kMean, Pooling::kLast, Pooling::kNone}[static_cast<std::size_t>(r / 2 % 3)];
    settings->prompt.scores = r % 5 > 2;
    if (r % 3 > 0 || !settings->prompt.any()) settings->prompt.next_ids = {7, 300, 0};
    Request request{.index = r};
    for (int i = 0; i < 1 + 17 * (r % 13); ++i) request.prompt.push_back(3 + (i < 70 ? i * 17 : r * 31 + i * 17) % 300);
    return {.request = std::move(request), .settings = std::move(settings)};
  }

  std::map<int, Answer> run(std::vector<Job> jobs, EngineOptions options) {
    Engine engine(context, *decoder, tokenizer, options);
    std::map<int, Answer> answers;
    for (std::size_t i = 0; i < jobs.size(); ++i)
      jobs[i].done = [&answers, i](Answer&& a) { answers[static_cast<int>(i)] = std::move(a); };
    engine.submit(std::move(jobs));
    while (engine.step() != Step::kIdle) {
    }
    counts = engine.counts();
    return answers;
  }

  std::map<int, Answer> run(int count, EngineOptions options) {
    std::vector<Job> jobs;
    for (int r = 0; r < count; ++r) jobs.push_back(job(r));
    return run(std::move(jobs), options);
  }

  ThreadPool pool;
  nn::Context context;
  std::unique_ptr<models::Decoder> decoder;
  std::shared_ptr<const nn::Adapter> adapter;
  NumberTokenizer tokenizer;
  EngineCounts counts;
};

void expect_equal(std::span<const TokenAlternative> got, std::span<const TokenAlternative> want) {
  ASSERT_EQ(got.size(), want.size());
  for (std::size_t i = 0; i < want.size(); ++i) {
    EXPECT_EQ(got[i].id, want[i].id);
    EXPECT_EQ(got[i].log_probability, want[i].log_probability);
  }
}

void expect_equal(const std::map<int, Answer>& got, const std::map<int, Answer>& want) {
  ASSERT_EQ(got.size(), want.size());
  for (const auto& [r, answer] : want) {
    SCOPED_TRACE("request " + std::to_string(r));
    const Answer& other = got.at(r);
    EXPECT_EQ(other.text, answer.text);
    EXPECT_EQ(other.log_probability, answer.log_probability);
    EXPECT_EQ(other.is_cut, answer.is_cut);
    ASSERT_TRUE(other.reading && answer.reading);
    EXPECT_EQ(other.reading->pooled, answer.reading->pooled);
    EXPECT_EQ(other.reading->log_probabilities, answer.reading->log_probabilities);
    EXPECT_EQ(other.reading->next_log_probabilities, answer.reading->next_log_probabilities);
    ASSERT_EQ(other.reading->alternatives.size(), answer.reading->alternatives.size());
    for (std::size_t t = 0; t < answer.reading->alternatives.size(); ++t)
      expect_equal(other.reading->alternatives[t], answer.reading->alternatives[t]);
  }
}

TEST(PromptReader, BatchChunksCacheAndThreadsChangeNoBit) {
  ONGGI_NEED_SHARED("fixtures/tiny");
  constexpr int kCount = 40;
  const auto want = Fixture(1).run(kCount, {.batch_rows = 1, .chunk_tokens = 1000});
  for (const EngineOptions& options :
       {EngineOptions{.batch_rows = 7}, EngineOptions{.batch_rows = 64, .chunk_tokens = 33},
        EngineOptions{.batch_rows = 5, .prefill_tokens = 1, .cache_tokens = 4000},
        EngineOptions{.batch_rows = 16, .chunk_tokens = 50, .cache_tokens = 130}}) {
    SCOPED_TRACE("batch of " + std::to_string(options.batch_rows));
    Fixture f(2);
    expect_equal(f.run(kCount, options), want);
    if (options.cache_tokens == 4000) {
      EXPECT_GT(f.counts.cached_tokens, 0);
    }
  }
}

TEST(PromptReader, ReadsWhatAPlainForwardPassHolds) {
  ONGGI_NEED_SHARED("fixtures/tiny");
  Fixture f;
  Job job = f.job(12);
  auto settings = std::make_shared<AnswerSettings>();
  settings->adapter = f.adapter;
  settings->max_new_tokens = 0;
  settings->num_alternatives = 3;
  settings->prompt = {.pooling = Pooling::kMean, .scores = true, .next_ids = {5, 9}};
  auto last_settings = std::make_shared<AnswerSettings>(*settings);
  last_settings->prompt = {.pooling = Pooling::kLast};
  job.settings = settings;
  Job last_job = job;
  last_job.settings = last_settings;
  const auto& prompt = job.request.prompt;
  const auto answers = f.run({job, last_job}, {.chunk_tokens = 10});
  const PromptReading& got = *answers.at(0).reading;
  EXPECT_TRUE(answers.at(0).is_cut);
  EXPECT_TRUE(answers.at(0).tokens.empty());

  nn::FloatBuffer h, logits;
  nn::KvSequence sequence(f.decoder->kv_shape());
  models::Batch batch;
  batch.tokens = prompt;
  batch.rows.push_back({&sequence, 0, static_cast<int>(prompt.size())});
  f.decoder->forward(f.context, batch, f.adapter.get(), h);
  models::Head head(*f.decoder);
  std::vector<std::int64_t> all;
  for (std::size_t t = 0; t < prompt.size(); ++t) all.push_back(static_cast<std::int64_t>(t));
  const auto d = static_cast<std::size_t>(f.decoder->config().hidden_size);
  const float* states = head.normed_rows(f.context, h, all);
  std::vector<float> mean, last(states + (prompt.size() - 1) * d, states + prompt.size() * d);
  for (std::size_t i = 0; i < d; ++i) {
    double sum = 0.0;
    for (std::size_t t = 0; t < prompt.size(); ++t) sum += static_cast<double>(states[t * d + i]);
    mean.push_back(static_cast<float>(sum / static_cast<double>(prompt.size())));
  }
  EXPECT_EQ(got.pooled, mean);
  EXPECT_EQ(answers.at(1).reading->pooled, last);
  head.logits(f.context, h, all, nullptr, logits);
  ASSERT_EQ(got.log_probabilities.size(), prompt.size());
  ASSERT_EQ(got.alternatives.size(), prompt.size() - 1);
  for (std::size_t t = 0; t < prompt.size(); ++t) {
    const std::span<const float> row(logits.data() + static_cast<std::int64_t>(t) * f.decoder->head().rows, 320);
    const decode::LogSoftmax log_softmax(row);
    if (t + 1 == prompt.size()) {
      EXPECT_EQ(got.next_log_probabilities, (std::vector<float>{log_softmax.of(row[5]), log_softmax.of(row[9])}));
      continue;
    }
    EXPECT_EQ(got.log_probabilities[t + 1], log_softmax.of(row[static_cast<std::size_t>(prompt[t + 1])]));
    EXPECT_EQ(got.alternatives[t][0].log_probability, log_softmax.of(*std::ranges::max_element(row)));
  }
}

TEST(PromptReader, AnAnswerHasTheSameBitsWhenItIsPartOfThePrompt) {
  ONGGI_NEED_SHARED("fixtures/tiny");
  Fixture f;
  Job job = f.job(9);
  auto settings = std::make_shared<AnswerSettings>();
  settings->sampling.temperature = 1.0F;
  settings->seed = 3;
  settings->max_new_tokens = 20;
  settings->num_alternatives = 2;
  job.settings = settings;
  const auto drawn = f.run({job}, {}).at(0);
  ASSERT_FALSE(drawn.tokens.empty());
  auto scoring = std::make_shared<AnswerSettings>(*settings);
  scoring->max_new_tokens = 0;
  scoring->prompt.scores = true;
  Job whole = job;
  whole.settings = scoring;
  for (const auto& token : drawn.tokens) whole.request.prompt.push_back(token.id);
  const auto read = f.run({whole}, {}).at(0);
  const std::size_t length = job.request.prompt.size();
  for (std::size_t t = 0; t < drawn.tokens.size(); ++t) {
    EXPECT_EQ(read.reading->log_probabilities[length + t], drawn.tokens[t].log_probability);
    expect_equal(read.reading->alternatives[length + t - 1], drawn.alternatives[t]);
  }
}

TEST(PromptReader, ASharedPrefixIsPartOfTheMean) {
  ONGGI_NEED_SHARED("fixtures/tiny");
  Fixture f;
  Job whole = f.job(12), rest = whole;
  auto settings = std::make_shared<AnswerSettings>();
  settings->max_new_tokens = 0;
  settings->prompt.pooling = Pooling::kMean;
  whole.settings = rest.settings = settings;
  const auto want = f.run({whole}, {}).at(0).reading->pooled;
  Engine engine(f.context, *f.decoder, f.tokenizer, {.chunk_tokens = 31});
  auto& prompt = rest.request.prompt;
  rest.prefix = engine.compute_prefix({prompt.begin(), prompt.begin() + 45}, nullptr);
  prompt.erase(prompt.begin(), prompt.begin() + 45);
  std::vector<float> got;
  rest.done = [&](Answer&& a) { got = a.reading->pooled; };
  engine.submit({rest});
  while (engine.step() != Step::kIdle) {
  }
  EXPECT_EQ(got, want);
}

TEST(PromptReader, AMeanGoesOnFromTheCacheOnlyWhereTheSumIsKnown) {
  ONGGI_NEED_SHARED("fixtures/tiny");
  Fixture f;
  Job plain = f.job(12);  // 205 tokens: 3 whole pieces
  auto settings = std::make_shared<AnswerSettings>();
  settings->cache_key = "base";
  settings->max_new_tokens = 1;
  plain.settings = settings;
  auto mean_settings = std::make_shared<AnswerSettings>(*settings);
  mean_settings->max_new_tokens = 0;
  mean_settings->prompt.pooling = Pooling::kMean;
  Job mean = plain;
  mean.settings = mean_settings;
  std::vector<int> cached;
  std::vector<Job> jobs = {plain, mean, mean};
  for (Job& job : jobs) job.started = [&](int count) { cached.push_back(count); };
  const auto answers = f.run(std::move(jobs), {.batch_rows = 1, .cache_tokens = 1000});
  EXPECT_EQ(cached, (std::vector<int>{0, 0, 192}));
  EXPECT_EQ(answers.at(1).reading->pooled, answers.at(2).reading->pooled);
}

TEST(PromptReader, APromptMayFillTheContextWhereNothingFollowsIt) {
  ONGGI_NEED_SHARED("fixtures/tiny");
  Fixture f;
  Job job = f.job(0);
  const int context = f.decoder->config().max_positions;
  job.request.prompt.assign(static_cast<std::size_t>(context), 5);
  auto settings = std::make_shared<AnswerSettings>();
  settings->max_new_tokens = 0;
  settings->prompt.pooling = Pooling::kLast;
  job.settings = settings;
  Job longer = job;
  longer.request.prompt.push_back(5);
  const auto answers = f.run({job, longer}, {});
  EXPECT_TRUE(answers.at(0).is_cut);
  EXPECT_FALSE(answers.at(0).reading->pooled.empty());
  EXPECT_FALSE(answers.at(1).is_cut);
  EXPECT_NE(answers.at(1).failure.find("longer than the model's context"), std::string::npos);
}

}  // namespace
}  // namespace onggi::runtime
